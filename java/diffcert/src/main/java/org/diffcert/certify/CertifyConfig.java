package org.diffcert.certify;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import org.diffcert.DiffcertException;

/**
 * How a certificate is made, beside the votes themselves (whose seed, levels and classifier are in {@link
 * VoteSource#identity()}).
 *
 * @param n0 samples that choose the class, at least 1
 * @param n samples that bound its probability, at least 1, fixed before any is looked at
 * @param alpha probability of error of an image's whole family of certificates, above 0 and below 1/2
 * @param family the least number of certificates among which alpha is split; the number of sigmas counts if it is
 *     larger
 */
public record CertifyConfig(int n0, int n, double alpha, int family) {
  /** Most samples of one phase: sample numbers must fit the noise counter and a sum of votes an int. */
  public static final int MOST_SAMPLES = 100_000_000;

  /**
   * Checks the ranges; a bad one is a usage error.
   *
   * @param n0 samples that choose the class
   * @param n samples that bound its probability
   * @param alpha probability of error of an image's certificates together
   * @param family the least number of certificates among which alpha is split
   */
  public CertifyConfig {
    if (n0 < 1 || n0 > MOST_SAMPLES) {
      throw DiffcertException.usage("n0 is " + n0 + ", must be 1 to " + MOST_SAMPLES);
    }
    if (n < 1 || n > MOST_SAMPLES) {
      throw DiffcertException.usage("n is " + n + ", must be 1 to " + MOST_SAMPLES);
    }
    if (!(alpha > 0 && alpha < 0.5)) {
      throw DiffcertException.usage("alpha is " + alpha + ", must be above 0 and below 1/2");
    }
    if (family < 1) {
      throw DiffcertException.usage("the family has " + family + " certificates, must be at least 1");
    }
  }

  /**
   * A configuration whose family is the sigmas of the vote source.
   *
   * @param n0 samples that choose the class
   * @param n samples that bound its probability
   * @param alpha probability of error of an image's certificates together
   * @return the configuration
   */
  public static CertifyConfig of(int n0, int n, double alpha) {
    return new CertifyConfig(n0, n, alpha, 1);
  }

  /**
   * The same with a larger family, for a radius that will be picked among several runs (S21).
   *
   * @param size the number of certificates an image gets in all of them
   * @return the configuration
   */
  public CertifyConfig withFamily(int size) {
    return new CertifyConfig(n0, n, alpha, size);
  }

  /**
   * The error probability of one certificate: alpha over the size of the family, rounded down (Bonferroni).
   *
   * @param sigmas the number of smoothing levels certified together
   * @return above 0
   */
  public double alphaEach(int sigmas) {
    int members = Math.max(family, sigmas);
    if (members == 1) {
      return alpha;
    }
    double each = alpha / members;
    MathContext down = new MathContext(60, RoundingMode.DOWN);
    BigDecimal exact = new BigDecimal(alpha).min(new BigDecimal(Double.toString(alpha)))
        .divide(BigDecimal.valueOf(members), down);
    return new BigDecimal(each).compareTo(exact) > 0 ? Math.nextDown(each) : each;
  }
}
