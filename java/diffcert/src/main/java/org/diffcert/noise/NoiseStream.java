package org.diffcert.noise;

/** What a draw is for: each stream has counters of its own. The numbers are part of docs/spec/noise.md and frozen. */
public enum NoiseStream {
  /** Smoothing noise; its index is always 0, so that every sigma reads the same uniforms. */
  SMOOTHING(0),
  /** Noise of a level of the ELBO; the index is the position of the level in the classifier's list. */
  LEVEL(1),
  /** Increments of path noise; the index is the position of sigma in the ascending list. */
  PATH(2),
  /** Noise of the steps of a reverse chain; the index is 256 times the run plus the step (docs/spec/denoised.md). */
  REVERSE(3),
  /** Training: its index says for what (docs/spec/training.md); no sample of a certificate reads it. */
  TRAINING(4),
  /** Where a drawn image begins; its index is always 0, the image id is its number. */
  SAMPLE(5),
  /** Random choices of an attack (docs/spec/attacks.md); no defence reads it. */
  ATTACK(6),
  /**
   * Levels and noise of likelihood maximisation; the index is 2 times the step, and one more for the noise
   * (docs/spec/rdc.md).
   */
  MAXIMIZATION(7);

  private final int code;

  NoiseStream(int code) {
    this.code = code;
  }

  /**
   * The number in the counter.
   *
   * @return 0 to 7
   */
  public int code() {
    return code;
  }
}
