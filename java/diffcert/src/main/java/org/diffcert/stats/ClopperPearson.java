package org.diffcert.stats;

import java.math.BigDecimal;
import java.util.OptionalInt;
import org.apache.commons.statistics.interval.BinomialConfidenceInterval;

/**
 * The exact one-sided confidence bounds of Clopper and Pearson (1934) for a success probability, rounded to the safe
 * side (S18, S23). The bound is defined by an evaluation of the binomial tail in which every rounding goes up ({@link
 * BinomialTail}). It is found with numbers of 31 digits that can tell which double that gives ({@link WideSearch}), or,
 * where they cannot, by the definition itself from a guess of Apache Commons Statistics. Thread-safe.
 */
public final class ClopperPearson {
  private static final BoundCache CACHE = new BoundCache();

  private ClopperPearson() {}

  /**
   * The lower bound: the largest double p at which k or more successes have probability at most alpha. The true success
   * probability is at or above it with probability at least 1 - alpha. Takes some 10 microseconds at n = 10,000, less
   * if it was asked for lately.
   *
   * @param k successes, 0 to n
   * @param n trials, at least 1
   * @param alpha probability of error, above 0 and below 1/2; taken as the decimal or as the double, whichever is
   *     smaller
   * @return the bound, 0 when k is 0
   * @throws IllegalArgumentException if an argument is out of range
   */
  public static double lower(int k, int n, double alpha) {
    check(k, n, alpha);
    if (k == 0) {
      return 0;
    }
    double bound = CACHE.get(k, n, alpha);
    if (Double.isNaN(bound)) {
      BigDecimal level = Directed.smallerReading(alpha);
      bound = WideSearch.tail(k, n, level);
      if (Double.isNaN(bound)) {
        bound = lowerByDecimals(k, n, level);
      }
      CACHE.put(k, n, alpha, bound);
    }
    return bound;
  }

  /** The bound by its definition. */
  static double lowerByDecimals(int k, int n, BigDecimal level) {
    BinomialTail tail = new BinomialTail(n, k);
    double guess =
        BinomialConfidenceInterval.CLOPPER_PEARSON.fromErrorRate(n, k, 2 * level.doubleValue()).getLowerBound();
    // The largest double below 1 is as far as a bound can go: at 1 the tail is 1.
    return Directed.largest(0, Math.nextDown(1.0), guess, p -> p == 0 || tail.up(p).compareTo(level) <= 0);
  }

  /**
   * The upper bound: 1 minus the lower bound of the failures, rounded up.
   *
   * @param k successes, 0 to n
   * @param n trials, at least 1
   * @param alpha probability of error, above 0 and below 1/2
   * @return the bound, 1 when k is n
   * @throws IllegalArgumentException if an argument is out of range
   */
  public static double upper(int k, int n, double alpha) {
    check(k, n, alpha);
    return Directed.doubleUp(BigDecimal.ONE.subtract(new BigDecimal(lower(n - k, n, alpha))));
  }

  /**
   * The smallest count that certifies: the least k whose lower bound exceeds one half.
   *
   * @param n trials, at least 1
   * @param alpha probability of error, above 0 and below 1/2
   * @return the count, or empty when even n of n abstains
   * @throws IllegalArgumentException if an argument is out of range
   */
  public static OptionalInt smallestCertifying(int n, double alpha) {
    check(n, n, alpha);
    int k = smallestReaching(Math.nextUp(0.5), n, alpha);
    return k > n ? OptionalInt.empty() : OptionalInt.of(k);
  }

  /**
   * The smallest count whose lower bound is at least p.
   *
   * @param p a probability, above 0 and below 1
   * @param n trials, at least 1
   * @param alpha probability of error, above 0 and below 1/2
   * @return the count, n + 1 when even n of n do not reach it
   */
  static int smallestReaching(double p, int n, double alpha) {
    int fails = (int) Math.floor(p * n); // counts up to this do not reach it; counts from `reaches` on do
    int reaches = n + 1;
    while (reaches - fails > 1) {
      int k = fails + (reaches - fails) / 2;
      if (lower(k, n, alpha) >= p) {
        reaches = k;
      } else {
        fails = k;
      }
    }
    return reaches;
  }

  private static void check(int k, int n, double alpha) {
    if (n < 1 || k < 0 || k > n) {
      throw new IllegalArgumentException(k + " successes of " + n + " trials");
    }
    if (!(alpha > 0 && alpha < 0.5)) {
      throw new IllegalArgumentException("alpha is " + alpha + ", must be above 0 and below 1/2");
    }
  }
}
