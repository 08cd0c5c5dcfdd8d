package org.diffcert.certify;

import org.diffcert.image.ByteImage;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.ClopperPearson;
import org.diffcert.stats.NormRadii;

/**
 * What CERTIFY found for one image under noise of any law, in every norm. What it states is said at {@link
 * NormCertifier#certify}. Immutable, thread-safe.
 *
 * @param law the law of the smoothing noise
 * @param sigma its standard deviation
 * @param candidate the class chosen on the selection votes
 * @param predict the candidate, or {@link Certificate#ABSTAIN}
 * @param pALower lower bound of the candidate's probability at level alpha
 * @param radii what is covered; nothing when it abstains
 * @param selection votes of the selection phase
 * @param estimation votes of the estimation phase
 * @param alpha probability of error of this one certificate, all norms together
 */
public record NormCertificate(NoiseLaw law, Sigma sigma, int candidate, int predict, double pALower, NormRadii radii,
    Histogram selection, Histogram estimation, double alpha) {
  /**
   * The certificate of two histograms. A pure function: verification is calling it again.
   *
   * @param law the law of the smoothing noise
   * @param sigma its standard deviation
   * @param elements how many values the image has
   * @param selection votes that choose the class; ties go to the lowest index
   * @param estimation votes, on other noise and of a number fixed beforehand, that bound its probability; those for no
   *     class count against it
   * @param alpha probability of error, above 0 and below 1/2
   * @return the certificate; it abstains if and only if the lower bound is at most one half
   * @throws IllegalArgumentException if the histograms differ in classes, the second is empty, or alpha is out of range
   */
  public static NormCertificate of(NoiseLaw law, Sigma sigma, int elements, Histogram selection, Histogram estimation,
      double alpha) {
    if (selection.classes() != estimation.classes()) {
      throw new IllegalArgumentException(
          "histograms of " + selection.classes() + " and " + estimation.classes() + " classes");
    }
    int candidate = selection.top();
    double bound = ClopperPearson.lower(estimation.count(candidate), estimation.total(), alpha);
    boolean abstains = bound <= 0.5;
    NormRadii radii = abstains ? NormRadii.NOTHING : NormRadii.of(law, sigma, elements, bound);
    return new NormCertificate(law, sigma, candidate, abstains ? Certificate.ABSTAIN : candidate, bound, radii,
        selection, estimation, alpha);
  }

  /**
   * Whether it makes no statement.
   *
   * @return true if the prediction is {@link Certificate#ABSTAIN}
   */
  public boolean abstains() {
    return predict == Certificate.ABSTAIN;
  }

  /**
   * Whether the certificate extends to another image, by any of its norms.
   *
   * @param certified the image the certificate was made for
   * @param other any image of the same shape
   * @return true if it does
   * @throws IllegalArgumentException if the shapes differ
   */
  public boolean covers(ByteImage certified, ByteImage other) {
    return radii.covers(certified, other);
  }
}
