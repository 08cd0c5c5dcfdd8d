package org.diffcert.denoise;

import org.diffcert.Named;

/** How a reverse chain goes from one noise level to the next. */
public enum Sampler implements Named {
  /**
   * Draws from the posterior of the next level, given the noisy image and its denoised estimate: DDPM's ancestral
   * sampling (Ho et al. 2020), with the learned variance where the network has one.
   */
  ANCESTRAL("ancestral"),
  /** Adds noise, then follows the ODE with Heun's steps: Karras et al. 2022, algorithm 2, on their grid. */
  EDM("edm");

  private final String cliName;

  Sampler(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The sampler of a name.
   *
   * @param name ancestral or edm
   * @return the sampler
   * @throws org.diffcert.DiffcertException of kind USAGE if there is none of that name
   */
  public static Sampler of(String name) {
    return Named.find(values(), name, "sampler");
  }
}
