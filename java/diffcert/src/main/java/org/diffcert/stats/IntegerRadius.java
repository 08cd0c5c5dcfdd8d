package org.diffcert.stats;

import java.math.BigDecimal;
import java.math.RoundingMode;
import org.diffcert.image.ByteImage;

/**
 * A certificate as an integer (S24): every uint8 image whose squared pixel differences sum to at most {@code squared}
 * is covered. Checking it takes integer arithmetic alone. Immutable, thread-safe.
 *
 * @param squared the largest covered sum of squared differences in 8-bit units, or {@link #NONE} when nothing is
 *     covered
 */
public record IntegerRadius(long squared) {
  /** What an abstention covers: nothing, not even the image itself. */
  public static final long NONE = -1;

  /**
   * Checks the range.
   *
   * @param squared the largest covered sum of squared differences
   */
  public IntegerRadius {
    if (squared < NONE) {
      throw new IllegalArgumentException("an integer radius of " + squared);
    }
  }

  /**
   * The integer form of a radius: floor((255 R)^2), computed exactly.
   *
   * @param radius in [0,1] pixel units, at least 0 and at most 1e6
   * @return the integer certificate
   * @throws IllegalArgumentException if the radius is out of range
   */
  public static IntegerRadius of(double radius) {
    if (!(radius >= 0 && radius <= 1e6)) {
      throw new IllegalArgumentException("a radius of " + radius);
    }
    BigDecimal scaled = new BigDecimal(radius).multiply(BigDecimal.valueOf(255));
    return new IntegerRadius(scaled.multiply(scaled).setScale(0, RoundingMode.FLOOR).longValueExact());
  }

  /**
   * How far two images are apart, exactly.
   *
   * @param one an image
   * @param other another of the same shape
   * @return the sum of squared differences in 8-bit units
   * @throws IllegalArgumentException if the shapes differ
   */
  public static long distance(ByteImage one, ByteImage other) {
    if (!one.shape().equals(other.shape())) {
      throw new IllegalArgumentException("images of shapes " + one.shape() + " and " + other.shape());
    }
    long sum = 0;
    for (int i = one.shape().elements() - 1; i >= 0; i--) {
      int difference = one.get(i) - other.get(i);
      sum += (long) difference * difference;
    }
    return sum;
  }

  /**
   * Whether the certificate of one image extends to another.
   *
   * @param certified the image the certificate was made for
   * @param other any image of the same shape
   * @return true if the sum of squared differences is at most {@link #squared()}
   * @throws IllegalArgumentException if the shapes differ
   */
  public boolean covers(ByteImage certified, ByteImage other) {
    return distance(certified, other) <= squared;
  }
}
