package org.diffcert.noise;

/**
 * What a sample is for. Each phase has counters of its own, so no sample serves twice (S17). Kept in step with
 * dc_phase.
 */
public enum Phase {
  /** Choosing the class that will be certified. */
  SELECT(1),
  /** Bounding its probability. */
  ESTIMATE(2),
  /** Predicting with abstention. */
  PREDICT(3);

  private final int code;

  Phase(int code) {
    this.code = code;
  }

  /**
   * The number in the noise counter.
   *
   * @return 1, 2 or 3
   */
  public int code() {
    return code;
  }
}
