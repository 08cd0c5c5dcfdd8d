package org.diffcert.stats;

import java.math.BigDecimal;

/**
 * The largest double at which a rising function does not exceed a level, found by Newton's method and then proven, with
 * numbers of 31 digits. Where those cannot tell, the answer is NaN, and the caller asks the decimals. Whatever is
 * answered is what the decimals would have said: their values are within 1e-33 of the truth, which is far inside the
 * margins here. Thread-safe.
 */
final class WideSearch {
  /**
   * Relative, of tails and likelihoods: the tables, the powers and the series take at most 16 n + 100 operations, n at
   * most 2^20, and 2^25 {@link Wide#ERROR} is 2^-75; what the series leaves to doubles adds less than that.
   */
  private static final double MARGIN = 0x1p-70;
  /** Relative, of the normal distribution: fewer than 1000 operations, and series cut off at 2^-96. */
  private static final double NORMAL_MARGIN = 0x1p-88;
  private static final int ROUNDS = 8;
  private static final Wide ROOT_TWO_PI = Wide.of(new BigDecimal("2.5066282746310005024157652848110452530069867"));
  /** No smaller level, so that no double underflows on the way. */
  private static final BigDecimal LEAST_LEVEL = new BigDecimal("1e-200");

  private WideSearch() {}

  /**
   * A function at a point.
   *
   * @param value its value over the level
   * @param slope the derivative of its logarithm, from below up to the next double, within one part in a billion
   */
  private record Point(Wide value, double slope) {}

  @FunctionalInterface
  private interface Rising {
    /** The function at p, or null where it is not known to rise as it should. */
    Point at(double p);
  }

  /** The largest double p with P(X &gt;= k) at most the level for X binomial(n, p), k at least 1, or NaN. */
  static double tail(int k, int n, BigDecimal level) {
    if (n > WideTable.LARGEST || level.compareTo(LEAST_LEVEL) < 0) {
      return Double.NaN;
    }
    Wide coefficient = WideTable.FACTORIAL.get(n).over(WideTable.FACTORIAL.get(k))
        .over(WideTable.FACTORIAL.get(n - k)).over(Wide.of(level));
    return largest(tailGuess(k, n, coefficient.log()), MARGIN, p -> {
      // Up to the next double the tail's derivative, n C(n-1, k-1) p^(k-1) q^(n-k), must rise, or else hardly change.
      if (p >= 1) {
        return null;
      }
      boolean rises = k == n || p * (n - 1) < (k - 1) * (1 - 1e-12);
      if (!rises && n * 0x1p-50 > 1e-7 * (1 - p)) {
        return null;
      }
      Wide series = series(k, n, p);
      Wide value = new Wide(p).power(k).times(Wide.oneMinus(p).power(n - k)).times(coefficient).times(series);
      return new Point(value, k / p / series.high());
    });
  }

  /** The largest double p below k/n with p^k (1-p)^(n-k) at most the level, or NaN. */
  static double likelihood(int k, int n, Wide level, double guess) {
    return largest(guess, MARGIN, p -> {
      double next = Math.nextUp(p);
      double slope = k / next - (n - k) / (1 - next);
      if (!(slope > 1e-6 * k) || next >= 1) {
        return null;
      }
      return new Point(new Wide(p).power(k).times(Wide.oneMinus(p).power(n - k)).over(level), slope);
    });
  }

  /** The largest double z with Phi(z) at most p, or NaN; p above 1/2 and below 1. */
  static double quantile(double p, double guess) {
    double level = p - 0.5; // exact
    return largest(guess, NORMAL_MARGIN, z -> {
      // Phi(z) - 1/2 = (z + z^3/3 + z^5/15 + ...) / (sqrt(2 pi) exp(z^2/2)); its derivative over itself is one over the
      // series.
      Wide square = new Wide(z).times(z);
      Wide series = new Wide(z);
      Wide term = new Wide(z);
      for (int odd = 3; term.high() > 0x1p-97 * series.high() || odd < square.high(); odd += 2) {
        series.plus(term.times(square).over(odd));
      }
      Wide half = square.times(0.5);
      Wide exponential = new Wide(1);
      term = new Wide(1);
      for (int i = 1; term.high() > 0x1p-97 * exponential.high() || i < 2 * half.high(); i++) {
        exponential.plus(term.times(half).over(i));
      }
      double slope = 1 / series.high();
      return new Point(series.over(exponential).over(ROOT_TWO_PI).over(level), slope);
    });
  }

  private static double largest(double guess, double margin, Rising function) {
    double p = guess;
    for (int i = 0; i < ROUNDS && p > 0x1p-500; i++) {
      Point point = function.at(p);
      if (point == null) {
        return Double.NaN;
      }
      double excess = point.value.minusOne();
      double ulp = Math.ulp(p);
      double rise = (1 + excess) * ulp * point.slope;
      if (excess < -margin && excess + rise * (1 - 1e-6) > margin) {
        return p; // here it is below the level, at the next double above
      }
      p += Math.floor(-excess / rise) * ulp;
    }
    return Double.NaN;
  }

  /** Newton's method for the logarithm of the tail, in doubles, from three standard deviations below k/n. */
  private static double tailGuess(int k, int n, double logCoefficient) {
    double share = (double) k / n;
    double p = Math.max(share / 20, share - 3 * Math.sqrt(share * (1 - share + 1.0 / n) / n));
    for (int i = 0; i < ROUNDS; i++) {
      double series = 1 + rest(k, n, p / (1 - p), 1, 1e-17);
      double excess = logCoefficient + k * Math.log(p) + (n - k) * Math.log1p(-p) + Math.log(series);
      double step = excess * p * series / k;
      // A step is taken as a factor, so that p stays positive, and kept below k/n, where the tail bends.
      p = Math.min(step > 0 ? p / (1 + step / p) : p - step, share - (share - p) / 4);
      if (Math.abs(step) < 1e-9 * p) {
        break;
      }
    }
    return p;
  }

  /** P(X &gt;= k) over P(X = k): 1 + r_k + r_k r_(k+1) + ..., r_j = p (n - j) / (q (j + 1)). */
  private static Wide series(int k, int n, double p) {
    Wide odds = new Wide(p).over(Wide.oneMinus(p));
    Wide term = new Wide(1);
    Wide sum = new Wide(1);
    for (int j = k; j < n; j++) {
      double ratio = odds.high() * (n - j) / (j + 1);
      if (ratio < 1 && term.high() * ratio < 0x1p-36 * (1 - ratio) * sum.high()) {
        // So little is left that doubles will do for it: a dozen standard deviations of at most 512 are fewer than 2^13
        // terms, each within 2^-38 of itself.
        return sum.plus(new Wide(rest(j, n, odds.high(), term.high(), 0x1p-76 * sum.high())));
      }
      term.times(odds).times(n - j).over(j + 1);
      sum.plus(term);
    }
    return sum;
  }

  /** The terms after the j-th, which is given, in doubles, until no more than a negligible amount is left. */
  private static double rest(int j, int n, double odds, double term, double negligible) {
    double sum = 0;
    double next = term;
    for (int i = j; i < n; i++) {
      double ratio = odds * (n - i) / (i + 1);
      next *= ratio;
      sum += next;
      if (ratio < 1 && next * ratio < negligible * (1 - ratio)) {
        break;
      }
    }
    return sum;
  }
}
