package org.diffcert.certify;

import org.diffcert.noise.Sigma;
import org.diffcert.stats.BinomialTest;

/**
 * What PREDICT found for one image at one sigma: with probability at least 1 - alpha it is the smoothed classifier's
 * class or an abstention.
 *
 * @param sigma the smoothing level
 * @param predict the class with the most votes, or {@link Certificate#ABSTAIN}
 * @param pValue two-sided p-value of the first against the second class, rounded up
 * @param votes the votes
 * @param alpha probability of error
 */
public record Prediction(Sigma sigma, int predict, double pValue, Histogram votes, double alpha) {
  /**
   * The prediction of a histogram.
   *
   * @param sigma the smoothing level
   * @param votes the votes; those for no class take part in neither count
   * @param alpha probability of error
   * @return the prediction; it abstains if and only if the p-value exceeds alpha
   */
  public static Prediction of(Sigma sigma, Histogram votes, double alpha) {
    int first = votes.count(votes.top());
    int second = votes.count(votes.runnerUp());
    double pValue = BinomialTest.twoSidedHalf(first, first + second);
    return new Prediction(sigma, pValue > alpha ? Certificate.ABSTAIN : votes.top(), pValue, votes, alpha);
  }
}
