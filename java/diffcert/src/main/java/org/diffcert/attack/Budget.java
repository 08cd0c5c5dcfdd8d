package org.diffcert.attack;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;

/**
 * How far an attack may change an image, as a real number for its steps and as an integer for the image that it hands
 * in: of 8-bit images it is known exactly whether they are inside. Immutable.
 *
 * @param norm how a change is measured
 * @param text the size as it was typed, a decimal or a fraction such as 8/255, in [0,1] pixel units
 * @param size the same as a number, above 0
 * @param bound in 8-bit units: the largest change of an element, floor(255 size), or the largest sum of squares,
 *     floor((255 size)^2)
 */
public record Budget(AttackNorm norm, String text, double size, long bound) implements Comparable<Budget> {
  private static final int LONGEST = 20;
  private static final BigInteger LEVELS = BigInteger.valueOf(255);

  /**
   * A budget as it is typed.
   *
   * @param norm how a change is measured
   * @param text a decimal or a fraction of whole numbers, above 0 and at most 1000
   * @return the budget; its bound is computed without rounding
   * @throws DiffcertException of kind USAGE if the text is neither, out of range, or so small that no 8-bit image is
   *     within it
   */
  public static Budget of(AttackNorm norm, String text) {
    BigInteger numerator;
    BigInteger denominator;
    if (text.length() <= LONGEST && text.matches("[0-9]+/[0-9]+")) {
      numerator = new BigInteger(text.substring(0, text.indexOf('/')));
      denominator = new BigInteger(text.substring(text.indexOf('/') + 1));
    } else if (text.length() <= LONGEST && text.matches("[0-9]*\\.?[0-9]+")) {
      BigDecimal decimal = new BigDecimal(text);
      denominator = BigInteger.TEN.pow(decimal.scale());
      numerator = decimal.unscaledValue();
    } else {
      throw DiffcertException.usage("a budget is '" + text
          + "', write a decimal or a fraction in [0,1] pixel units, such as 0.1 or 8/255");
    }
    if (numerator.signum() == 0 || denominator.signum() == 0
        || numerator.compareTo(denominator.multiply(BigInteger.valueOf(1000))) > 0) {
      throw DiffcertException.usage("a budget is '" + text + "', must be above 0 and at most 1000");
    }
    BigInteger top = numerator.multiply(LEVELS);
    BigInteger bound = norm == AttackNorm.LINF ? top.divide(denominator) : top.multiply(top)
        .divide(denominator.multiply(denominator));
    if (bound.signum() == 0) {
      throw DiffcertException.usage("a budget is " + text
          + ", within which there is no other 8-bit image; the least is 1/255");
    }
    return new Budget(norm, text, new BigDecimal(numerator).divide(new BigDecimal(denominator),
        java.math.MathContext.DECIMAL64).doubleValue(),
        bound.longValueExact());
  }

  /**
   * The budget within which every image lies.
   *
   * @param norm how a change is measured
   * @param elements values of an image
   * @return such a budget
   */
  public static Budget unbounded(AttackNorm norm, int elements) {
    return of(norm, norm == AttackNorm.LINF ? "1" : Integer.toString((int) Math.ceil(Math.sqrt(elements))));
  }

  /**
   * How far two images are apart, exactly.
   *
   * @param one an image
   * @param other another of its shape
   * @return in the units of {@link #bound}
   */
  public long distance(ByteImage one, ByteImage other) {
    long distance = 0;
    for (int i = one.shape().elements() - 1; i >= 0; i--) {
      int d = Math.abs(one.get(i) - other.get(i));
      distance = norm == AttackNorm.LINF ? Math.max(distance, d) : distance + (long) d * d;
    }
    return distance;
  }

  /**
   * Moves a point into the ball around the clean image and into [0,1].
   *
   * @param clean the clean image, in [0,1]
   * @param point the point, changed in place
   */
  public void project(double[] clean, double[] point) {
    norm.project(clean, size, point);
    for (int i = 0; i < point.length; i++) {
      point[i] = Math.max(0, Math.min(1, point[i]));
    }
  }

  /**
   * The 8-bit image for a point: the nearest, but inside the budget. In L-infinity a change that rounding would carry
   * over the bound stops at it. In L2 elements whose change rounding made larger are cut instead of rounded, those
   * first that rounding enlarged most, until the sum of squares is within the bound; with all of them cut no change is
   * larger than the point's.
   *
   * @param clean the clean image
   * @param point the point, in [0,1]
   * @return an image with {@code distance(clean, image) <= bound}
   */
  public ByteImage round(ByteImage clean, double[] point) {
    int[] change = new int[point.length];
    for (int i = 0; i < point.length; i++) {
      long nearest = Math.max(0, Math.min(255, Math.round(255 * point[i])));
      change[i] = (int) nearest - clean.get(i);
      if (norm == AttackNorm.LINF) {
        change[i] = (int) Math.max(-bound, Math.min(bound, change[i]));
      }
    }
    if (norm == AttackNorm.L2) {
      shrink(clean, point, change);
    }
    byte[] pixels = new byte[point.length];
    for (int i = 0; i < point.length; i++) {
      pixels[i] = (byte) (clean.get(i) + change[i]);
    }
    return new ByteImage(clean.shape(), pixels);
  }

  private void shrink(ByteImage clean, double[] point, int[] change) {
    long squares = 0;
    for (int value : change) {
      squares += (long) value * value;
    }
    if (squares <= bound) {
      return;
    }
    double[] enlarged = new double[change.length];
    for (int i = 0; i < change.length; i++) {
      enlarged[i] = Math.abs(change[i]) - Math.abs(255 * point[i] - clean.get(i));
    }
    int[] order = IntStream.range(0, change.length).boxed().filter(i -> change[i] != 0)
        .sorted(Comparator.comparingDouble((Integer i) -> -enlarged[i])).mapToInt(Integer::intValue).toArray();
    // One round suffices for a point of the ball; another is for one that floating point left a little outside.
    for (int next = 0; squares > bound; next = (next + 1) % order.length) {
      int i = order[next];
      if (change[i] != 0) {
        squares -= 2L * Math.abs(change[i]) - 1;
        change[i] -= Integer.signum(change[i]);
      }
    }
  }

  @Override
  public int compareTo(Budget other) {
    return Double.compare(size, other.size);
  }

  @Override
  public String toString() {
    return norm.cliName() + " " + text;
  }
}
