package org.diffcert.stats;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.function.DoublePredicate;

/**
 * Arithmetic that errs on a known side: decimal contexts that round all the way up or down, conversions to double that
 * never cross the value, and the search for the largest double for which a decreasing statement still holds.
 */
final class Directed {
  /** Digits carried; a double has 17, so the slack of a few thousand rounded operations is far below its last bit. */
  private static final int DIGITS = 40;

  static final MathContext UP = new MathContext(DIGITS, RoundingMode.CEILING);
  static final MathContext DOWN = new MathContext(DIGITS, RoundingMode.FLOOR);

  private Directed() {}

  /** The largest double at or below the value. */
  static double doubleDown(BigDecimal value) {
    double near = value.doubleValue();
    while (new BigDecimal(near).compareTo(value) > 0) {
      near = Math.nextDown(near);
    }
    return near;
  }

  /** The smallest double at or above the value. */
  static double doubleUp(BigDecimal value) {
    double near = value.doubleValue();
    while (new BigDecimal(near).compareTo(value) < 0) {
      near = Math.nextUp(near);
    }
    return near;
  }

  /**
   * A user's decimal such as 0.001 is not a double. This is the smaller of what was typed and what is stored, so that
   * whatever is monotone in it holds for both readings.
   */
  static BigDecimal smallerReading(double value) {
    return new BigDecimal(value).min(new BigDecimal(Double.toString(value)));
  }

  /** The larger of what was typed and what is stored. */
  static BigDecimal largerReading(double value) {
    return new BigDecimal(value).max(new BigDecimal(Double.toString(value)));
  }

  /** A power of a positive number, from above. */
  static BigDecimal powerUp(BigDecimal base, int exponent) {
    return power(base, exponent, UP);
  }

  /** A power of a positive number, every step rounded in one direction. */
  static BigDecimal power(BigDecimal base, int exponent, MathContext direction) {
    BigDecimal result = BigDecimal.ONE;
    BigDecimal square = base.round(direction);
    for (int rest = exponent; rest > 0; rest >>= 1) {
      if ((rest & 1) == 1) {
        result = result.multiply(square, direction);
      }
      square = square.multiply(square, direction);
    }
    return result;
  }

  /** The natural logarithm of a positive value of any size, as near as doubles come. */
  static double log(BigDecimal value) {
    return Math.log(value.unscaledValue().doubleValue()) - value.scale() * Math.log(10);
  }

  /**
   * The largest double in [low, high] for which the statement holds, given that it holds at low and, once false, stays
   * false. The answer does not depend on the guess, which only saves evaluations.
   */
  static double largest(double low, double high, double guess, DoublePredicate holds) {
    long lo = Double.doubleToLongBits(low);
    // Non-negative doubles are ordered as their bits; just above high the statement counts as false.
    long hi = Double.doubleToLongBits(high) + 1;
    long at = Math.min(Math.max(Double.doubleToLongBits(Math.max(guess, low)), lo), hi - 1);
    if (holds.test(Double.longBitsToDouble(at))) {
      lo = at;
      for (long step = 1; lo + step < hi; step *= 2) {
        if (!holds.test(Double.longBitsToDouble(lo + step))) {
          hi = lo + step;
          break;
        }
        lo += step;
      }
    } else {
      hi = at;
      for (long step = 1; hi - step > lo; step *= 2) {
        if (holds.test(Double.longBitsToDouble(hi - step))) {
          lo = hi - step;
          break;
        }
        hi -= step;
      }
    }
    while (hi - lo > 1) {
      long middle = lo + (hi - lo) / 2;
      if (holds.test(Double.longBitsToDouble(middle))) {
        lo = middle;
      } else {
        hi = middle;
      }
    }
    return Double.longBitsToDouble(lo);
  }
}
