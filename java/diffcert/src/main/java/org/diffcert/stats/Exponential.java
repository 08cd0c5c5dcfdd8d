package org.diffcert.stats;

import static org.diffcert.stats.Directed.DOWN;
import static org.diffcert.stats.Directed.UP;

import java.math.BigDecimal;

/** Bounds of exp and ln from below and above: sums of positive terms in which every operation rounds one way. */
final class Exponential {
  private static final BigDecimal NEGLIGIBLE = new BigDecimal("1e-38");
  private static final BigDecimal TWO = BigDecimal.valueOf(2);

  private Exponential() {}

  /** A lower bound of exp(x), x >= 0: the exponential series, cut off. */
  static BigDecimal down(BigDecimal x) {
    BigDecimal term = BigDecimal.ONE;
    BigDecimal sum = term;
    BigDecimal factor = x.round(DOWN);
    for (int i = 1; term.compareTo(sum.multiply(NEGLIGIBLE, DOWN)) > 0; i++) {
      term = term.multiply(factor, DOWN).divide(BigDecimal.valueOf(i), DOWN);
      sum = sum.add(term, DOWN);
    }
    return sum;
  }

  /** An upper bound of exp(x), x >= 0: the series, and twice the last term for the rest once the terms halve. */
  static BigDecimal up(BigDecimal x) {
    BigDecimal term = BigDecimal.ONE;
    BigDecimal sum = term;
    BigDecimal factor = x.round(UP);
    BigDecimal halving = factor.multiply(TWO);
    for (int i = 1; ; i++) {
      term = term.multiply(factor, UP).divide(BigDecimal.valueOf(i), UP);
      sum = sum.add(term, UP);
      boolean halve = BigDecimal.valueOf(i).compareTo(halving) >= 0;
      if (halve && term.compareTo(sum.multiply(NEGLIGIBLE, DOWN)) <= 0) {
        return sum.add(term, UP);
      }
    }
  }

  /** A double at or above ln(y), y > 1 and below 1e300, next to it or nearly so. */
  static double logUp(BigDecimal y) {
    double x = StrictMath.log(y.doubleValue());
    while (down(new BigDecimal(x)).compareTo(y) < 0) {
      x = Math.nextUp(x);
    }
    return x;
  }
}
