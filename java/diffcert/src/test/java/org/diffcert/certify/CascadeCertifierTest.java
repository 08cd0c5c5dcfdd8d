package org.diffcert.certify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.diffcert.DiffcertException;
import org.diffcert.certify.CascadeCertificate.Outcome;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.Bonferroni;
import org.diffcert.stats.ClopperPearson;
import org.junit.jupiter.api.Test;

/** The cascade's walk, its split of alpha, what it draws and what it says, on votes that are given. */
class CascadeCertifierTest {
  private static final ByteImage IMAGE = ToySource.image();
  private static final CertifyConfig CONFIG = CertifyConfig.of(100, 10_000, 0.001);
  private static final List<Sigma> TWO = List.of(new Sigma(0.5), new Sigma(1));

  private static CascadeRule rule(double p0, Cascade.Walk walk) {
    return new CascadeRule(new Cascade(p0, walk), TWO, 4, CONFIG);
  }

  private static Histogram votes(int... counts) {
    return new Histogram(counts, 0);
  }

  /** A pair of stages, the second looked at if the walk goes there. */
  private static CascadeCertificate certify(CascadeRule rule, Histogram first, Histogram second) {
    List<CascadeStage> stages = new ArrayList<>(List.of(rule.stage(0, first, first)));
    List<Histogram> unseen = List.of(second);
    if (rule.goesOn(stages)) {
      stages.add(rule.stage(1, second, second));
      unseen = List.of();
    }
    return rule.certificate(stages, unseen);
  }

  /** The published numbers: 3000 of 10,000 votes at sigma 1, 9900 at sigma 0.5. */
  @Test
  void radiusIsTheLeastOfTheStagesConstraints() {
    CascadeRule rule = rule(0.5, Cascade.Walk.FIRST);
    CascadeCertificate c = certify(rule, votes(3000, 2500, 2300, 2200), votes(9900, 50, 30, 20));
    assertEquals(Outcome.CERTIFIED, c.outcome());
    assertEquals(1, c.stage());
    assertEquals(0, c.predict());
    double upper = ClopperPearson.upper(2500, 10_000, Bonferroni.each(Bonferroni.each(0.001, 3), 4));
    assertEquals(0.26659, upper, 1e-5);
    assertEquals(c.earlier().get(0), c.radius(), "the first stage's constraint binds");
    assertEquals(-NormalDistribution.of(0, 1).inverseCumulativeProbability(upper), c.radius(), 1e-12);
    assertEquals(-c.radius(), c.rNeg());
    assertEquals(1.10, c.stages().get(1).answers(), 5e-3);
  }

  @Test
  void alphaIsSplitBeforehand() {
    CascadeRule rule = new CascadeRule(Cascade.DEFAULT, TWO, 4, CONFIG.withFamily(5));
    assertEquals(Bonferroni.each(0.001, 5), rule.alpha());
    assertEquals(Bonferroni.each(rule.alpha(), 3), rule.share());
    CascadeStage stage = rule.stage(0, votes(100, 0, 0, 0), votes(6000, 4000, 0, 0));
    assertEquals(ClopperPearson.lower(6000, 10_000, rule.share()), stage.pALower());
  }

  /** An undecided first stage bars every class but its top one, which may still be certified later. */
  @Test
  void anUndecidedStageIsNoEndForItsOwnClass() {
    CascadeRule rule = rule(0.5, Cascade.Walk.FIRST);
    Histogram undecided = votes(5000, 2000, 2000, 1000);
    CascadeCertificate same = certify(rule, undecided, votes(9900, 50, 30, 20));
    assertEquals(Outcome.CERTIFIED, same.outcome());
    assertEquals(0, same.predict());
    CascadeCertificate other = certify(rule, undecided, votes(50, 9900, 30, 20));
    assertEquals(Outcome.UNDECIDED, other.outcome());
    assertTrue(other.abstains() && other.radius() == 0 && other.integerRadius().squared() == -1);
    CascadeCertificate two = certify(rule, votes(5000, 5000, 0, 0), votes(9900, 50, 30, 20));
    assertEquals(Outcome.UNDECIDED, two.outcome());
    assertEquals(1, two.stages().size(), "no class was left");
    CascadeCertificate none = certify(rule, votes(2500, 2500, 2500, 2500), votes(4000, 3000, 2000, 1000));
    assertEquals(Outcome.PASSED, none.outcome());
    assertEquals(Certificate.ABSTAIN, none.predict());
  }

  /** Barely answered by the first stage, far by the second: walking on gives the second's radius. */
  @Test
  void walkingOnTakesTheLargestRadius() {
    Histogram barely = votes(5400, 1600, 1500, 1500);
    Histogram surely = votes(9990, 5, 5, 0);
    CascadeCertificate first = certify(rule(0.5, Cascade.Walk.FIRST), barely, surely);
    CascadeCertificate all = certify(rule(0.5, Cascade.Walk.ALL), barely, surely);
    assertEquals(0, first.stage());
    assertEquals(List.of(surely), first.unseen());
    assertEquals(-100, first.rNeg());
    assertEquals(1, all.stage());
    assertTrue(all.radius() > 5 * first.radius(), all.radius() + " and " + first.radius());
  }

  /** Unanimous votes at sigma 0.5 reach 1.5: an image that sigma 1 certifies beyond that needs no more of them. */
  @Test
  void walkingOnEndsWhereItCannotPay() {
    CascadeRule all = rule(0.5, Cascade.Walk.ALL);
    Histogram unanimous = votes(10_000, 0, 0, 0);
    double most = all.stage(1, unanimous, unanimous).answers();
    for (int count = 5200; count <= 10_000; count += 100) {
      Histogram first = votes(count, 10_000 - count, 0, 0);
      CascadeStage stage = all.stage(0, first, first);
      double reach = Math.min(most, stage.leavesOthers());
      boolean more = stage.answers() < reach;
      assertEquals(more, all.goesOn(List.of(stage)), count + " votes");
      double left = CascadeCertificate.radius(List.of(stage, all.stage(1, unanimous, unanimous)), 1);
      assertEquals(more, left > stage.answers(), count + " votes");
    }
  }

  /** A sample without a vote counts against every bound: against answering, and against being left unanswered. */
  @Test
  void samplesThatVoteForNoneCountAgainst() {
    CascadeRule rule = rule(0.5, Cascade.Walk.FIRST);
    CascadeStage without = rule.stage(0, votes(1, 0, 0, 0), votes(3000, 2500, 2500, 2000));
    CascadeStage with = rule.stage(0, votes(1, 0, 0, 0), new Histogram(new int[] {2500, 2000, 2000, 1500}, 2000));
    CascadeStage moved = rule.stage(0, votes(1, 0, 0, 0), votes(4500, 2000, 2000, 1500));
    assertTrue(with.pALower() < without.pALower());
    assertEquals(moved.leavesTop(), with.leavesTop(), "as if all of them were the class's");
  }

  /** Votes are keyed, drawn once while the same image is asked, and those of a stage are those of plain smoothing. */
  @Test
  void samplesOfAStageAreShared() {
    List<String> asked = new ArrayList<>();
    CascadeVotes votes = new CascadeVotes(List.of(spy(0.25, asked), spy(0.5, asked)));
    CertifyConfig config = CertifyConfig.of(10, 600, 0.001);
    CascadeCertifier certifier = new CascadeCertifier(votes, new Cascade(0.5, Cascade.Walk.ALL), config);
    CascadeCertificate whole = certifier.certify(IMAGE, 3);
    assertTrue(asked.get(0).equals("0.5 SELECT 0") && asked.contains("0.25 ESTIMATE 0"), asked.toString());
    int before = asked.size();
    CascadeRule strict = new CascadeRule(new Cascade(0.9, Cascade.Walk.ALL), votes.sigmas(), 3, config);
    CascadeCertifier.Found again = certifier.certify(strict, IMAGE, 3, ProgressListener.NONE, () -> false);
    assertEquals(before, asked.size(), "nothing is drawn twice");
    assertEquals(2 * 610, again.calls(), "though its cost is said");
    assertEquals(whole.stages().get(1).estimation(), again.certificate().stages().get(1).estimation());
    List<Certificate> plain = new Certifier(votes, config).certify(IMAGE, 3);
    assertEquals(plain.get(0).estimation(), whole.stages().get(1).estimation());
    assertEquals(plain.get(1).selection(), whole.stages().get(0).selection());
    int drawn = asked.size();
    certifier.certify(IMAGE, 4);
    assertTrue(asked.size() > drawn, "another image has noise of its own");
  }

  private static ToySource spy(double sigma, List<String> asked) {
    return new ToySource(1, 3, List.of(new Sigma(sigma)),
        (s, normal) -> s.unit() * normal < 0.1 ? 0 : s.unit() * normal < 0.4 ? 1 : 2) {
      @Override
      public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes) {
        asked.add(sigma + " " + phase + " " + from);
        super.votes(image, imageId, phase, from, to, votes);
      }
    };
  }

  @Test
  void theDeployedPredictorIsAnother() {
    List<Histogram> votes = List.of(votes(50, 40, 10), votes(20, 51, 29));
    assertEquals(new CascadePrediction(1, 1), CascadePrediction.of(votes, 0.5), "half is not more than half");
    assertEquals(new CascadePrediction(2, 1), CascadePrediction.of(votes, 0.6), "all pass: the last one's top class");
    assertEquals(new CascadePrediction(0, 0), CascadePrediction.of(List.of(votes(60, 40), votes(0, 100)), 0.5));
  }

  @Test
  void aStopIsHeardAndProgressCountsAllStages() {
    CascadeVotes votes = new CascadeVotes(List.of(spy(0.25, new ArrayList<>()), spy(0.5, new ArrayList<>())));
    CascadeCertifier certifier =
        new CascadeCertifier(votes, new Cascade(0.5, Cascade.Walk.ALL), CertifyConfig.of(10, 600, 0.001));
    List<String> told = new ArrayList<>();
    certifier.certify(IMAGE, 0, (phase, done, total) -> told.add(phase + " " + done + "/" + total), () -> false);
    assertTrue(told.contains("SELECT 10/20") && told.contains("SELECT 20/20"), told.toString());
    assertEquals("ESTIMATE 1200/1200", told.get(told.size() - 1));
    DiffcertException e = assertThrows(DiffcertException.class,
        () -> certifier.certify(IMAGE, 1, ProgressListener.NONE, () -> true));
    assertEquals(DiffcertException.Kind.INTERRUPTED, e.kind());
  }

  /** A share of the least alpha, however small, still gives bounds; less is refused. */
  @Test
  void theLeastAlphaIsSharedByTheLargestFamily() {
    CertifyConfig least = new CertifyConfig(10, 100, 1e-300, Integer.MAX_VALUE, Stopping.FIXED);
    CascadeRule rule = new CascadeRule(Cascade.DEFAULT, TWO, 4, least);
    assertTrue(rule.share() > 0, "no share is left");
    CascadeStage stage = rule.stage(0, votes(10, 0, 0, 0), votes(100, 0, 0, 0));
    assertTrue(stage.pALower() > 0 && stage.pALower() < 0.01, "pALower is " + stage.pALower());
    for (Stopping.Kind kind : List.of(Stopping.Kind.SEQUENTIAL, Stopping.Kind.STAGED)) {
      CertifyConfig early = new CertifyConfig(10, 5000, 1e-300, Integer.MAX_VALUE, new Stopping(kind, List.of(0.1)));
      assertTrue(early.rules(TWO).get(0).lower(5000, 5000) > 0.5, kind + " knows nothing of unanimous votes");
    }
    DiffcertException less = assertThrows(DiffcertException.class, () -> CertifyConfig.of(10, 100, 1e-323));
    assertTrue(less.getMessage().endsWith("must be at least 1.0E-300 and below 1/2"), less.getMessage());
  }

  @Test
  void wrongUseIsRefused() {
    for (double p0 : new double[] {0.4999, 1, Double.NaN}) {
      assertEquals(DiffcertException.Kind.USAGE,
          assertThrows(DiffcertException.class, () -> new Cascade(p0, Cascade.Walk.FIRST)).kind());
    }
    assertThrows(DiffcertException.class, () -> Cascade.Walk.of("some"));
    CertifyConfig early = CONFIG.withStop(new Stopping(Stopping.Kind.SEQUENTIAL, List.of(0.25)));
    assertThrows(DiffcertException.class, () -> new CascadeRule(Cascade.DEFAULT, TWO, 2, early));
    ToySource one = ToySource.halfSpace(1, 0, new Sigma(1));
    assertThrows(IllegalArgumentException.class, () -> new CascadeVotes(List.of()));
    assertThrows(IllegalArgumentException.class, () -> new CascadeVotes(List.of(one, one)));
    assertThrows(IllegalArgumentException.class,
        () -> new CascadeVotes(List.of(ToySource.halfSpace(1, 0, new Sigma(1), new Sigma(2)))));
    NoisyVotes uniform = new NoisyVotes(new Pixels(2, new ImageShape(1, 1, 1), v -> 0), NoiseLaw.UNIFORM,
        List.of(new Sigma(1)), 1);
    assertThrows(IllegalArgumentException.class, () -> new CascadeVotes(List.of(uniform)));
    CascadeCertifier certifier = new CascadeCertifier(new CascadeVotes(List.of(one)), Cascade.DEFAULT, CONFIG);
    assertThrows(IllegalArgumentException.class, () -> certifier.certify(IMAGE, -1));
    assertThrows(IllegalArgumentException.class,
        () -> rule(0.5, Cascade.Walk.FIRST).stage(0, votes(1, 0), votes(1, 0, 0)));
    assertThrows(IllegalArgumentException.class,
        () -> rule(0.5, Cascade.Walk.FIRST).certificate(List.of(), List.of(votes(1, 0, 0, 0))));
  }
}
