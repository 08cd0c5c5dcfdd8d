package org.diffcert.stats;

import java.math.BigDecimal;

/** The exact two-sided binomial test of a fair coin, as PREDICT uses it. Thread-safe. */
public final class BinomialTest {
  private BinomialTest() {}

  /**
   * The p-value of k heads in n throws of a fair coin, rounded up: the probability of a count at least as far from n/2.
   *
   * @param k heads, 0 to n
   * @param n throws, at least 0
   * @return the p-value, above 0 and at most 1; 1 when n is 0
   * @throws IllegalArgumentException if an argument is out of range
   */
  public static double twoSidedHalf(int k, int n) {
    if (n < 0 || k < 0 || k > n) {
      throw new IllegalArgumentException(k + " heads of " + n + " throws");
    }
    int larger = Math.max(k, n - k);
    if (2L * larger - n <= 1) {
      return 1; // the two tails meet: every count is at least as far from the middle
    }
    BigDecimal twice = new BinomialTail(n, larger).up(0.5).multiply(BigDecimal.valueOf(2));
    return Math.min(1, Directed.doubleUp(twice));
  }
}
