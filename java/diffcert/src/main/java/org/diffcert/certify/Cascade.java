package org.diffcert.certify;

import org.diffcert.DiffcertException;
import org.diffcert.Named;

/**
 * What a cascade over smoothing levels is, beside its votes: the probability above which a stage answers, and how far
 * certification walks (docs/spec/cascade.md; Jeong and Shin 2023).
 *
 * @param p0 a stage answers a class whose probability is above this, and passes otherwise; at least 1/2, so that at
 *     most one class is, and at most 0.999
 * @param walk where certification of an image ends; it moves no alpha and touches no function
 */
public record Cascade(double p0, Walk walk) {
  /** The published threshold and walk. */
  public static final Cascade DEFAULT = new Cascade(0.5, Walk.FIRST);
  private static final double LARGEST = 0.999;

  /** Where certification of an image ends, when it has not come to the last stage. */
  public enum Walk implements Named {
    /** At the first stage that gives a certificate. */
    FIRST("first"),
    /** Only where no later stage can give a larger radius: the largest of any stage counts. */
    ALL("all");

    private final String cliName;

    Walk(String cliName) {
      this.cliName = cliName;
    }

    @Override
    public String cliName() {
      return cliName;
    }

    /**
     * The walk of that name.
     *
     * @param name as typed: first or all
     * @return the walk
     * @throws DiffcertException of kind USAGE if there is none
     */
    public static Walk of(String name) {
      return Named.find(values(), name, "walk");
    }
  }

  /**
   * Checks the range; a bad one is a usage error.
   *
   * @param p0 the threshold
   * @param walk where certification of an image ends
   */
  public Cascade {
    if (!(p0 >= 0.5 && p0 <= LARGEST)) {
      throw DiffcertException.usage("p0 is " + p0 + ", must be 0.5 to " + LARGEST);
    }
  }
}
