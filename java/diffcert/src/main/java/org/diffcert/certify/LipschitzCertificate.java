package org.diffcert.certify;

import org.diffcert.stats.Bonferroni;
import org.diffcert.stats.LossLipschitz;
import org.diffcert.stats.MeanBound;

/**
 * The direct certificate of a diffusion classifier that takes the class of least expected loss, without smoothing noise
 * on the image (docs/spec/lipschitz.md). The statement: with probability at least 1 - alpha over the noises of the
 * estimation draws, in real arithmetic, the class of least expected loss is {@code predict} at every x' in [0,1]^d with
 * L2 distance to x at most {@code radius}. It is about the expectation over the noise of the levels, which no
 * computation with finitely many noises is, and it is <b>not float-sound</b>: rounding errors of the network are not
 * covered (S22). Immutable, thread-safe.
 *
 * @param candidate the class chosen on other draws
 * @param predict the candidate, or {@link Certificate#ABSTAIN}
 * @param marginLower lower bound of the least expected loss of another class less the candidate's
 * @param radius certified L2 radius in [0,1] pixel units, rounded down; 0 when it abstains
 * @param lipschitz constant of the difference of two losses, per [0,1] pixel unit
 * @param bound how means were bounded
 * @param alpha probability of error
 */
public record LipschitzCertificate(int candidate, int predict, double marginLower, double radius, double lipschitz,
    MeanBound bound, double alpha) {
  /** What every print of it has to say. */
  public static final String LABEL = "real-arithmetic, not float-sound";
  /** Losses beyond their range by more than rounding are losses of something else. */
  private static final double ROUNDING = 1e-6;

  /**
   * The certificate of two sets of draws.
   *
   * @param loss the levels and weights of the losses, of a network clamped to [-1,1]
   * @param selection {@code [draw][class]} losses that choose the class: the least sum, ties to the lowest index
   * @param estimation {@code [draw][class]} losses on other noise, of a number fixed beforehand; classes may share a
   *     draw's noise, draws may not; a draw with a loss that is not finite counts against the certificate
   * @param bound how means are bounded, chosen before the draws were seen
   * @param alpha probability of error, above 0 and below 1/2; shared out among the other classes
   * @return the certificate; it abstains if and only if the lower bound of the margin is not above 0
   * @throws IllegalArgumentException if there is no draw, a draw's classes differ in number or are fewer than 2, a loss
   *     is outside of [0, 4 sum of weights], or alpha is out of range
   */
  public static LipschitzCertificate of(LossLipschitz loss, double[][] selection, double[][] estimation,
      MeanBound bound, double alpha) {
    int classes = Draws.classes(selection, estimation);
    double most = loss.largestLoss();
    checkRange(selection, most);
    checkRange(estimation, most);
    int candidate = Draws.top(selection, -1);
    double each = Bonferroni.each(alpha, classes - 1);
    double least = 1;
    for (int other = 0; other < classes; other++) {
      if (other != candidate) {
        double[] margins = new double[estimation.length];
        for (int j = 0; j < margins.length; j++) {
          margins[j] = Draws.allFinite(estimation[j])
              ? loss.scaled(estimation[j][other] - estimation[j][candidate]) : 0;
        }
        least = Math.min(least, bound.lower(margins, each));
      }
    }
    double margin = loss.margin(least);
    boolean abstains = !(margin > 0);
    return new LipschitzCertificate(candidate, abstains ? Certificate.ABSTAIN : candidate, margin,
        abstains ? 0 : loss.radius(margin), loss.ofDifference(), bound, alpha);
  }

  private static void checkRange(double[][] draws, double most) {
    for (double[] draw : draws) {
      for (double value : draw) {
        if (value < 0 || value > most * (1 + ROUNDING) && value < Double.POSITIVE_INFINITY) {
          throw new IllegalArgumentException("a loss of " + value + " is not in [0, " + most
              + "]; the certificate is about a network clamped to [-1,1]");
        }
      }
    }
  }

  /**
   * Whether it makes no statement.
   *
   * @return true if the prediction is {@link Certificate#ABSTAIN}
   */
  public boolean abstains() {
    return predict == Certificate.ABSTAIN;
  }

  @Override
  public String toString() {
    return abstains() ? "abstains (" + LABEL + ")" : "class " + predict + ", L2 radius " + radius + " (" + LABEL + ")";
  }
}
