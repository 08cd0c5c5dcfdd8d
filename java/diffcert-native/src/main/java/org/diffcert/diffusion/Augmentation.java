package org.diffcert.diffusion;

import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;
import org.diffcert.Named;

/**
 * How the images of a training are changed before they are shown: the geometric part of EDM's pipeline (Karras et al.
 * 2022, appendix F.2), whose every change the network is told by a label (docs/spec/training.md). Immutable.
 *
 * @param probability how often each part is applied to an image, 0 to 1; 0 = images stay as they are
 * @param parts which parts there are; unmodifiable
 */
public record Augmentation(double probability, Set<Part> parts) {
  /** Length of an image's label, whatever the parts: that of the published networks. */
  public static final int LABELS = 9;
  /** Images stay as they are. */
  public static final Augmentation NONE = new Augmentation(0, EnumSet.noneOf(Part.class));

  /** The parts, in the order in which they are drawn and in which the label has them. */
  public enum Part implements Named {
    /** Left and right exchanged for half of the images, whatever the probability (as published). */
    XFLIP("xflip"),
    /** Upside down, for half of the images that it is applied to. */
    YFLIP("yflip"),
    /** Enlarged by 2^(0.2 w), w standard normal. */
    SCALE("scale"),
    /** Turned by an angle uniform in [-pi, pi]. */
    ROTATE("rotate"),
    /** Stretched by 2^(0.2 w) in one direction and shrunk by it across; the direction is any, or horizontal. */
    ANISO("aniso"),
    /** Moved by 0.125 w of the image's size in each direction. */
    TRANSLATE("translate");

    private final String cliName;

    Part(String cliName) {
      this.cliName = cliName;
    }

    @Override
    public String cliName() {
      return cliName;
    }
  }

  /**
   * Checks the probability.
   *
   * @param probability how often each part is applied to an image, 0 to 1
   * @param parts which parts there are
   * @throws DiffcertException of kind USAGE if the probability is out of range, or above 0 without any part
   */
  public Augmentation {
    if (!(probability >= 0 && probability <= 1)) {
      throw DiffcertException.usage("The probability of augmentation must be 0 to 1, not " + probability + ".");
    }
    if (probability > 0 && parts.isEmpty()) {
      throw DiffcertException.usage("Images that are augmented need at least one part of it.");
    }
    EnumSet<Part> sorted = EnumSet.noneOf(Part.class);
    sorted.addAll(probability > 0 ? parts : Set.of());
    parts = Collections.unmodifiableSet(sorted);
  }

  /**
   * Of parts by name.
   *
   * @param probability how often each part is applied to an image, 0 to 1
   * @param names their names with commas between them, or all
   * @return the augmentation
   * @throws DiffcertException of kind USAGE if there is no part of a name, or the probability is out of range
   */
  public static Augmentation of(double probability, String names) {
    Set<Part> parts = names.equals("all") ? EnumSet.allOf(Part.class)
        : Arrays.stream(names.split(",", -1)).map(name -> Named.find(Part.values(), name, "part of the augmentation"))
            .collect(Collectors.toSet());
    return new Augmentation(probability, parts);
  }

  /**
   * Whether any image may change.
   *
   * @return whether the probability is above 0
   */
  public boolean on() {
    return probability > 0;
  }

  /**
   * The parts by name.
   *
   * @return names with commas between them, in the order of {@link Part}
   */
  public String names() {
    return parts.stream().map(Part::cliName).collect(Collectors.joining(","));
  }
}
