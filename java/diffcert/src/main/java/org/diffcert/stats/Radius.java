package org.diffcert.stats;

import java.math.BigDecimal;
import org.diffcert.noise.Sigma;

/** The certified L2 radius of Gaussian smoothing (Cohen et al. 2019), rounded down. Thread-safe. */
public final class Radius {
  private Radius() {}

  /**
   * sigma * Phi^-1(pALower), rounded down, so that it is strictly below the real number.
   *
   * @param sigma the smoothing level
   * @param pALower a lower bound of the probability of the certified class, above 1/2 and below 1
   * @return the radius in [0,1] pixel units, at least 0
   * @throws IllegalArgumentException if pALower is out of range
   */
  public static double down(Sigma sigma, double pALower) {
    if (!(pALower > 0.5)) {
      throw new IllegalArgumentException("pALower is " + pALower + ": nothing is certified at or below one half");
    }
    BigDecimal z = new BigDecimal(NormalQuantile.down(pALower));
    return Directed.doubleDown(Directed.smallerReading(sigma.unit()).multiply(z));
  }

  /**
   * The probability at which a radius is certified: Phi(radius / sigma), rounded up, so that {@link #down} of it, or of
   * any double above it, is at least the radius.
   *
   * @param sigma the smoothing level
   * @param radius in [0,1] pixel units, at least 0
   * @return at least 1/2; 1 where it cannot be told from 1
   * @throws IllegalArgumentException if the radius is negative or not a number
   */
  public static double probability(Sigma sigma, double radius) {
    if (!(radius >= 0)) {
      throw new IllegalArgumentException("a radius of " + radius);
    }
    if (radius == 0) {
      return 0.5;
    }
    BigDecimal z = Directed.largerReading(radius).divide(Directed.smallerReading(sigma.unit()), Directed.UP);
    double ratio = Directed.doubleUp(z);
    return ratio > NormalQuantile.BEYOND ? 1 : Math.min(1, Directed.doubleUp(NormalQuantile.cumulativeUp(ratio)));
  }

  /**
   * The largest radius that any image can get: that of n votes out of n.
   *
   * @param sigma the smoothing level
   * @param n estimation samples, at least 1
   * @param alpha probability of error of one certificate, above 0 and below 1/2
   * @return the radius in [0,1] pixel units, 0 when even n of n abstains
   * @throws IllegalArgumentException if an argument is out of range
   */
  public static double largest(Sigma sigma, int n, double alpha) {
    double bound = ClopperPearson.lower(n, n, alpha);
    return bound > 0.5 ? down(sigma, bound) : 0;
  }
}
