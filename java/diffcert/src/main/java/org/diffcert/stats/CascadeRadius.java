package org.diffcert.stats;

import java.math.BigDecimal;
import org.diffcert.noise.Sigma;

/**
 * How far a stage of a cascade is known to keep what it does (docs/spec/cascade.md): to answer a class that is likelier
 * than the threshold p0, or not to answer one that is no likelier. Each is sigma times a difference of normal
 * quantiles, rounded down. Immutable, thread-safe.
 */
public final class CascadeRadius {
  /** Less than any radius: not even the image itself is covered. */
  public static final double NOTHING = -1;

  /** The threshold as the decimal and as the double, whichever is larger, or smaller; and quantiles of these. */
  private final double larger;
  private final BigDecimal smaller;
  private final BigDecimal quantileUp;
  private final BigDecimal quantileDown;

  /**
   * Radii under a threshold. What is said of it holds for the decimal that was typed and for the double that is stored.
   *
   * @param p0 the threshold, at least 1/2 and at most 0.999
   * @throws IllegalArgumentException if it is out of range
   */
  public CascadeRadius(double p0) {
    if (!(p0 >= 0.5 && p0 <= 0.999)) {
      throw new IllegalArgumentException("p0 is " + p0 + ", must be 0.5 to 0.999");
    }
    larger = Directed.doubleUp(Directed.largerReading(p0));
    smaller = Directed.smallerReading(p0);
    quantileUp = new BigDecimal(NormalQuantile.up(larger));
    quantileDown = new BigDecimal(NormalQuantile.down(Directed.doubleDown(smaller)));
  }

  /**
   * How far a stage goes on answering a class: sigma (Phi^-1(pLower) - Phi^-1(p0)), rounded down. Every image within it
   * gets the class with a probability above p0.
   *
   * @param sigma the stage's smoothing level
   * @param pLower a lower bound of the class's probability, at least 0 and below 1
   * @return in [0,1] pixel units, or {@link #NOTHING} if the bound is not above the threshold
   */
  public double answers(Sigma sigma, double pLower) {
    return pLower > larger ? scaled(sigma, new BigDecimal(NormalQuantile.down(pLower)).subtract(quantileUp)) : NOTHING;
  }

  /**
   * How far a stage goes on not answering a class: sigma (Phi^-1(p0) - Phi^-1(1 - restLower)), rounded down. Every
   * image within it gets the class with a probability of at most p0.
   *
   * @param sigma the stage's smoothing level
   * @param restLower a lower bound of the probability of all that is not the class, at least 0 and below 1
   * @return in [0,1] pixel units, or {@link #NOTHING} if the class may be above the threshold at the image itself
   */
  public double leaves(Sigma sigma, double restLower) {
    BigDecimal most = BigDecimal.ONE.subtract(new BigDecimal(restLower));
    if (most.compareTo(smaller) > 0) {
      return NOTHING;
    }
    // -Phi^-1(most) = Phi^-1(restLower), from below on either side of the median
    double rest = restLower >= 0.5 ? NormalQuantile.down(restLower) : -NormalQuantile.up(Directed.doubleUp(most));
    return scaled(sigma, quantileDown.add(new BigDecimal(rest)));
  }

  /** A difference that is not negative but came out so by rounding is 0. */
  private static double scaled(Sigma sigma, BigDecimal z) {
    return z.signum() <= 0 ? 0 : Directed.doubleDown(Directed.smallerReading(sigma.unit()).multiply(z));
  }
}
