package org.diffcert.stats;

import static org.diffcert.stats.Directed.UP;

import java.math.BigDecimal;

/**
 * The lower bound of a mean by betting: the upward half of the hedged capital process of Waudby-Smith and Ramdas (2023)
 * with their predictable plug-in bets for a number of samples fixed beforehand.
 *
 * <p>Against a mean m, the gambler's capital after i values is the product of 1 + b_j (x_j - m), with b_j = min(l_j, 3
 * / (4 m)) and l_j a function of x_1..x_(j-1) alone. If m is the true mean the capital is a non-negative martingale
 * that starts at 1, so by Ville's inequality it ever reaches 1/alpha with probability at most alpha. It falls in m, so
 * every mean below one that was beaten is beaten too, and the largest m that is beaten is a lower bound. Bets may be
 * any numbers in their range; only the capital is rounded, downward.
 */
final class HedgedCapital {
  private static final double MOST_AT_STAKE = 0.75;

  private HedgedCapital() {}

  static double lower(double[] values, double alpha) {
    double goal = Directed.doubleUp(BigDecimal.ONE.divide(Directed.smallerReading(alpha), UP));
    double[] bets = bets(values, alpha);
    double mean = 0;
    for (double value : values) {
      mean += value / values.length;
    }
    double guess = Math.max(0, mean - Math.sqrt(StrictMath.log(1 / alpha) / (2 * values.length)));
    return Directed.largest(0, Math.nextDown(1.0), guess, m -> m == 0 || beats(m, values, bets, goal));
  }

  /** sqrt(2 ln(1/alpha) / (n v)), v the variance so far, begun as if one value of variance 1/4 had been seen. */
  private static double[] bets(double[] values, double alpha) {
    int n = values.length;
    double log = -StrictMath.log(alpha);
    double[] bets = new double[n];
    double sum = 0.5;
    double squares = 0.25;
    for (int i = 0; i < n; i++) {
      bets[i] = Math.sqrt(2 * log * (i + 1) / (n * squares));
      sum += values[i];
      double deviation = values[i] - sum / (i + 2);
      squares += deviation * deviation;
    }
    return bets;
  }

  /**
   * Whether the capital against m reaches the goal. A factor's rounding errors are at most 2^-53 (5 b + 2): those of
   * the bet, of the difference and of their product, b 2^-53 each, that of the sum, 2^-53 (1 + b), and that of what is
   * then taken off for them, which is more than all.
   */
  private static boolean beats(double m, double[] values, double[] bets, double goal) {
    double most = MOST_AT_STAKE / m;
    double capital = 1;
    for (int i = 0; i < values.length; i++) {
      double bet = Math.min(bets[i], most);
      double factor = 1 + bet * (values[i] - m) - 0x1p-50 * (1 + bet);
      capital = Math.nextDown(capital * factor);
      if (capital >= goal) {
        return true;
      }
      if (!(capital > 0)) {
        return false;
      }
    }
    return false;
  }
}
