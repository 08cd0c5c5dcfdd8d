package org.diffcert.certify;

import java.util.List;
import java.util.Locale;
import org.diffcert.stats.CascadeRadius;
import org.diffcert.stats.IntegerRadius;

/**
 * What was found about a cascade at one image. What it states is said at {@link CascadeCertifier#certify}. Immutable,
 * thread-safe.
 *
 * @param outcome whether there is a certificate, and if not, why
 * @param stage the stage whose answer is certified, 0 for the largest sigma; else the last that was looked at
 * @param predict the class, or {@link Certificate#ABSTAIN}
 * @param radius certified L2 radius in [0,1] pixel units, rounded down; 0 when it abstains
 * @param integerRadius the same as a sum of squared differences in 8-bit units; covers nothing when it abstains
 * @param earlier for each stage before that one, how far it passes or answers the class; empty when it abstains
 * @param stages the stages that were looked at, the largest sigma first
 * @param unseen the selection votes of the stages that were not, in order
 * @param deployed what the deployed predictor makes of the selection votes; no part of the certificate
 * @param alpha probability of error of this certificate
 */
public record CascadeCertificate(Outcome outcome, int stage, int predict, double radius, IntegerRadius integerRadius,
    List<Double> earlier, List<CascadeStage> stages, List<Histogram> unseen, CascadePrediction deployed, double alpha) {
  /** How certification ended. */
  public enum Outcome {
    /** A stage answers, and no earlier one answers otherwise. */
    CERTIFIED,
    /**
     * It cannot be told what a stage answers or whether it does, and no class is left that a later one could certify.
     */
    UNDECIDED,
    /** Every stage was looked at, and the last was not shown to answer. */
    PASSED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Copies the lists.
   *
   * @param outcome how it ended
   * @param stage the stage
   * @param predict the class
   * @param radius certified L2 radius
   * @param integerRadius the same in integers
   * @param earlier the constraints of earlier stages
   * @param stages the stages that were looked at
   * @param unseen the selection votes of the others
   * @param deployed what the deployed predictor says
   * @param alpha probability of error
   */
  public CascadeCertificate {
    earlier = List.copyOf(earlier);
    stages = List.copyOf(stages);
    unseen = List.copyOf(unseen);
  }

  /**
   * Whether it makes no statement.
   *
   * @return true unless the outcome is CERTIFIED
   */
  public boolean abstains() {
    return outcome != Outcome.CERTIFIED;
  }

  /**
   * The radius that the earlier stages leave, with the sign that the published logs give it.
   *
   * @return minus the least of the earlier stages' constraints, or -100 where there is none
   */
  public double rNeg() {
    return earlier.stream().mapToDouble(allowed -> -allowed).max().orElse(-100);
  }

  /**
   * The same as a certificate of the stage that answers, for whatever asks no more than class, radius and votes.
   *
   * @return the certificate; its sigma, votes and bound are those of {@link #stage}, its radius the cascade's
   */
  public Certificate certificate() {
    CascadeStage s = stages.get(stage);
    return new Certificate(s.sigma(), s.candidate(), predict, s.pALower(), radius, integerRadius, s.selection(),
        s.estimation(), alpha);
  }

  /** How far stages before one pass or answer a class; empty for the first. */
  static List<Double> earlier(List<CascadeStage> stages, int stage, int index) {
    return stages.subList(0, stage).stream().map(s -> s.passesOrAnswers(index)).toList();
  }

  /** The radius that a stage certifies, all earlier ones considered, or NOTHING. */
  static double radius(List<CascadeStage> stages, int stage) {
    CascadeStage s = stages.get(stage);
    double least = s.answers();
    for (double allowed : earlier(stages, stage, s.candidate())) {
      least = Math.min(least, allowed);
    }
    return least < 0 ? CascadeRadius.NOTHING : least;
  }
}
