package org.diffcert.analyze;

/**
 * How a log prints its radii, learnt from their text: the unit of the last printed digit says what a printed radius can
 * stand for. Immutable, thread-safe.
 *
 * @param digits significant digits, or decimals if fixed; 0 when there is no radius above 0
 * @param fixed whether all radii have the same number of decimals rather than of digits
 */
public record PrintedRadii(int digits, boolean fixed) {
  /** More digits than this are taken as full precision: other tools' bounds are only good to some 1e-7 of a radius. */
  private static final int FULL = 7;
  private static final double FULL_UNIT = 2e-7;

  /** Radii that were recorded, not printed. */
  public static final PrintedRadii EXACT = new PrintedRadii(17, false);

  /**
   * Whether so many digits are there that rounding plays no part.
   *
   * @return true if radii can be taken as they stand
   */
  public boolean full() {
    return digits >= FULL;
  }

  /**
   * The unit of the last digit of a radius, or of the last one that can be trusted.
   *
   * @param radius above 0
   * @return in [0,1] pixel units
   */
  public double unit(double radius) {
    if (full()) {
      return FULL_UNIT * radius;
    }
    return fixed ? Math.pow(10, -digits) : Math.pow(10, Math.floor(Math.log10(radius)) + 1 - digits);
  }

  /**
   * The form in words.
   *
   * @return such as {@code 3 significant digits}
   */
  public String words() {
    return digits + (fixed ? " decimals" : " significant digits");
  }

  /** Learns the form from texts that have been read as numbers. */
  static final class Learner {
    private int digits;
    private int fewestDecimals = Integer.MAX_VALUE;
    private int mostDecimals;

    void see(String text, double radius) {
      if (radius == 0) {
        return;
      }
      int significant = 0;
      int decimals = 0;
      boolean point = false;
      for (char c : text.toCharArray()) {
        if (c == 'e' || c == 'E') {
          decimals = 0;
          break;
        }
        boolean digit = c >= '0' && c <= '9';
        significant += digit && (significant > 0 || c != '0') ? 1 : 0;
        decimals += digit && point ? 1 : 0;
        point |= c == '.';
      }
      digits = Math.max(digits, significant);
      fewestDecimals = Math.min(fewestDecimals, decimals);
      mostDecimals = Math.max(mostDecimals, decimals);
    }

    /** Radii of the same number of decimals but different numbers of digits were printed with fixed decimals. */
    PrintedRadii learnt() {
      boolean fixed = digits > 0 && fewestDecimals == mostDecimals && mostDecimals > 0 && mostDecimals < FULL;
      return new PrintedRadii(fixed ? mostDecimals : digits, fixed);
    }
  }
}
