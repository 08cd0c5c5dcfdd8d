package org.diffcert.diffusion;

import org.diffcert.Named;
import org.diffcert.model.NetworkConfig.Precond;

/**
 * What training makes small: noise levels and weights of Karras et al. 2022 (docs/spec/training.md). The order is that
 * of {@code dc_loss_kind}.
 */
public enum TrainLoss implements Named {
  /** Log-normal noise levels, weight 1 / c_out^2 (equation 108 there). */
  EDM("edm"),
  /** Levels of the variance-preserving process at uniform times, weight 1 / sigma^2. */
  VP("vp"),
  /** Log-uniform levels in [0.02, 100], weight 1 / sigma^2. */
  VE("ve");

  private final String cliName;

  TrainLoss(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The loss of a name.
   *
   * @param name edm, vp or ve
   * @return the loss
   * @throws org.diffcert.DiffcertException of kind USAGE for another name
   */
  public static TrainLoss of(String name) {
    return Named.find(values(), name, "loss");
  }

  /**
   * The loss that belongs to a preconditioner.
   *
   * @param precond the preconditioner
   * @return its loss; EDM for iDDPM, which has none of its own among these
   */
  public static TrainLoss of(Precond precond) {
    return switch (precond) {
      case VP -> VP;
      case VE -> VE;
      case EDM, IDDPM -> EDM;
    };
  }
}
