package org.diffcert.cli;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeSet;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.noise.Sigma;
import org.diffcert.run.ImageRange;

/**
 * The grammar of option values: sigma lists, image ranges, radii, seeds. Each refusal is one sentence with the
 * remedy.
 */
final class Arguments {
  private Arguments() {}

  /** {@code 0.25,0.5}: distinct sigmas, in ascending order. */
  static List<Sigma> sigmas(String text) {
    TreeSet<Sigma> sigmas = new TreeSet<>();
    for (String part : text.split(",", -1)) {
      if (part.equals("auto") || part.equals("image") || part.equals("per-image")) {
        throw DiffcertException.usage("--sigma " + part + " is refused: were sigma chosen for each image, the smoothed "
            + "classifier would be another function at each, and no radius could be proven; give a list, such as "
            + "0.25,0.5, among which alpha is shared");
      }
      double value = number("--sigma", part);
      if (!(value > 0 && value <= 16)) {
        throw DiffcertException.usage(
            "--sigma is '" + part + "', must be above 0 and at most 16 in [0,1] pixel units (0.25, not 64)");
      }
      if (!sigmas.add(new Sigma(value))) {
        throw DiffcertException.usage("--sigma names " + part + " twice");
      }
    }
    return List.copyOf(sigmas);
  }

  /** {@code FROM:TO[:STEP]}, either end may be left out; size is the number of images there are. */
  static ImageRange images(String text, int size) {
    String[] parts = text.split(":", -1);
    if (parts.length < 2 || parts.length > 3) {
      throw DiffcertException.usage("--images is '" + text + "', write FROM:TO or FROM:TO:STEP, for example 0:500:20");
    }
    int from = parts[0].isEmpty() ? 0 : integer("--images", parts[0]);
    int to = parts[1].isEmpty() ? size : integer("--images", parts[1]);
    int step = parts.length < 3 || parts[2].isEmpty() ? 1 : integer("--images", parts[2]);
    if (to > size) {
      throw DiffcertException.usage("--images ends at " + to + ", but there are only " + size + " images");
    }
    return new ImageRange(from, to, step);
  }

  /** The largest batch: {@code auto} = the device's choice, or a number. */
  static int batch(String text) {
    if (text.equals("auto")) {
      return DeviceOptions.DEVICES_CHOICE;
    }
    int rows = integer("--batch", text);
    if (rows < 1) {
      throw DiffcertException.usage("--batch is " + rows + ", must be auto or at least 1");
    }
    return rows;
  }

  /** How many certificates share alpha: a number, or {@code rows} for all of the run. */
  static int family(String text, int images, int sigmas) {
    if (!text.equals("rows")) {
      return integer("--family", text);
    }
    long all = (long) images * sigmas;
    if (all > Integer.MAX_VALUE) {
      throw DiffcertException.usage("--family rows of " + images + " images is too many to share alpha among");
    }
    return (int) all;
  }

  /** Radii in [0,1] units. */
  static List<Double> radii(String option, String text) {
    List<Double> radii = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      double radius = number(option, part);
      if (!(radius >= 0 && radius < 1e6)) {
        throw DiffcertException.usage(option + " has '" + part + "', radii are 0 or more, in [0,1] units");
      }
      radii.add(radius);
    }
    return radii;
  }

  /** {@code auto} is empty; a number may be signed, unsigned or 0x... of 64 bits. */
  static OptionalLong seed(String text) {
    if (text.equals("auto")) {
      return OptionalLong.empty();
    }
    try {
      if (text.startsWith("0x")) {
        return OptionalLong.of(Long.parseUnsignedLong(text.substring(2), 16));
      }
      return OptionalLong.of(text.startsWith("-") ? Long.parseLong(text) : Long.parseUnsignedLong(text));
    } catch (NumberFormatException e) {
      throw DiffcertException.usage("--seed is '" + text + "', write auto or a 64-bit integer");
    }
  }

  /** 64 fresh bits (S10). */
  static long freshSeed() {
    return new SecureRandom().nextLong();
  }

  /** One real number. */
  static double number(String option, String text) {
    try {
      return Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      throw DiffcertException.usage(option + " has '" + text + "', which is no number");
    }
  }

  private static int integer(String option, String text) {
    try {
      return Integer.parseInt(text.strip());
    } catch (NumberFormatException e) {
      throw DiffcertException.usage(option + " has '" + text + "', which is no whole number");
    }
  }
}
