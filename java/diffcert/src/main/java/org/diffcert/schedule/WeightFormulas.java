package org.diffcert.schedule;

/**
 * The weights of one level, as functions of its two ends and of the smoothing level, all in EDM space.
 * docs/spec/schedules.md derives them.
 */
final class WeightFormulas {
  private static final double SIGMA_DATA = 0.5;
  private static final double P_MEAN = -1.2;
  private static final double P_STD = 1.2;

  private WeightFormulas() {}

  /** EDM's loss weight lambda(s) = (s^2 + sd^2) / (s sd)^2. */
  static double lambda(double s) {
    double product = s * SIGMA_DATA;
    return (s * s + SIGMA_DATA * SIGMA_DATA) / (product * product);
  }

  /**
   * The density of EDM's training levels: log-normal; or as the released code has it, with P_std^2 multiplied in place
   * of divided.
   */
  static double density(double s, boolean released) {
    double deviation = Math.log(s) - P_MEAN;
    double variance = P_STD * P_STD;
    double exponent = deviation * deviation / 2 * (released ? variance : 1 / variance);
    return Math.exp(-exponent) / (s * P_STD * Math.sqrt(2 * Math.PI));
  }

  /** ELBO of dc and apndc: half the difference of the signal-to-noise ratios at the ends. */
  static double elboClean(double lower, double upper) {
    return (upper - lower) * (upper + lower) / (2 * lower * lower * upper * upper);
  }

  /** ELBO of epndc: 1 / (2 v) with v the variance of the posterior of x_lower given x_upper and x_tau. */
  static double elboNoised(double lower, double upper, double tau) {
    return (upper * upper - tau * tau) / (2 * (lower * lower - tau * tau) * (upper * upper - lower * lower));
  }

  /** EDM's weight of a mean difference at tau = 0, times the exact ratio of the ELBO weights at tau and at 0. */
  static double ratioExact(double lower, double upper, double tau) {
    double difference = upper * upper - lower * lower;
    return upper * upper * lower * lower * (upper * upper - tau * tau)
        / (difference * difference * (lower * lower - tau * tau));
  }

  /** The same as the released code has it: (upper^2 - lower^2)^2 is taken as 4 lower^2 (upper - lower)^2. */
  static double ratioReleased(double lower, double upper, double tau) {
    double step = upper - lower;
    return upper * upper * (upper * upper - tau * tau) / (4 * step * step * (lower * lower - tau * tau));
  }
}
