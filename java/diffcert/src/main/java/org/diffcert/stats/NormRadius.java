package org.diffcert.stats;

import org.diffcert.image.ByteImage;

/**
 * A certificate in one norm, as a real number and as an integer. Both are statements about uint8 images of one shape,
 * and the integer may reach further, because it uses that differences of pixels are integers. Immutable, thread-safe.
 *
 * @param norm the norm
 * @param radius every uint8 image within this distance, in [0,1] pixel units, is covered; rounded down
 * @param units every uint8 image whose {@link Norm#distance} is at most this is covered; {@link IntegerRadius#NONE}
 *     when nothing is
 */
public record NormRadius(Norm norm, double radius, long units) {
  /**
   * Checks the ranges.
   *
   * @param norm the norm
   * @param radius in [0,1] pixel units, at least 0
   * @param units the largest covered distance in 8-bit units
   */
  public NormRadius {
    if (!(radius >= 0) || units < IntegerRadius.NONE) {
      throw new IllegalArgumentException("a radius of " + radius + ", " + units + " units");
    }
  }

  /**
   * Whether the certificate of one image extends to another.
   *
   * @param certified the image the certificate was made for
   * @param other any image of the same shape
   * @return true if their distance is at most {@link #units()}
   * @throws IllegalArgumentException if the shapes differ
   */
  public boolean covers(ByteImage certified, ByteImage other) {
    return norm.distance(certified, other) <= units;
  }
}
