package org.diffcert.certify;

import java.util.ArrayList;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.certify.CascadeCertificate.Outcome;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.Bonferroni;
import org.diffcert.stats.CascadeRadius;
import org.diffcert.stats.ClopperPearson;
import org.diffcert.stats.IntegerRadius;

/**
 * From the votes of a cascade's stages to its certificate: the split of alpha, the bounds, the walk, the radius. A pure
 * function of histograms, so verification is calling it again. docs/spec/cascade.md has the proof. Immutable,
 * thread-safe.
 */
public final class CascadeRule {
  private final Cascade cascade;
  private final List<Sigma> sigmas;
  private final CascadeRadius radii;
  private final double alpha;
  private final double share;
  private final double shareOfClass;
  /** What unanimous votes would show. */
  private final double unanimous;

  /**
   * A rule.
   *
   * @param cascade threshold and walk
   * @param sigmas the smoothing levels, ascending as everywhere else
   * @param classes number of classes, at least 2
   * @param config sample counts and error probability; alpha is shared by its family of certificates, one an image and
   *     run, and each share by all bounds of all stages
   * @throws DiffcertException of kind USAGE if the number of samples is not fixed
   */
  public CascadeRule(Cascade cascade, List<Sigma> sigmas, int classes, CertifyConfig config) {
    if (config.stop().kind() != Stopping.Kind.FIXED) {
      throw DiffcertException.usage("a cascade takes a fixed number of samples a stage; stop fixed");
    }
    this.cascade = cascade;
    this.sigmas = List.copyOf(sigmas);
    this.radii = new CascadeRadius(cascade.p0());
    this.alpha = config.alphaEach(1);
    // A lower bound at every stage, upper bounds at every stage that has a later one.
    this.share = Bonferroni.each(alpha, 2 * sigmas.size() - 1);
    this.shareOfClass = Bonferroni.each(share, classes);
    this.unanimous = ClopperPearson.lower(config.n(), config.n(), share);
  }

  /**
   * The error probability of a certificate.
   *
   * @return alpha over the size of the family
   */
  public double alpha() {
    return alpha;
  }

  /**
   * The error probability of one stage's lower bound, and of its upper bounds of all classes together.
   *
   * @return alpha over 2 K - 1, K the number of stages, rounded down
   */
  public double share() {
    return share;
  }

  /**
   * What the votes of a stage say.
   *
   * @param stage 0 for the largest sigma
   * @param selection votes that choose its candidate
   * @param estimation votes, on other noise and of a number fixed beforehand, that bound
   * @return the stage
   * @throws IllegalArgumentException if the histograms differ in classes or the second is empty
   */
  public CascadeStage stage(int stage, Histogram selection, Histogram estimation) {
    if (selection.classes() != estimation.classes()) {
      throw new IllegalArgumentException(
          "histograms of " + selection.classes() + " and " + estimation.classes() + " classes");
    }
    Sigma sigma = sigmas.get(sigmas.size() - 1 - stage);
    return CascadeStage.of(sigma, selection, estimation, radii, share, shareOfClass);
  }

  /**
   * Whether the walk goes on to the next stage. It may look at anything, for alpha is split over all stages beforehand.
   *
   * @param stages those looked at so far, the largest sigma first, at least one
   * @return false at the last stage, where no class is left that a later stage could certify, and where there is a
   *     certificate, if the walk is the first, or if no later stage can have a larger radius
   */
  public boolean goesOn(List<CascadeStage> stages) {
    if (stages.size() == sigmas.size() || !open(stages)) {
      return false;
    }
    int best = best(stages);
    return best < 0
        || cascade.walk() == Cascade.Walk.ALL && CascadeCertificate.radius(stages, best) < most(stages);
  }

  /**
   * No later stage has a larger radius: unanimous votes of the next one, under what the stages so far allow at most.
   */
  private double most(List<CascadeStage> stages) {
    double most = radii.answers(sigmas.get(sigmas.size() - 1 - stages.size()), unanimous);
    for (CascadeStage stage : stages) {
      most = Math.min(most, stage.leavesOthers());
    }
    return most;
  }

  /**
   * The certificate.
   *
   * @param stages those looked at, the largest sigma first, at least one
   * @param unseen the selection votes of the rest, in order
   * @return the certificate of the largest radius that a stage gives, of equal ones that of the first; or an abstention
   * @throws IllegalArgumentException if there are not as many stages as the cascade has
   */
  public CascadeCertificate certificate(List<CascadeStage> stages, List<Histogram> unseen) {
    if (stages.isEmpty() || stages.size() + unseen.size() != sigmas.size()) {
      throw new IllegalArgumentException(
          stages.size() + " stages looked at and " + unseen.size() + " not, of " + sigmas.size());
    }
    List<Histogram> selections = new ArrayList<>(stages.stream().map(CascadeStage::selection).toList());
    selections.addAll(unseen);
    CascadePrediction deployed = CascadePrediction.of(selections, cascade.p0());
    int best = best(stages);
    if (best < 0) {
      boolean passed = stages.size() == sigmas.size() && stages.get(stages.size() - 1).answers() < 0;
      return new CascadeCertificate(passed ? Outcome.PASSED : Outcome.UNDECIDED, stages.size() - 1, Certificate.ABSTAIN,
          0, new IntegerRadius(IntegerRadius.NONE), List.of(), stages, unseen, deployed, alpha);
    }
    int predict = stages.get(best).candidate();
    double radius = CascadeCertificate.radius(stages, best);
    return new CascadeCertificate(Outcome.CERTIFIED, best, predict, radius, IntegerRadius.of(radius),
        CascadeCertificate.earlier(stages, best, predict), stages, unseen, deployed, alpha);
  }

  /** The stage of the largest radius, the first of equal ones; -1 if none gives any. */
  private static int best(List<CascadeStage> stages) {
    int best = -1;
    double largest = CascadeRadius.NOTHING;
    for (int stage = 0; stage < stages.size(); stage++) {
      double radius = CascadeCertificate.radius(stages, stage);
      if (radius > largest) {
        largest = radius;
        best = stage;
      }
    }
    return best;
  }

  /** Whether there is a class that every stage so far is known to answer, or else to pass. */
  private static boolean open(List<CascadeStage> stages) {
    int only = -1;
    for (CascadeStage stage : stages) {
      int top = stage.estimation().top();
      boolean another = stage.leavesOthers() < 0 || stage.leavesTop() < 0 && only >= 0 && only != top;
      if (another) {
        return false;
      }
      only = stage.leavesTop() < 0 ? top : only;
    }
    return true;
  }
}
