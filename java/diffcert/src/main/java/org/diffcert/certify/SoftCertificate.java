package org.diffcert.certify;

import org.diffcert.image.ByteImage;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.Bonferroni;
import org.diffcert.stats.MeanBound;
import org.diffcert.stats.NormRadii;

/**
 * What is certified of the class with the largest mean score (docs/spec/soft.md). What it states is said at {@link
 * SoftCertifier#certify}. Immutable, thread-safe.
 *
 * @param law the law of the smoothing noise
 * @param sigma its standard deviation
 * @param candidate the class chosen on the selection scores
 * @param predict the candidate, or {@link Certificate#ABSTAIN}
 * @param marginLower lower bound, over all other classes, of the mean of (1 + candidate's score - other's score) / 2
 * @param radii what is covered; nothing when it abstains
 * @param bound how means were bounded
 * @param alpha probability of error of this one certificate, all classes and norms together
 */
public record SoftCertificate(NoiseLaw law, Sigma sigma, int candidate, int predict, double marginLower,
    NormRadii radii, MeanBound bound, double alpha) {
  /** Above the rounding error of a margin in double precision. */
  private static final double MARGIN_ERROR = 0x1p-52;

  /**
   * The certificate of two sets of scores.
   *
   * @param law the law of the smoothing noise
   * @param sigma its standard deviation
   * @param elements how many values the image has
   * @param selection {@code [sample][class]} scores that choose the class: the largest sum, ties to the lowest index
   * @param estimation {@code [sample][class]} scores on other noise, of a number fixed beforehand; a sample with a
   *     score outside of [0,1] counts against every margin
   * @param bound how means are bounded, chosen before the scores were seen
   * @param alpha probability of error, above 0 and below 1/2; shared out among the other classes
   * @return the certificate; it abstains if and only if the lower bound of a margin is at most one half
   * @throws IllegalArgumentException if there is no sample, the samples' classes differ in number or are fewer than 2,
   *     or alpha is out of range
   */
  public static SoftCertificate of(NoiseLaw law, Sigma sigma, int elements, double[][] selection,
      double[][] estimation, MeanBound bound, double alpha) {
    int classes = Draws.classes(selection, estimation);
    int candidate = Draws.top(selection, 1);
    double each = Bonferroni.each(alpha, classes - 1);
    double least = 1;
    for (int other = 0; other < classes; other++) {
      if (other != candidate) {
        double[] margins = new double[estimation.length];
        for (int j = 0; j < margins.length; j++) {
          margins[j] = inRange(estimation[j]) ? margin(estimation[j][candidate], estimation[j][other]) : 0;
        }
        least = Math.min(least, bound.lower(margins, each));
      }
    }
    boolean abstains = least <= 0.5;
    NormRadii radii = abstains ? NormRadii.NOTHING : NormRadii.of(law, sigma, elements, least);
    return new SoftCertificate(law, sigma, candidate, abstains ? Certificate.ABSTAIN : candidate, least, radii, bound,
        alpha);
  }

  /** (1 + one - other) / 2, never above the real number. */
  static double margin(double one, double other) {
    return Math.max(0, (1 + (one - other)) / 2 - MARGIN_ERROR);
  }

  private static boolean inRange(double[] scores) {
    boolean inRange = true;
    for (double score : scores) {
      inRange &= score >= 0 && score <= 1;
    }
    return inRange;
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
