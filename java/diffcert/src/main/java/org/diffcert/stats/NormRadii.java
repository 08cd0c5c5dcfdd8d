package org.diffcert.stats;

import java.math.BigInteger;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.diffcert.image.ByteImage;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Sigma;

/**
 * What one lower bound of a class probability certifies in every norm (docs/spec/norms.md). The three hold together: no
 * further share of alpha is spent. Each integer is the strongest of what the law's own theorems give and of what the
 * integers of the other norms imply for integer differences of pixels. Immutable, thread-safe.
 *
 * @param l1 the certificate on the sum of absolute differences
 * @param l2 the certificate on the sum of squared differences
 * @param linf the certificate on the largest difference
 */
public record NormRadii(NormRadius l1, NormRadius l2, NormRadius linf) {
  /** What an abstention covers: nothing. */
  public static final NormRadii NOTHING = new NormRadii(nothing(Norm.L1), nothing(Norm.L2), nothing(Norm.LINF));

  /**
   * The radii of a lower bound.
   *
   * @param law the law of the smoothing noise
   * @param sigma its standard deviation
   * @param elements how many values an image has, at least 1
   * @param pALower a lower bound of the probability of the certified class, above 1/2 and below 1
   * @return the radii
   * @throws IllegalArgumentException if an argument is out of range
   */
  public static NormRadii of(NoiseLaw law, Sigma sigma, int elements, double pALower) {
    if (elements < 1) {
      throw new IllegalArgumentException("an image of " + elements + " values");
    }
    if (!(pALower > 0.5 && pALower < 1)) {
      throw new IllegalArgumentException("pALower is " + pALower + ", must be above 1/2 and below 1");
    }
    return switch (law) {
      case GAUSSIAN -> {
        double radius = Radius.down(sigma, pALower);
        yield ofL2(radius, IntegerRadius.of(radius), elements);
      }
      case UNIFORM -> closed(elements, norm -> LawRadius.uniform(norm, sigma, elements, pALower));
      case LAPLACE -> closed(elements, norm -> LawRadius.laplace(norm, sigma, elements, pALower));
    };
  }

  /**
   * The real radius in a norm of an L2 ball.
   *
   * @param norm the norm
   * @param l2 a certified L2 radius, at least 0
   * @param elements how many values an image has, at least 1
   * @return the radius of the largest ball of that norm within, rounded down
   */
  public static double fromL2(Norm norm, double l2, int elements) {
    return norm == Norm.LINF ? LawRadius.overRoot(l2, elements) : l2;
  }

  /**
   * What an L2 certificate, such as that of Gaussian noise, says in every norm.
   *
   * @param radius in [0,1] pixel units
   * @param l2 its integer form
   * @param elements how many values an image has, at least 1
   * @return the radii; {@link #NOTHING} if it covers nothing
   */
  public static NormRadii ofL2(double radius, IntegerRadius l2, int elements) {
    if (l2.squared() == IntegerRadius.NONE) {
      return NOTHING;
    }
    return closed(elements, radius, 0, radius, l2.squared(), fromL2(Norm.LINF, radius, elements), 0);
  }

  private static NormRadii closed(int elements, ToDoubleFunction<Norm> law) {
    double l1 = law.applyAsDouble(Norm.L1);
    double l2 = law.applyAsDouble(Norm.L2);
    double linf = law.applyAsDouble(Norm.LINF);
    return closed(elements, l1, Norm.L1.units(l1), l2, Norm.L2.units(l2), linf, Norm.LINF.units(linf));
  }

  /** Closes the integers under what holds for integer differences; d of them, absolute value at most 255. */
  private static NormRadii closed(int d, double l1, long sum, double l2, long squared, double linf, long largest) {
    // sum |m| <= sum m^2, (sum |m|)^2 <= d sum m^2, and a largest difference above M needs m^2 >= (M + 1)^2.
    BigInteger cauchy = BigInteger.valueOf(sum).pow(2).divide(BigInteger.valueOf(d));
    long q = Math.max(Math.max(squared, sum), Math.max(cauchy.longValueExact(), (largest + 1) * (largest + 1) - 1));
    // For a given sum |m|, sum m^2 is largest when it lies in as few pixels as can be: 255 each, and a rest.
    long s = Math.max(Math.max(sum, largest), 255 * (q / 65025) + Norm.root(q % 65025));
    long m = Math.max(largest, Math.max(s / d, Norm.root(q / d)));
    return new NormRadii(new NormRadius(Norm.L1, l1, s), new NormRadius(Norm.L2, l2, q),
        new NormRadius(Norm.LINF, linf, m));
  }

  private static NormRadius nothing(Norm norm) {
    return new NormRadius(norm, 0, IntegerRadius.NONE);
  }

  /**
   * The certificate in one norm.
   *
   * @param norm the norm
   * @return its radius
   */
  public NormRadius get(Norm norm) {
    return switch (norm) {
      case L1 -> l1;
      case L2 -> l2;
      case LINF -> linf;
    };
  }

  /**
   * Whether any of the three covers an image.
   *
   * @param certified the image the certificates were made for
   * @param other any image of the same shape
   * @return true if one of them does
   * @throws IllegalArgumentException if the shapes differ
   */
  public boolean covers(ByteImage certified, ByteImage other) {
    return List.of(l1, l2, linf).stream().anyMatch(radius -> radius.covers(certified, other));
  }
}
