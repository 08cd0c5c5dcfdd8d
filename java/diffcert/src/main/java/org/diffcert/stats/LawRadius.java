package org.diffcert.stats;

import static org.diffcert.stats.Directed.DOWN;
import static org.diffcert.stats.Directed.UP;

import java.math.BigDecimal;
import java.util.function.DoublePredicate;
import org.diffcert.noise.Sigma;

/**
 * Radii of uniform and Laplace noise, one for each norm: the largest double at which an inequality, evaluated with
 * every rounding against it, still holds strictly. docs/spec/norms.md derives the inequalities; p is a lower bound
 * of the probability of the certified class, above 1/2 and below 1, s is sigma in [0,1] pixel units, d the number of
 * values.
 */
final class LawRadius {
  /** ln 2, its last digit raised. */
  private static final BigDecimal LN2_ABOVE = new BigDecimal("0.69314718055994530941723212145817656807550013436026");
  private static final BigDecimal HALF = new BigDecimal("0.5");
  private static final BigDecimal TWO = BigDecimal.valueOf(2);

  private LawRadius() {}

  /** A radius over the square root of d, rounded down: the largest double r with d r^2 <= radius^2, exactly. */
  static double overRoot(double radius, int elements) {
    BigDecimal d = BigDecimal.valueOf(elements);
    BigDecimal square = new BigDecimal(radius).pow(2);
    return largest(radius, radius / Math.sqrt(elements),
        r -> new BigDecimal(r).pow(2).multiply(d).compareTo(square) <= 0);
  }

  /** L1: r < sqrt(12) s (p - 1/2). LINF: (1 - r / (sqrt(12) s))^d > 3/2 - p. L2: LINF's times the root of d. */
  static double uniform(Norm norm, Sigma sigma, int elements, double p) {
    BigDecimal width = Directed.smallerReading(sigma.unit()).pow(2).multiply(BigDecimal.valueOf(12));
    BigDecimal excess = new BigDecimal(p).subtract(HALF);
    double wide = Math.sqrt(12) * sigma.unit();
    if (norm == Norm.L1) {
      BigDecimal square = width.multiply(excess.pow(2));
      return largest(wide, wide * (p - 0.5), r -> new BigDecimal(r).pow(2).compareTo(square) < 0);
    }
    BigDecimal spread = norm == Norm.L2 ? width.multiply(BigDecimal.valueOf(elements)) : width;
    BigDecimal root = spread.sqrt(DOWN);
    BigDecimal needed = BigDecimal.ONE.subtract(excess);
    double high = root.doubleValue();
    double guess = -high * Math.expm1(Math.log1p(0.5 - p) / elements);
    return largest(high, guess, r -> {
      BigDecimal stays = BigDecimal.ONE.subtract(new BigDecimal(r).divide(root, UP), DOWN);
      return stays.signum() > 0 && Directed.power(stays, elements, DOWN).compareTo(needed) > 0;
    });
  }

  /**
   * L1: exp(sqrt(2) r / s) 2 (1 - p) < 1. L2: exp((sqrt(ln 2) + r / s)^2) (1 - p) < 1, or what L1 implies. LINF: what
   * either implies.
   */
  static double laplace(Norm norm, Sigma sigma, int elements, double p) {
    BigDecimal s = Directed.smallerReading(sigma.unit());
    BigDecimal rest = BigDecimal.ONE.subtract(new BigDecimal(p));
    double high = 30 * sigma.unit(); // ln(1 / (1 - p)) is below 37 for every double p below 1
    BigDecimal rootTwo = TWO.sqrt(UP);
    double l1 = largest(high, -sigma.unit() / Math.sqrt(2) * Math.log(2 * (1 - p)), r -> {
      BigDecimal exponent = rootTwo.multiply(new BigDecimal(r), UP).divide(s, UP);
      return Exponential.up(exponent).multiply(rest, UP).multiply(TWO, UP).compareTo(BigDecimal.ONE) < 0;
    });
    if (norm == Norm.L1) {
      return l1;
    }
    BigDecimal rootLn2 = LN2_ABOVE.sqrt(UP);
    double moments = largest(high, sigma.unit() * (Math.sqrt(-Math.log(1 - p)) - Math.sqrt(Math.log(2))), r -> {
      BigDecimal exponent = rootLn2.add(new BigDecimal(r).divide(s, UP), UP).pow(2);
      return Exponential.up(exponent).multiply(rest, UP).compareTo(BigDecimal.ONE) < 0;
    });
    if (norm == Norm.L2) {
      return Math.max(moments, overRoot(l1, elements));
    }
    double share = Directed.doubleDown(new BigDecimal(l1).divide(BigDecimal.valueOf(elements), DOWN));
    return Math.max(overRoot(moments, elements), share);
  }

  /** The largest double of [0, high] that passes; 0 passes, for at no distance p is above 1/2 as it is. */
  private static double largest(double high, double guess, DoublePredicate holds) {
    return Directed.largest(0, high, Math.max(0, guess), r -> r == 0 || holds.test(r));
  }
}
