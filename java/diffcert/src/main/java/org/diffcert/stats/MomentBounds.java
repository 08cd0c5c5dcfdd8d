package org.diffcert.stats;

import static org.diffcert.stats.Directed.DOWN;
import static org.diffcert.stats.Directed.UP;

import java.math.BigDecimal;

/** Lower bounds of a mean from the sum and the sum of squares, with every rounding downward. */
final class MomentBounds {
  private static final BigDecimal TWO = BigDecimal.valueOf(2);

  private MomentBounds() {}

  /** Hoeffding's bound. */
  static double hoeffding(double[] values, double alpha) {
    BigDecimal n = BigDecimal.valueOf(values.length);
    BigDecimal margin = logOver(BigDecimal.ONE, alpha).divide(n.multiply(TWO), UP).sqrt(UP);
    return below(sumDown(values).divide(n, DOWN), margin);
  }

  /** Maurer and Pontil's bound; 0 for a single value, which has no variance. */
  static double empiricalBernstein(double[] values, double alpha) {
    if (values.length == 1) {
      return 0;
    }
    BigDecimal n = BigDecimal.valueOf(values.length);
    BigDecimal less = BigDecimal.valueOf(values.length - 1);
    BigDecimal sum = sumDown(values);
    BigDecimal squares = BigDecimal.ZERO;
    for (double value : values) {
      squares = squares.add(new BigDecimal(value).pow(2), UP);
    }
    BigDecimal variance = squares.subtract(sum.multiply(sum, DOWN).divide(n, DOWN), UP).divide(less, UP)
        .max(BigDecimal.ZERO);
    BigDecimal log = logOver(TWO, alpha);
    BigDecimal spread = variance.multiply(log, UP).multiply(TWO, UP).divide(n, UP).sqrt(UP);
    BigDecimal rest = log.multiply(BigDecimal.valueOf(7), UP).divide(less.multiply(BigDecimal.valueOf(3)), UP);
    return below(sum.divide(n, DOWN), spread.add(rest, UP));
  }

  /** ln(numerator / alpha), from above. */
  private static BigDecimal logOver(BigDecimal numerator, double alpha) {
    return new BigDecimal(Exponential.logUp(numerator.divide(Directed.smallerReading(alpha), UP)));
  }

  private static BigDecimal sumDown(double[] values) {
    BigDecimal sum = BigDecimal.ZERO;
    for (double value : values) {
      sum = sum.add(new BigDecimal(value), DOWN);
    }
    return sum;
  }

  private static double below(BigDecimal mean, BigDecimal margin) {
    return Directed.doubleDown(mean.subtract(margin, DOWN).max(BigDecimal.ZERO));
  }
}
