package org.diffcert.stats;

import static org.diffcert.stats.Directed.DOWN;
import static org.diffcert.stats.Directed.UP;

import java.math.BigDecimal;
import org.apache.commons.statistics.distribution.NormalDistribution;

/**
 * The quantile of the standard normal distribution above its median. Rounded down: the largest double z at which an
 * evaluation of Phi in which every rounding goes up does not exceed p. Rounded up: the next double at which one in
 * which every rounding goes down is at least p. Commons Statistics supplies a guess, numbers of 31 digits correct it
 * and prove it ({@link WideSearch}), or, where they cannot, the definition itself. Thread-safe.
 */
public final class NormalQuantile {
  private static final BigDecimal HALF = new BigDecimal("0.5");
  /** Pi, cut off and hence below the true value. */
  private static final BigDecimal PI_BELOW = new BigDecimal("3.14159265358979323846264338327950288419716939937510582");
  private static final BigDecimal ROOT_TWO_PI_BELOW = PI_BELOW.multiply(BigDecimal.valueOf(2)).sqrt(DOWN);
  private static final BigDecimal PI_ABOVE = PI_BELOW.add(new BigDecimal("1e-50"));
  private static final BigDecimal ROOT_TWO_PI_ABOVE = PI_ABOVE.multiply(BigDecimal.valueOf(2)).sqrt(UP);
  private static final BigDecimal NEGLIGIBLE = new BigDecimal("1e-38");
  /** Phi(9) is above every double below 1. */
  static final double BEYOND = 9;

  private NormalQuantile() {}

  /**
   * Phi^-1(p), rounded down.
   *
   * @param p a probability, at least 1/2 and below 1
   * @return the largest double z with Phi(z) at most p, 0 for 1/2
   * @throws IllegalArgumentException if p is out of range
   */
  public static double down(double p) {
    if (!(p >= 0.5 && p < 1)) {
      throw new IllegalArgumentException("p is " + p + ", must be at least 1/2 and below 1");
    }
    if (p == 0.5) {
      return 0;
    }
    double guess = NormalDistribution.of(0, 1).inverseCumulativeProbability(p);
    double found = WideSearch.quantile(p, guess);
    return Double.isNaN(found) ? downByDecimals(p, guess) : found;
  }

  /**
   * Phi^-1(p), rounded up.
   *
   * @param p a probability, at least 1/2 and below 1
   * @return a double z with Phi(z) at least p, as near as can be told; 0 for 1/2
   * @throws IllegalArgumentException if p is out of range
   */
  public static double up(double p) {
    double z = down(p);
    BigDecimal bound = new BigDecimal(p);
    while (p > 0.5 && cumulativeDown(z).compareTo(bound) < 0) {
      z = Math.nextUp(z);
    }
    return z;
  }

  /** The quantile by its definition, from any guess. */
  static double downByDecimals(double p, double guess) {
    BigDecimal bound = new BigDecimal(p);
    return Directed.largest(0, BEYOND, guess, z -> z == 0 || cumulativeUp(z).compareTo(bound) <= 0);
  }

  /** An upper bound of Phi(z), z &gt; 0: 1/2 + phi(z) (z + z^3/3 + z^5/15 + ...), all of whose terms are positive. */
  static BigDecimal cumulativeUp(double z) {
    BigDecimal exact = new BigDecimal(z);
    BigDecimal square = exact.multiply(exact);
    BigDecimal term = exact.round(UP);
    BigDecimal sum = term;
    for (int odd = 3; ; odd += 2) {
      BigDecimal ratio = square.divide(BigDecimal.valueOf(odd), UP);
      if (ratio.compareTo(HALF) < 0) {
        // The ratios fall, so the rest is at most term * (ratio + ratio^2 + ...) < 2 * ratio * term.
        BigDecimal rest = term.multiply(ratio, UP).multiply(BigDecimal.valueOf(2), UP);
        if (rest.compareTo(sum.multiply(NEGLIGIBLE, DOWN)) <= 0) {
          sum = sum.add(rest, UP);
          break;
        }
      }
      term = term.multiply(ratio, UP);
      sum = sum.add(term, UP);
    }
    BigDecimal below = Exponential.down(square.multiply(HALF)).multiply(ROOT_TWO_PI_BELOW, DOWN);
    return HALF.add(sum.divide(below, UP), UP);
  }

  /** A lower bound of Phi(z), z at least 0: the same series, cut off, over a divisor from above. */
  static BigDecimal cumulativeDown(double z) {
    BigDecimal square = new BigDecimal(z).multiply(new BigDecimal(z));
    BigDecimal term = new BigDecimal(z).round(DOWN);
    BigDecimal sum = term;
    for (int odd = 3; term.compareTo(sum.multiply(NEGLIGIBLE, DOWN)) > 0 || square.intValue() > odd; odd += 2) {
      term = term.multiply(square, DOWN).divide(BigDecimal.valueOf(odd), DOWN);
      sum = sum.add(term, DOWN);
    }
    BigDecimal above = Exponential.up(square.multiply(HALF)).multiply(ROOT_TWO_PI_ABOVE, UP);
    return HALF.add(sum.divide(above, DOWN), DOWN);
  }
}
