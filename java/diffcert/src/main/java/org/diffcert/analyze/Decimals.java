package org.diffcert.analyze;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** How numbers are printed: radii never above their value (S23), figures for machines with 17 digits. Thread-safe. */
public final class Decimals {
  private static final MathContext SEVENTEEN = new MathContext(17, RoundingMode.HALF_EVEN);

  private Decimals() {}

  /**
   * A number of at most so many significant digits, never above the value: what may be printed of a radius (S23).
   *
   * @param value at least 0
   * @param digits significant digits, at least 1
   * @return the text, without an exponent, with a point
   */
  public static String down(double value, int digits) {
    if (value == 0) {
      return "0.0";
    }
    BigDecimal below = new BigDecimal(value).round(new MathContext(digits, RoundingMode.DOWN));
    String plain = below.stripTrailingZeros().toPlainString();
    return plain.contains(".") ? plain : plain + ".0";
  }

  /**
   * A number of so many decimals, never above the value: radii that stand below each other.
   *
   * @param value at least 0
   * @param decimals how many
   * @return the text
   */
  static String column(double value, int decimals) {
    return new BigDecimal(value).setScale(decimals, RoundingMode.DOWN).toPlainString();
  }

  /**
   * A number for a sentence: five significant digits, rounded to nearest, without zeros at the end.
   *
   * @param value a finite number
   * @return the text, without an exponent unless the number is very small or large
   */
  public static String brief(double value) {
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(5, RoundingMode.HALF_EVEN)).stripTrailingZeros();
    boolean plain = value == 0 || Math.abs(value) >= 1e-6 && Math.abs(value) < 1e9;
    return plain ? rounded.toPlainString() : rounded.toString();
  }

  /**
   * A number of 17 significant digits, which reads back to the same double; zeros at the end are left out.
   *
   * @param value a finite number
   * @return the text, without an exponent
   */
  public static String seventeen(double value) {
    return value == 0 ? "0" : new BigDecimal(value).round(SEVENTEEN).stripTrailingZeros().toPlainString();
  }
}
