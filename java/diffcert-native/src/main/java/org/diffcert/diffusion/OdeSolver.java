package org.diffcert.diffusion;

import org.diffcert.Named;

/**
 * How a sampler follows the probability-flow ODE from one noise level to the next (Karras et al. 2022, algorithm 1).
 */
public enum OdeSolver implements Named {
  /** One slope a step, at its beginning: first order, one network call a step. */
  EULER("euler"),
  /** The mean of the slopes at both ends: second order, two network calls a step but for the last. */
  HEUN("heun");

  private final String cliName;

  OdeSolver(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The solver of a name.
   *
   * @param name euler or heun
   * @return the solver
   * @throws org.diffcert.DiffcertException of kind USAGE for another name
   */
  public static OdeSolver of(String name) {
    return Named.find(values(), name, "solver");
  }
}
