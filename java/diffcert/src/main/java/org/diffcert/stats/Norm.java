package org.diffcert.stats;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import org.diffcert.DiffcertException;
import org.diffcert.Named;
import org.diffcert.image.ByteImage;

/**
 * The norms that certificates are stated in, and how far two uint8 images are apart in each, as an integer: L1 the sum
 * of absolute differences, L2 the sum of squared differences, LINF the largest difference, all in 8-bit units.
 */
public enum Norm implements Named {
  /** The sum of absolute differences. */
  L1("l1"),
  /** The Euclidean norm, whose integer form is the sum of squared differences. */
  L2("l2"),
  /** The largest absolute difference. */
  LINF("linf");

  private final String cliName;

  Norm(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The norm of a name.
   *
   * @param name l1, l2 or linf
   * @return the norm
   * @throws DiffcertException of kind USAGE if there is none of that name
   */
  public static Norm of(String name) {
    return Named.find(values(), name, "norm");
  }

  /**
   * How far two images are apart, exactly.
   *
   * @param one an image
   * @param other another of the same shape
   * @return the sum of absolute differences, the sum of squared differences, or the largest difference
   * @throws IllegalArgumentException if the shapes differ
   */
  public long distance(ByteImage one, ByteImage other) {
    if (!one.shape().equals(other.shape())) {
      throw new IllegalArgumentException("images of shapes " + one.shape() + " and " + other.shape());
    }
    long distance = 0;
    for (int i = one.shape().elements() - 1; i >= 0; i--) {
      long difference = Math.abs(one.get(i) - other.get(i));
      distance = switch (this) {
        case L1 -> distance + difference;
        case L2 -> distance + difference * difference;
        case LINF -> Math.max(distance, difference);
      };
    }
    return distance;
  }

  /**
   * The largest integer distance that lies within a radius, exactly.
   *
   * @param radius in [0,1] pixel units, 0 to 1e6
   * @return floor(255 radius), or for L2 floor((255 radius)^2)
   * @throws IllegalArgumentException if the radius is out of range
   */
  long units(double radius) {
    if (this == L2) {
      return IntegerRadius.of(radius).squared();
    }
    if (!(radius >= 0 && radius <= 1e6)) {
      throw new IllegalArgumentException("a radius of " + radius);
    }
    return new BigDecimal(radius).multiply(BigDecimal.valueOf(255)).setScale(0, RoundingMode.FLOOR).longValueExact();
  }

  /** floor(sqrt(value)). */
  static long root(long value) {
    return BigInteger.valueOf(value).sqrt().longValueExact();
  }
}
