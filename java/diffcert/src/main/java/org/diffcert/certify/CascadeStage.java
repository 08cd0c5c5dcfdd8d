package org.diffcert.certify;

import org.diffcert.noise.Sigma;
import org.diffcert.stats.CascadeRadius;
import org.diffcert.stats.ClopperPearson;

/**
 * A stage of a cascade that was looked at, with all that its votes say: how far it answers its candidate, and how far
 * every class is left unanswered. All of it holds at once with the stage's two shares of alpha. Immutable, thread-safe.
 *
 * @param sigma its smoothing level
 * @param selection the votes that chose its candidate
 * @param estimation the votes that bound probabilities
 * @param pALower lower bound of the candidate's probability
 * @param answers how far the stage answers its candidate, in [0,1] pixel units, or {@link CascadeRadius#NOTHING}
 * @param leavesTop how far the stage leaves the class with the most estimation votes unanswered, or NOTHING
 * @param leavesOthers the same for every other class; at least leavesTop
 */
public record CascadeStage(Sigma sigma, Histogram selection, Histogram estimation, double pALower, double answers,
    double leavesTop, double leavesOthers) {
  /**
   * What the votes of a stage say. A pure function.
   *
   * @param sigma its smoothing level
   * @param selection votes that choose the candidate; ties go to the lowest index
   * @param estimation votes, on other noise; those for no class count against every bound
   * @param radii the radii under the cascade's threshold
   * @param alpha error probability of the bound of the candidate, and of those of all classes together
   * @param alphaClass the latter for one class: alpha over the number of classes
   * @return the stage
   */
  static CascadeStage of(Sigma sigma, Histogram selection, Histogram estimation, CascadeRadius radii,
      double alpha, double alphaClass) {
    int n = estimation.total();
    double pALower = ClopperPearson.lower(estimation.count(selection.top()), n, alpha);
    return new CascadeStage(sigma, selection, estimation, pALower, radii.answers(sigma, pALower),
        radii.leaves(sigma, rest(estimation, estimation.top(), alphaClass)),
        radii.leaves(sigma, rest(estimation, estimation.runnerUp(), alphaClass)));
  }

  /**
   * The lower bound of the probability of all that is not a class, from the samples that certainly were not of it; one
   * without a vote may have been.
   */
  private static double rest(Histogram votes, int index, double alphaClass) {
    int not = votes.total() - votes.noVote() - votes.count(index);
    return ClopperPearson.lower(not, votes.total(), alphaClass);
  }

  /**
   * The class chosen on the selection votes.
   *
   * @return its index
   */
  public int candidate() {
    return selection.top();
  }

  /**
   * How far the stage either passes or answers a given class: the least over the other classes of how far they are left
   * unanswered.
   *
   * @param index the class
   * @return in [0,1] pixel units, or {@link CascadeRadius#NOTHING} if another class may be its answer
   */
  public double passesOrAnswers(int index) {
    return index == estimation.top() ? leavesOthers : leavesTop;
  }
}
