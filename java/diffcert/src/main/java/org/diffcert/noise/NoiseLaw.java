package org.diffcert.noise;

import org.diffcert.DiffcertException;
import org.diffcert.Named;

/**
 * The laws of smoothing noise: every element of the image gets an independent draw of mean 0 and standard deviation
 * sigma, rounded to the grid of 8-bit values. Which radii follow from which law is in docs/spec/norms.md.
 */
public enum NoiseLaw implements Named {
  /** The normal law; its certificates are about the L2 distance. */
  GAUSSIAN("gaussian"),
  /** Uniform on [-sqrt(3) sigma, sqrt(3) sigma]; its certificates are about the L1 distance. */
  UNIFORM("uniform"),
  /** Density exp(-|y| / b) / (2 b) with b = sigma / sqrt(2); its certificates are about the L1 distance. */
  LAPLACE("laplace");

  private final String cliName;

  NoiseLaw(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The law of a name.
   *
   * @param name one of gaussian, uniform, laplace
   * @return the law
   * @throws DiffcertException of kind USAGE if there is none of that name
   */
  public static NoiseLaw of(String name) {
    return Named.find(values(), name, "noise law");
  }
}
