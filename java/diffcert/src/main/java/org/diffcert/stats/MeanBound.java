package org.diffcert.stats;

import java.math.BigDecimal;
import org.diffcert.DiffcertException;
import org.diffcert.Named;

/**
 * One-sided confidence bounds for the mean of independent draws of one law on [0,1], as soft certificates need them
 * (S22). Which one is used has to be said before the values are seen: the best of several is not a bound. All are
 * rounded to the safe side. docs/spec/soft.md has the formulas and compares them. Thread-safe.
 */
public enum MeanBound implements Named {
  /** Hoeffding (1963): the mean less sqrt(ln(1/alpha) / (2 n)). */
  HOEFFDING("hoeffding") {
    @Override
    double lowerChecked(double[] values, double alpha) {
      return MomentBounds.hoeffding(values, alpha);
    }
  },
  /** Maurer and Pontil (2009), Theorem 4: the mean less sqrt(2 V ln(2/alpha) / n) + 7 ln(2/alpha) / (3 (n - 1)). */
  EMPIRICAL_BERNSTEIN("bernstein") {
    @Override
    double lowerChecked(double[] values, double alpha) {
      return MomentBounds.empiricalBernstein(values, alpha);
    }
  },
  /**
   * Betting (Waudby-Smith and Ramdas 2023): the least mean against which a predictable gambler has not won 1/alpha. It
   * reads the values in their order, which must be one that does not depend on them.
   */
  BETTING("betting") {
    @Override
    double lowerChecked(double[] values, double alpha) {
      return HedgedCapital.lower(values, alpha);
    }
  };

  private final String cliName;

  MeanBound(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  abstract double lowerChecked(double[] values, double alpha);

  /**
   * The bound of a name.
   *
   * @param name hoeffding, bernstein or betting
   * @return the bound
   * @throws DiffcertException of kind USAGE if there is none of that name
   */
  public static MeanBound of(String name) {
    return Named.find(values(), name, "bound for means");
  }

  /**
   * The lower bound: at or below the true mean with probability at least 1 - alpha.
   *
   * @param values the draws, each in [0,1], of a number fixed beforehand, at least 1
   * @param alpha probability of error, above 0 and below 1/2; taken as the decimal or as the double, whichever is
   *     smaller
   * @return the bound, at least 0 and below 1
   * @throws IllegalArgumentException if there are no values, one is not in [0,1], or alpha is out of range
   */
  public double lower(double[] values, double alpha) {
    check(values, alpha);
    return lowerChecked(values, alpha);
  }

  /**
   * The upper bound: 1 less the lower bound of what is missing to 1.
   *
   * @param values the draws, each in [0,1], of a number fixed beforehand, at least 1
   * @param alpha probability of error, above 0 and below 1/2
   * @return the bound, above 0 and at most 1
   * @throws IllegalArgumentException if there are no values, one is not in [0,1], or alpha is out of range
   */
  public double upper(double[] values, double alpha) {
    check(values, alpha);
    double[] missing = new double[values.length];
    for (int i = 0; i < missing.length; i++) {
      missing[i] = Directed.doubleDown(BigDecimal.ONE.subtract(new BigDecimal(values[i])));
    }
    return Directed.doubleUp(BigDecimal.ONE.subtract(new BigDecimal(lowerChecked(missing, alpha))));
  }

  private static void check(double[] values, double alpha) {
    if (values.length < 1) {
      throw new IllegalArgumentException("a bound for the mean of no values");
    }
    if (!(alpha >= 1e-300 && alpha < 0.5)) {
      throw new IllegalArgumentException("alpha is " + alpha + ", must be at least 1e-300 and below 1/2");
    }
    for (double value : values) {
      if (!(value >= 0 && value <= 1)) {
        throw new IllegalArgumentException("the value " + value + " is not in [0,1]");
      }
    }
  }
}
