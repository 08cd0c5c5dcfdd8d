package org.diffcert.stats;

import static org.diffcert.stats.Directed.DOWN;
import static org.diffcert.stats.Directed.UP;

import java.math.BigDecimal;

/**
 * A lower confidence sequence for a success probability: a bound that holds at all sample sizes together, so that
 * sampling may stop whenever one likes.
 *
 * <p>Two gamblers bet against the claim "the probability is p", at the odds that would make it fair. The first, with a
 * quarter of the money, puts everything on success, every time; the second bets like Krichevsky and Trofimov (1981),
 * taking (k + 2) / (n + 5/2) for the chance of the next success. Together they have, after k successes of n,
 *
 * <pre>wealth(p) = Q(k, n) / (p^k (1-p)^(n-k)),   Q = 1/4 [k = n] + 3/4 B(k + 2, n - k + 1/2) / B(2, 1/2)</pre>
 *
 * times what they had. If the claim is true, that is a martingale, and by Ville's inequality (1939) it ever reaches 1 /
 * alpha with probability at most alpha. The p that are not refuted that way form an interval; this is its lower end.
 * Thread-safe.
 */
final class BettingBound {
  private static final BigDecimal QUARTER = new BigDecimal("0.25");
  private static final BigDecimal THREE_QUARTERS = new BigDecimal("0.75");

  private BettingBound() {}

  /**
   * The largest double p at most k/n that is refuted: wealth(p) is at least 1 / alpha, with every rounding against it.
   */
  static double lower(int k, int n, double alpha) {
    if (k == 0) {
      return 0;
    }
    BigDecimal level = Directed.smallerReading(alpha);
    double found = Double.NaN;
    if (n + 2 <= WideTable.LARGEST && alpha > 1e-200) {
      Wide staked = mixture(k, n).times(Wide.of(level));
      found = WideSearch.likelihood(k, n, staked, guess(k, n, staked.log()));
    }
    return Double.isNaN(found) ? lowerByDecimals(k, n, level) : found;
  }

  /** The bound by its definition. */
  static double lowerByDecimals(int k, int n, BigDecimal level) {
    BigDecimal staked = level.multiply(mixtureDown(k, n), DOWN);
    double most = k == n ? Math.nextDown(1.0) : Math.nextDown((double) k / n);
    double guess = guess(k, n, Directed.log(staked));
    return Directed.largest(0, most, guess, p -> p == 0 || likelihoodUp(p, k, n - k).compareTo(staked) <= 0);
  }

  /** Q = 9/16 (k + 1)! (1/2)_(n-k) / (1/2)_(n+2), and 1/4 more for k = n. */
  private static Wide mixture(int k, int n) {
    Wide second = WideTable.FACTORIAL.get(k + 1).times(WideTable.HALVES.get(n - k)).over(WideTable.HALVES.get(n + 2))
        .times(0.5625);
    return k == n ? new Wide(0.25).plus(second) : second;
  }

  /** Q from below. */
  private static BigDecimal mixtureDown(int k, int n) {
    BigDecimal product = THREE_QUARTERS;
    for (int i = 0; i < n; i++) {
      // The second gambler's chance for what comes next, were all the successes first: the order does not matter.
      BigDecimal twice = BigDecimal.valueOf(i < k ? 2L * i + 4 : 2L * (i - k) + 1);
      product = product.multiply(twice).divide(BigDecimal.valueOf(2L * i + 5), DOWN);
    }
    return k == n ? product.add(QUARTER, DOWN) : product;
  }

  private static BigDecimal likelihoodUp(double p, int successes, int failures) {
    BigDecimal exact = new BigDecimal(p);
    return Directed.powerUp(exact, successes)
        .multiply(Directed.powerUp(BigDecimal.ONE.subtract(exact), failures), UP);
  }

  /** By bisection in doubles; the likelihood rises up to k/n. */
  private static double guess(int k, int n, double logStaked) {
    double low = 0;
    double high = (double) k / n;
    for (int i = 0; i < 60; i++) {
      double p = low + (high - low) / 2;
      double value = k * Math.log(p) + (n > k ? (n - k) * Math.log1p(-p) : 0);
      if (value <= logStaked) {
        low = p;
      } else {
        high = p;
      }
    }
    return low;
  }
}
