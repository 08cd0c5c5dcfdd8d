package org.diffcert.diffusion;

import org.diffcert.Named;

/** The forms of likelihood maximisation: as released, and as its text means it. */
public enum MaximizerForm implements Named {
  /**
   * Every call begins with seed 1, so all images have the same noise; the ball around the image is larger than the
   * space of images.
   */
  PUBLISHED("published"),
  /** Noise is a function of image and draw, not of what else is in a batch; the ball is one that can be reached. */
  CORRECTED("corrected");

  private final String cliName;

  MaximizerForm(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The form of a name.
   *
   * @param name published or corrected
   * @return the form
   * @throws org.diffcert.DiffcertException of kind USAGE if there is none of that name
   */
  public static MaximizerForm of(String name) {
    return Named.find(values(), name, "form of likelihood maximisation");
  }
}
