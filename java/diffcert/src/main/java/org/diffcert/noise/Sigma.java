package org.diffcert.noise;

/**
 * A smoothing level: the standard deviation of the Gaussian noise, in [0,1] pixel units, which is what radii are
 * printed in. In EDM space (2x-1) the same noise has level {@code 2 * sigma}; in 8-bit units {@code 255 * sigma}.
 *
 * @param unit standard deviation in [0,1] pixel units, above 0 and at most 16
 */
public record Sigma(double unit) implements Comparable<Sigma> {
  /**
   * Checks the range.
   *
   * @param unit standard deviation in [0,1] pixel units, above 0 and at most 16
   */
  public Sigma {
    if (!(unit > 0 && unit <= 16)) {
      throw new IllegalArgumentException("sigma is " + unit
          + ", must be above 0 and at most 16 in [0,1] pixel units (0.25, not 64)");
    }
  }

  /**
   * The level in EDM space.
   *
   * @return twice the level in pixel units
   */
  public double edm() {
    return 2 * unit;
  }

  /**
   * The level in 8-bit units.
   *
   * @return 255 times the level in pixel units
   */
  public double bytes() {
    return 255 * unit;
  }

  @Override
  public int compareTo(Sigma other) {
    return Double.compare(unit, other.unit);
  }

  @Override
  public String toString() {
    return Double.toString(unit);
  }
}
