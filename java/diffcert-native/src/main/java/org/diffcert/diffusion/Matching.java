package org.diffcert.diffusion;

import org.diffcert.DiffcertException;
import org.diffcert.Named;
import org.diffcert.denoise.DdpmSchedule;
import org.diffcert.model.NetworkConfig;
import org.diffcert.model.NetworkConfig.Precond;

/** How a network is told the noise level of an image (docs/spec/denoised.md); part of a denoiser's identity. */
public enum Matching implements Named {
  /** The level itself, 2 sigma, through the network's own preconditioner: D(z; 2 sigma). Any network. */
  LEVEL("level"),
  /** The smallest timestep of the linear schedule whose level is at least 2 sigma: VP networks. */
  LINEAR("linear"),
  /** The same of the cosine schedule: iDDPM networks. */
  COSINE("cosine");

  private final String cliName;

  Matching(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The matching of a name, for a network.
   *
   * @param name level, linear, cosine, or auto: cosine for iDDPM, level for others
   * @param config the network
   * @return the matching
   * @throws DiffcertException of kind USAGE if there is none of that name or the network was not trained on it
   */
  public static Matching of(String name, NetworkConfig config) {
    if (name.equals("auto")) {
      return config.precond() == Precond.IDDPM ? COSINE : LEVEL;
    }
    Matching matching = Named.find(values(), name, "matching");
    Precond trained = matching == LINEAR ? Precond.VP : Precond.IDDPM;
    if (matching != LEVEL && config.precond() != trained) {
      throw DiffcertException.usage("--match " + name + " is for networks under " + trained.published()
          + ", this one is under " + config.precond().published());
    }
    return matching;
  }

  /** The timesteps; null where there are none. */
  DdpmSchedule schedule(int steps) {
    return switch (this) {
      case LEVEL -> null;
      case LINEAR -> DdpmSchedule.linear(steps);
      case COSINE -> DdpmSchedule.cosine(steps);
    };
  }
}
