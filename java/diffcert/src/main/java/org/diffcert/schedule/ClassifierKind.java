package org.diffcert.schedule;

import org.diffcert.Named;

/** The diffusion classifiers, by their published names. Kept in step with dc_classifier_kind. */
public enum ClassifierKind implements Named {
  /** The diffusion classifier, on the (noisy) input as it is. */
  DC("dc", 0),
  /** The exact posterior noised diffusion classifier. */
  EPNDC("epndc", 1),
  /** The approximated posterior noised diffusion classifier, as the paper's text has it. */
  APNDC("apndc", 2),
  /** The same with the class-conditional denoised estimate as target. */
  APNDC_CONDITIONAL("apndc-conditional", 3),
  /** The released certification script's form: dc around the unconditional denoised estimate. */
  APNDC_ENSEMBLE("apndc-ensemble", 4);

  private final String cliName;
  private final int code;

  ClassifierKind(String cliName, int code) {
    this.cliName = cliName;
    this.code = code;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * Whether a network of its own for the unconditional estimate is of any use.
   *
   * @return true for those whose votes depend on that estimate
   */
  public boolean readsUnconditional() {
    return this == APNDC || this == APNDC_ENSEMBLE;
  }

  /**
   * The number at the native boundary.
   *
   * @return 0 to 4
   */
  public int code() {
    return code;
  }

  /**
   * The classifier of a name.
   *
   * @param name as on the command line
   * @return the classifier
   */
  public static ClassifierKind of(String name) {
    return Named.find(values(), name, "classifier");
  }
}
