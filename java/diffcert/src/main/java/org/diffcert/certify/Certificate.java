package org.diffcert.certify;

import org.diffcert.noise.Sigma;
import org.diffcert.stats.FixedSamples;
import org.diffcert.stats.IntegerRadius;
import org.diffcert.stats.NormRadii;
import org.diffcert.stats.Radius;
import org.diffcert.stats.StopRule;

/**
 * What CERTIFY found for one image at one sigma. What it states is said at {@link Certifier#certify}.
 *
 * @param sigma the smoothing level
 * @param candidate the class chosen on the selection votes
 * @param predict the candidate, or {@link #ABSTAIN}
 * @param pALower lower bound of the candidate's probability at level alpha
 * @param radius certified L2 radius in [0,1] pixel units, rounded down; 0 when it abstains
 * @param integerRadius the same as a sum of squared differences in 8-bit units; covers nothing when it abstains
 * @param selection votes of the selection phase
 * @param estimation votes of the estimation phase
 * @param alpha probability of error of this one certificate
 */
public record Certificate(Sigma sigma, int candidate, int predict, double pALower, double radius,
    IntegerRadius integerRadius, Histogram selection, Histogram estimation, double alpha) {
  /** The prediction that is none. */
  public static final int ABSTAIN = -1;

  /**
   * The certificate of two histograms of which the second has a size fixed beforehand. A pure function: verification is
   * calling it again.
   *
   * @param sigma the smoothing level
   * @param selection votes that choose the class; ties go to the lowest index
   * @param estimation votes, on other noise, that bound its probability; those for no class count against it
   * @param alpha probability of error, above 0 and below 1/2
   * @return the certificate; it abstains if and only if the lower bound is at most one half
   * @throws IllegalArgumentException if the histograms differ in classes, the second is empty, or alpha is out of range
   */
  public static Certificate of(Sigma sigma, Histogram selection, Histogram estimation, double alpha) {
    return of(sigma, selection, estimation, new FixedSamples(estimation.total(), alpha));
  }

  /**
   * The certificate of two histograms of which the second ended where a rule said. A pure function, too: the rule's
   * bound depends on the counts alone, not on the way to them.
   *
   * @param sigma the smoothing level
   * @param selection votes that choose the class; ties go to the lowest index
   * @param estimation votes, on other noise, that bound its probability; those for no class count against it
   * @param rule the rule it ended by
   * @return the certificate; it abstains if and only if the lower bound is at most one half
   * @throws IllegalArgumentException if the histograms differ in classes, or the rule has no bound at so many samples
   */
  public static Certificate of(Sigma sigma, Histogram selection, Histogram estimation, StopRule rule) {
    if (selection.classes() != estimation.classes()) {
      throw new IllegalArgumentException(
          "histograms of " + selection.classes() + " and " + estimation.classes() + " classes");
    }
    int candidate = selection.top();
    double alpha = rule.alpha();
    double bound = rule.lower(estimation.count(candidate), estimation.total());
    if (bound <= 0.5) {
      IntegerRadius nothing = new IntegerRadius(IntegerRadius.NONE);
      return new Certificate(sigma, candidate, ABSTAIN, bound, 0, nothing, selection, estimation, alpha);
    }
    double radius = Radius.down(sigma, bound);
    return new Certificate(
        sigma, candidate, candidate, bound, radius, IntegerRadius.of(radius), selection, estimation, alpha);
  }

  /**
   * How many estimation samples it took.
   *
   * @return at least 1
   */
  public int samples() {
    return estimation.total();
  }

  /**
   * The same certificate in every norm; no further share of alpha is spent (docs/spec/norms.md).
   *
   * @param elements how many values the image has
   * @return the radii; nothing is covered when it abstains
   */
  public NormRadii radii(int elements) {
    return NormRadii.ofL2(radius, integerRadius, elements);
  }

  /**
   * Whether it makes no statement.
   *
   * @return true if the prediction is {@link #ABSTAIN}
   */
  public boolean abstains() {
    return predict == ABSTAIN;
  }
}
