package org.diffcert.diffusion;

import org.diffcert.DiffcertException;
import org.diffcert.Named;

/**
 * Which smoothing noise a classifier draws (docs/spec/noise.md). Kept in step with {@code dc_noise_mode}; part of the
 * classifier's identity.
 */
public enum NoiseMode implements Named {
  /**
   * Gaussian noise rounded to 8-bit values, drawn by threshold tables: sound, one pass over the network for each sigma.
   */
  INTEGER("integer", 0),
  /** The same law for several sigmas along one path, so that one pass serves all: sound, for {@code epndc}. */
  PATH("path", 1),
  /** Plain float noise, for comparison with published runs: not sound in floating point. */
  FLOAT("float", 2);

  private final String cliName;
  private final int code;

  NoiseMode(String cliName, int code) {
    this.cliName = cliName;
    this.code = code;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /** The number at the native boundary. */
  int code() {
    return code;
  }

  /**
   * The mode of a name.
   *
   * @param name as on the command line
   * @return the mode
   * @throws DiffcertException of kind USAGE for another name
   */
  public static NoiseMode of(String name) {
    return Named.find(values(), name, "noise");
  }
}
