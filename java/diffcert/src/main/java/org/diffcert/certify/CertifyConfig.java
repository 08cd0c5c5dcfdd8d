package org.diffcert.certify;

import java.util.ArrayList;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.Bonferroni;
import org.diffcert.stats.StopRule;

/**
 * How a certificate is made, beside the votes themselves (whose seed, levels and classifier are in {@link
 * VoteSource#identity()}).
 *
 * @param n0 samples that choose the class, at least 1
 * @param n samples that bound its probability, at least 1, fixed before any is looked at; their most, if the rule for
 *     stopping is another
 * @param alpha probability of error of an image's whole family of certificates, at least
 *     1e-300 and below 1/2
 * @param family the least number of certificates among which alpha is split; the number of sigmas counts if it is
 *     larger
 * @param stop when there are samples enough
 */
public record CertifyConfig(int n0, int n, double alpha, int family, Stopping stop) {
  /** Most samples of one phase: sample numbers must fit the noise counter and a sum of votes an int. */
  public static final int MOST_SAMPLES = 100_000_000;
  /** Least alpha: shared among whatever number of bounds, a share of it still is a number above 0. */
  private static final double LEAST_ALPHA = 1e-300;

  /**
   * Checks the ranges; a bad one is a usage error.
   *
   * @param n0 samples that choose the class
   * @param n samples that bound its probability
   * @param alpha probability of error of an image's certificates together
   * @param family the least number of certificates among which alpha is split
   * @param stop when there are samples enough
   */
  public CertifyConfig {
    if (n0 < 1 || n0 > MOST_SAMPLES) {
      throw DiffcertException.usage("n0 is " + n0 + ", must be 1 to " + MOST_SAMPLES);
    }
    if (n < 1 || n > MOST_SAMPLES) {
      throw DiffcertException.usage("n is " + n + ", must be 1 to " + MOST_SAMPLES);
    }
    if (!(alpha >= LEAST_ALPHA && alpha < 0.5)) {
      throw DiffcertException.usage("alpha is " + alpha + ", must be at least " + LEAST_ALPHA + " and below 1/2");
    }
    if (family < 1) {
      throw DiffcertException.usage("the family has " + family + " certificates, must be at least 1");
    }
  }

  /**
   * A configuration of n samples whose family is the sigmas of the vote source.
   *
   * @param n0 samples that choose the class
   * @param n samples that bound its probability
   * @param alpha probability of error of an image's certificates together
   * @return the configuration
   */
  public static CertifyConfig of(int n0, int n, double alpha) {
    return new CertifyConfig(n0, n, alpha, 1, Stopping.FIXED);
  }

  /**
   * The same with a larger family: alpha then is the error probability of that many certificates together. For a radius
   * that will be picked among several runs, the number of certificates an image gets in all of them (S21); for a
   * statement about all rows at once, rows times sigmas (S26).
   *
   * @param size the number of certificates
   * @return the configuration
   */
  public CertifyConfig withFamily(int size) {
    return new CertifyConfig(n0, n, alpha, size, stop);
  }

  /**
   * The same with another rule for stopping.
   *
   * @param rule when there are samples enough
   * @return the configuration
   */
  public CertifyConfig withStop(Stopping rule) {
    return new CertifyConfig(n0, n, alpha, family, rule);
  }

  /**
   * The rule for stopping at each sigma, with its share of alpha. Takes a moment for a large n.
   *
   * @param sigmas the smoothing levels certified together
   * @return one rule a sigma, in their order
   * @throws DiffcertException of kind USAGE if at one of them none of the radii can be reached, or radii, sigmas and
   *     samples are too many together
   */
  public List<StopRule> rules(List<Sigma> sigmas) {
    stop.checkSize(sigmas.size(), n);
    double each = alphaEach(sigmas.size());
    List<StopRule> rules = new ArrayList<>();
    for (Sigma sigma : sigmas) {
      rules.add(stop.rule(sigma, n, each));
    }
    return rules;
  }

  /**
   * The error probability of one certificate: alpha over the size of the family, rounded down (Bonferroni).
   *
   * @param sigmas the number of smoothing levels certified together
   * @return above 0
   */
  public double alphaEach(int sigmas) {
    return Bonferroni.each(alpha, Math.max(family, sigmas));
  }
}
