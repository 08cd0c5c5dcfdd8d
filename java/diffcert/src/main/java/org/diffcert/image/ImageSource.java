package org.diffcert.image;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.diffcert.DiffcertException;

/**
 * Opens a set of images by its specification, as on the command line:
 *
 * <ul>
 *   <li>{@code mnist:DIR[?split=test|train]}: idx files, plain or .gz; test unless said otherwise;
 *   <li>{@code cifar10:FILE} or {@code cifar10:DIR[?split=test|train]}: binary records of 3,073 bytes;
 *   <li>{@code npz:FILE[?layout=nchw|nhwc][&classes=K]}: arrays {@code images} (uint8: [N,C,H,W], [N,H,W,C] or [N,H,W])
 *       and {@code labels} (integers: [N]); K classes, or the largest label and one;
 *   <li>{@code images:DIR}: PNG files of 8 bits a channel, a folder a class, classes and files in the order of their
 *       names.
 * </ul>
 *
 * <p>Files are foreign: each is checked before it is believed, and none makes a reader allocate more than its own size
 * and 64 MiB. What is malformed is a {@link DiffcertException} of kind BAD_INPUT that names the file, what is wrong and
 * the remedy. Thread-safe.
 */
public final class ImageSource {
  private ImageSource() {}

  /**
   * Opens a set of images.
   *
   * @param specification as above
   * @return the images, to be closed
   * @throws DiffcertException of kind USAGE if the specification is not one of these, of kind BAD_INPUT if the data are
   *     missing or malformed
   */
  public static ImageData open(String specification) {
    int colon = specification.indexOf(':');
    String kind = colon < 0 ? "" : specification.substring(0, colon);
    Set<String> known = switch (kind) {
      case "mnist", "cifar10" -> Set.of("split");
      case "npz" -> Set.of("layout", "classes");
      case "images" -> Set.of();
      default -> throw DiffcertException.usage("'" + specification
          + "' is no set of images; write mnist:DIR, cifar10:FILE-or-DIR, npz:FILE or images:DIR");
    };
    String rest = specification.substring(colon + 1);
    int question = rest.lastIndexOf('?');
    Map<String, String> options = options(specification, question < 0 ? "" : rest.substring(question + 1), known);
    Path path = path(specification, question < 0 ? rest : rest.substring(0, question));
    return switch (kind) {
      case "mnist" -> IdxReader.open(path, choice(options, "split", "test", "train"));
      case "cifar10" -> CifarReader.open(path, choice(options, "split", "test", "train"));
      case "npz" -> NpzReader.open(path, choice(options, "layout", "", "nchw", "nhwc"), classes(options));
      default -> FolderReader.open(path);
    };
  }

  private static Path path(String specification, String text) {
    try {
      if (text.isEmpty()) {
        throw DiffcertException.usage("'" + specification + "' names no file or directory");
      }
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw DiffcertException.usage("'" + specification + "' is not a path of this system");
    }
  }

  private static Map<String, String> options(String specification, String text, Set<String> known) {
    Map<String, String> options = new LinkedHashMap<>();
    if (text.isEmpty()) {
      return options;
    }
    for (String part : text.split("&", -1)) {
      int equals = part.indexOf('=');
      String key = equals < 0 ? part : part.substring(0, equals);
      if (equals < 0 || !known.contains(key) || options.put(key, part.substring(equals + 1)) != null) {
        throw DiffcertException.usage("'" + part + "' in '" + specification + "' is not an option of it, or comes twice"
            + (known.isEmpty() ? "" : "; options are " + String.join(", ", known.stream().sorted().toList())));
      }
    }
    return options;
  }

  /** The option's value, which must be one of the choices; the first is the default. */
  private static String choice(Map<String, String> options, String key, String... choices) {
    String value = options.getOrDefault(key, choices[0]);
    for (String choice : choices) {
      if (choice.equals(value)) {
        return value;
      }
    }
    throw DiffcertException.usage(key + "=" + value + " is not one of "
        + String.join(", ", choices).replaceFirst("^, ", ""));
  }

  /** The number of classes asked for, or 0. */
  private static int classes(Map<String, String> options) {
    String value = options.get("classes");
    if (value == null) {
      return 0;
    }
    if (!value.matches("[0-9]{1,5}") || Integer.parseInt(value) < 2
        || Integer.parseInt(value) > NpzReader.MAX_CLASSES) {
      throw DiffcertException.usage("classes=" + value + " is not a number from 2 to " + NpzReader.MAX_CLASSES);
    }
    return Integer.parseInt(value);
  }
}
