package org.diffcert.image;

import org.diffcert.DiffcertException;
import org.diffcert.Named;

/**
 * The filters by which an image is brought to another size, with antialiasing: when it shrinks, the filter widens by
 * the same factor. These are the filters of Pillow and of PyTorch's {@code interpolate(antialias=True)}.
 */
public enum Resampling implements Named {
  /** The triangle 1 - |x| on [-1, 1]. */
  BILINEAR("bilinear", 1) {
    @Override
    double weight(double x) {
      return Math.max(0, 1 - Math.abs(x));
    }
  },
  /** The cubic convolution of Keys 1981 with a = -1/2, on [-2, 2]. */
  BICUBIC("bicubic", 2) {
    @Override
    double weight(double x) {
      double t = Math.abs(x);
      if (t < 1) {
        return (1.5 * t - 2.5) * t * t + 1;
      }
      return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
    }
  };

  private final String cliName;
  private final double support;

  Resampling(String cliName, double support) {
    this.cliName = cliName;
    this.support = support;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The filter of a name.
   *
   * @param name one of bilinear, bicubic
   * @return the filter
   * @throws DiffcertException of kind USAGE if there is none of that name
   */
  public static Resampling of(String name) {
    return Named.find(values(), name, "resampling");
  }

  /** Half the width outside of which it is 0. */
  double support() {
    return support;
  }

  /** Its value at a distance, not normalised. */
  abstract double weight(double x);
}
