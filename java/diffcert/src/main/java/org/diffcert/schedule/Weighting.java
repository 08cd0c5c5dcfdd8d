package org.diffcert.schedule;

import org.diffcert.Named;

/**
 * Which weights the levels of a diffusion classifier have; docs/spec/schedules.md has the formulas. Part of a
 * classifier's identity.
 */
public enum Weighting implements Named {
  /**
   * The weights of EDM's training loss, with the log-normal density of levels as intended: mean -1.2, deviation 1.2 of
   * the logarithm.
   */
  EDM("edm"),
  /**
   * The same as the released code has it: the exponent of the density is multiplied by the variance where it should be
   * divided.
   */
  PUBLISHED("published"),
  /** The exact weights of the evidence lower bound. */
  ELBO("elbo");

  private final String cliName;

  Weighting(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The weighting of a name.
   *
   * @param name as on the command line
   * @return the weighting
   */
  public static Weighting of(String name) {
    return Named.find(values(), name, "weighting");
  }
}
