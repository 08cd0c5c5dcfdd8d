package org.diffcert.stats;

import static org.diffcert.stats.Directed.DOWN;
import static org.diffcert.stats.Directed.UP;

import java.math.BigDecimal;

/**
 * How fast the expected loss of a diffusion classifier can change with the image: the levels, weights and dimension of
 * the loss sum over t of w_t E |h(z + s_t e, s_t, y) - z|^2 / d, with z = 2x - 1 in [-1,1]^d and h clamped to [-1,1]^d.
 * docs/spec/lipschitz.md derives the constants step by step. They hold in real arithmetic; nothing here is about
 * rounding errors of a network (S22). Immutable, thread-safe.
 */
public final class LossLipschitz {
  private static final BigDecimal FOUR = BigDecimal.valueOf(4);
  private static final BigDecimal ROOT_TWO_PI_BELOW =
      new BigDecimal("6.28318530717958647692528676655900576839433879875021").sqrt(DOWN);

  private final double[] levels;
  private final double[] weights;
  private final int elements;
  private final double largest;

  /**
   * The loss.
   *
   * @param levels noise levels s_t in EDM space, each above 0, at least one
   * @param weights their weights, each 0 or more, not all 0
   * @param elements d, the values of an image, at least 1
   * @throws IllegalArgumentException if an argument is out of range
   */
  public LossLipschitz(double[] levels, double[] weights, int elements) {
    if (levels.length < 1 || levels.length != weights.length || elements < 1) {
      throw new IllegalArgumentException(
          levels.length + " levels, " + weights.length + " weights, images of " + elements + " values");
    }
    double sum = 0;
    for (int t = 0; t < levels.length; t++) {
      if (!(levels[t] > 0 && levels[t] < 1e100 && weights[t] >= 0 && weights[t] < 1e100)) {
        throw new IllegalArgumentException("level " + levels[t] + " with weight " + weights[t]);
      }
      sum += weights[t];
    }
    if (!(sum > 0)) {
      throw new IllegalArgumentException("all weights are 0");
    }
    this.levels = levels.clone();
    this.weights = weights.clone();
    this.elements = elements;
    BigDecimal exact = BigDecimal.ZERO;
    for (double weight : weights) {
      exact = exact.add(new BigDecimal(weight), UP);
    }
    this.largest = Directed.doubleUp(exact.multiply(FOUR));
  }

  /**
   * The largest value that the loss can have: 4 times the sum of the weights.
   *
   * @return rounded up
   */
  public double largestLoss() {
    return largest;
  }

  /**
   * The Lipschitz constant of one class's loss, in L2: 2 sum w_t (4 / (sqrt(2 pi) s_t) + 4 / sqrt(d)).
   *
   * @return loss per [0,1] pixel unit, rounded up
   */
  public double ofLoss() {
    return constant(4, 4);
  }

  /**
   * The Lipschitz constant of the difference of two classes' losses, in L2: 2 sum w_t (8 / (sqrt(2 pi) s_t) + 4 /
   * sqrt(d)), less than twice that of one loss, since the two share the image.
   *
   * @return loss per [0,1] pixel unit, rounded up
   */
  public double ofDifference() {
    return constant(8, 4);
  }

  /** 2 sum w_t (smoothed / (sqrt(2 pi) s_t) + direct / sqrt(d)); the 2 leads from EDM space to [0,1]. */
  private double constant(int smoothed, int direct) {
    BigDecimal rootOfD = BigDecimal.valueOf(elements).sqrt(DOWN);
    BigDecimal plain = BigDecimal.valueOf(direct).divide(rootOfD, UP);
    BigDecimal sum = BigDecimal.ZERO;
    for (int t = 0; t < levels.length; t++) {
      BigDecimal level = ROOT_TWO_PI_BELOW.multiply(new BigDecimal(levels[t]), DOWN);
      BigDecimal slope = BigDecimal.valueOf(smoothed).divide(level, UP).add(plain, UP);
      sum = sum.add(slope.multiply(new BigDecimal(weights[t]), UP), UP);
    }
    return Directed.doubleUp(sum.multiply(BigDecimal.valueOf(2)));
  }

  /**
   * A difference of two losses, from [-largest, largest] to [0,1]; what is beyond by rounding is cut off.
   *
   * @param difference the other class's loss less the candidate's
   * @return (difference + largest) / (2 largest)
   */
  public double scaled(double difference) {
    return Math.max(0, Math.min(1, (difference + largest) / (2 * largest)));
  }

  /**
   * The difference of two expected losses that belongs to a bound of the mean of {@link #scaled} ones.
   *
   * @param scaled in [0,1]
   * @return (2 scaled - 1) largest, rounded down; may be negative
   */
  public double margin(double scaled) {
    BigDecimal centred = new BigDecimal(scaled).multiply(BigDecimal.valueOf(2)).subtract(BigDecimal.ONE);
    return Directed.doubleDown(centred.multiply(new BigDecimal(largest)));
  }

  /**
   * How far the image may move before a difference of expected losses can be gone.
   *
   * @param margin the difference, above 0
   * @return margin / {@link #ofDifference()}, in [0,1] pixel units, rounded down
   */
  public double radius(double margin) {
    return Directed.doubleDown(new BigDecimal(margin).divide(new BigDecimal(ofDifference()), DOWN));
  }

  /**
   * The constant of the code published with the noised diffusion classifiers: (1 + sqrt(2 / pi)) sum w_t / s_t, in
   * units that the code does not state. For comparison; nothing here is derived from it.
   *
   * @return the published form for these levels and weights, rounded to nearest
   */
  public double published() {
    double sum = 0;
    for (int t = 0; t < levels.length; t++) {
      sum += weights[t] / levels[t];
    }
    return (1 + Math.sqrt(2 / Math.PI)) * sum;
  }
}
