package org.diffcert.certify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.statistics.distribution.BinomialDistribution;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.ClopperPearson;
import org.diffcert.stats.IntegerRadius;
import org.diffcert.stats.Radius;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * CERTIFY and PREDICT on votes of known law: what they state must be true as often as they say, and no less sharp than
 * it can be.
 */
class CertifierTest {
  private static final ByteImage IMAGE = ToySource.image();

  /**
   * A half-space: a certificate is false when its radius exceeds the distance. How often that happens is known exactly,
   * so the count is held from both sides: above it the bound is wrong, below it is loose.
   */
  @ParameterizedTest
  @ValueSource(doubles = {0.05, 0.2, 0.4})
  void falseCertificatesOfAHalfSpaceAreAsManyAsTheyShouldBe(double distance) {
    Sigma sigma = new Sigma(0.25);
    int n = 100;
    double alpha = 0.05;
    int images = 2000;
    double truth = NormalDistribution.of(0, 1).cumulativeProbability(distance / sigma.unit());
    double expected = 0;
    for (int k = 0; k <= n; k++) {
      double bound = ClopperPearson.lower(k, n, alpha);
      if (bound > 0.5 && Radius.down(sigma, bound) > distance) {
        expected += BinomialDistribution.of(n, truth).probability(k);
      }
    }
    assertTrue(expected <= alpha);
    // n0 = 15 makes class 1 the candidate at times; a certificate for it would be false too.
    int enough = ClopperPearson.smallestCertifying(n, alpha).orElseThrow();
    double wrongClass = BinomialDistribution.of(15, 1 - truth).survivalProbability(7)
        * BinomialDistribution.of(n, 1 - truth).survivalProbability(enough - 1);
    double rightClass = BinomialDistribution.of(15, truth).survivalProbability(7);
    Certifier certifier = new Certifier(ToySource.halfSpace(20261121, distance, sigma), CertifyConfig.of(15, n, alpha));
    int wrong = 0;
    for (int i = 0; i < images; i++) {
      Certificate c = certifier.certify(IMAGE, i).get(0);
      wrong += c.predict() == 1 || c.radius() > distance ? 1 : 0;
    }
    BinomialDistribution law = BinomialDistribution.of(images, expected * rightClass + wrongClass);
    assertTrue(law.survivalProbability(wrong - 1) > 1e-6, wrong + " false certificates are too many");
    assertTrue(law.cumulativeProbability(wrong) > 1e-6, wrong + " false certificates are suspiciously few");
  }

  /** Two classes that are equally likely: whatever is certified is false. */
  @Test
  void aFairCoinIsSeldomCertified() {
    int images = 2000;
    double alpha = 0.05;
    Certifier certifier =
        new Certifier(ToySource.halfSpace(7, 0, new Sigma(1)), CertifyConfig.of(10, 100, alpha));
    int certified = 0;
    for (int i = 0; i < images; i++) {
      certified += certifier.certify(IMAGE, i).get(0).abstains() ? 0 : 1;
    }
    BinomialDistribution law = BinomialDistribution.of(images, alpha);
    assertTrue(law.survivalProbability(certified - 1) > 1e-6, certified + " certificates for a fair coin");
    assertTrue(certified > 0, "at this alpha some are expected");
  }

  @Test
  void aConstantGetsTheLargestRadius() {
    Sigma sigma = new Sigma(0.5);
    ToySource constant = new ToySource(1, 10, List.of(sigma), (s, normal) -> 7);
    Certificate c = new Certifier(constant, CertifyConfig.of(10, 1000, 0.001)).certify(IMAGE, 3).get(0);
    assertEquals(7, c.predict());
    assertEquals(Radius.largest(sigma, 1000, 0.001), c.radius());
    assertEquals(IntegerRadius.of(c.radius()), c.integerRadius());
    assertTrue(c.integerRadius().covers(IMAGE, IMAGE));
  }

  @Test
  void anAbstentionCoversNothing() {
    Certificate c = new Certifier(ToySource.halfSpace(2, 0, new Sigma(1)), CertifyConfig.of(10, 100, 1e-9))
        .certify(IMAGE, 0).get(0);
    assertTrue(c.abstains());
    assertEquals(0, c.radius());
    assertFalse(c.integerRadius().covers(IMAGE, IMAGE));
  }

  @Test
  void chunksDoNotShowInTheResult() {
    Sigma[] sigmas = {new Sigma(0.25), new Sigma(0.5)};
    CertifyConfig config = CertifyConfig.of(11, 257, 0.001);
    List<Certificate> whole = new Certifier(ToySource.halfSpace(5, 0.3, sigmas), config).certify(IMAGE, 9);
    for (int chunk : new int[] {1, 2, 3, 7, 16, 61, 1000}) {
      assertEquals(whole, new Certifier(ToySource.halfSpace(5, 0.3, sigmas), config, chunk).certify(IMAGE, 9));
    }
  }

  /** Samples that cost different numbers of calls: the sum is over those that are counted, whatever the chunk. */
  @Test
  void callsAreThoseOfTheSamplesCounted() {
    VoteSource uneven = new ToySource(5, 2, List.of(new Sigma(0.5)), (s, normal) -> 0) {
      @Override
      public long callsPerSample() {
        return 100;
      }

      @Override
      public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes, long[] calls) {
        votes(image, imageId, phase, from, to, votes);
        for (int sample = from; sample < to; sample++) {
          calls[sample - from] = sample;
        }
      }
    };
    for (int chunk : new int[] {0, 1, 7, 1000}) {
      CertifyConfig fixed = CertifyConfig.of(11, 257, 0.001);
      assertEquals(11 * 10 / 2 + 257 * 256 / 2,
          new Certifier(uneven, fixed, chunk).count(IMAGE, 9, ProgressListener.NONE, () -> false).calls());
      CertifyConfig early = fixed.withStop(new Stopping(Stopping.Kind.of("sequential"), List.of(0.25)));
      Certification stopped = new Certifier(uneven, early, chunk)
          .count(IMAGE, 9, ProgressListener.NONE, () -> false);
      int samples = stopped.certificates().get(0).samples();
      assertTrue(samples < 257, "unanimous votes need " + samples);
      assertEquals(11 * 10 / 2 + samples * (samples - 1) / 2, stopped.calls());
    }
  }

  @Test
  void phasesAreDisjointAndComplete() {
    List<String> asked = new ArrayList<>();
    VoteSource spy = new ToySource(1, 2, List.of(new Sigma(1)), (s, normal) -> 0) {
      @Override
      public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes) {
        asked.add(imageId + " " + phase + " " + from + "-" + to);
        super.votes(image, imageId, phase, from, to, votes);
      }
    };
    List<String> told = new ArrayList<>();
    new Certifier(spy, CertifyConfig.of(5, 8, 0.001), 3)
        .certify(IMAGE, 4, (phase, done, total) -> told.add(phase + " " + done + "/" + total), () -> false);
    assertEquals(List.of("4 SELECT 0-3", "4 SELECT 3-5", "4 ESTIMATE 0-3", "4 ESTIMATE 3-6", "4 ESTIMATE 6-8"), asked);
    assertEquals(List.of("SELECT 3/5", "SELECT 5/5", "ESTIMATE 3/8", "ESTIMATE 6/8", "ESTIMATE 8/8"), told);
  }

  @Test
  void samplesThatVoteForNoneCountAgainst() {
    ToySource some = new ToySource(3, 3, List.of(new Sigma(1)), (s, normal) -> normal < -1 ? VoteSource.NO_VOTE : 1);
    Certificate c = new Certifier(some, CertifyConfig.of(10, 1000, 0.001)).certify(IMAGE, 0).get(0);
    assertEquals(1000, c.estimation().total());
    assertTrue(c.estimation().noVote() > 100);
    assertEquals(ClopperPearson.lower(c.estimation().count(1), 1000, 0.001), c.pALower());
    ToySource none = new ToySource(3, 3, List.of(new Sigma(1)), (s, normal) -> VoteSource.NO_VOTE);
    assertTrue(new Certifier(none, CertifyConfig.of(10, 100, 0.001)).certify(IMAGE, 0).get(0).abstains());
  }

  @Test
  void tiesGoToTheLowestClass() {
    assertEquals(1, new Histogram(new int[] {2, 5, 5}, 0).top());
    assertEquals(2, new Histogram(new int[] {2, 5, 5}, 0).runnerUp());
    assertEquals(0, new Histogram(new int[] {0, 0}, 9).top());
    assertEquals(1, new Histogram(new int[] {0, 0}, 9).runnerUp());
    assertEquals(0, new Histogram(new int[] {4, 5, 4}, 0).runnerUp());
  }

  @Test
  void alphaIsSplitOverTheFamily() {
    CertifyConfig config = CertifyConfig.of(10, 100, 0.001);
    assertEquals(0.001, config.alphaEach(1));
    BigDecimal third = new BigDecimal(config.alphaEach(3));
    assertTrue(third.multiply(BigDecimal.valueOf(3)).compareTo(new BigDecimal("0.001")) <= 0);
    assertEquals(0.001 / 3, third.doubleValue(), 1e-18);
    assertEquals(config.withFamily(6).alphaEach(3), config.alphaEach(6));
    Sigma[] sigmas = {new Sigma(0.25), new Sigma(0.5), new Sigma(1)};
    for (Certificate c : new Certifier(ToySource.halfSpace(5, 0.3, sigmas), config).certify(IMAGE, 0)) {
      assertEquals(config.alphaEach(3), c.alpha());
    }
  }

  @Test
  void aStopIsHeardBetweenChunks() {
    int[] chunks = {0};
    Certifier certifier = new Certifier(ToySource.halfSpace(1, 1, new Sigma(1)), CertifyConfig.of(10, 100, 0.001), 5);
    DiffcertException stopped = assertThrows(DiffcertException.class,
        () -> certifier.certify(IMAGE, 0, (phase, done, total) -> chunks[0]++, () -> chunks[0] == 3));
    assertEquals(DiffcertException.Kind.INTERRUPTED, stopped.kind());
    assertEquals(3, chunks[0]);
  }

  @Test
  void wrongUseIsRefused() {
    Certifier certifier = new Certifier(ToySource.halfSpace(1, 1, new Sigma(1)), CertifyConfig.of(10, 100, 0.001));
    ByteImage other = new ByteImage(new ImageShape(1, 1, 2), new byte[2]);
    assertThrows(IllegalArgumentException.class, () -> certifier.certify(other, 0));
    assertThrows(IllegalArgumentException.class, () -> certifier.certify(IMAGE, -1));
    ToySource wild = new ToySource(1, 2, List.of(new Sigma(1)), (s, normal) -> 2);
    assertThrows(IllegalStateException.class, () -> new Certifier(wild, CertifyConfig.of(1, 1, 0.1)).certify(IMAGE, 0));
    for (double alpha : new double[] {0, 0.5, -1, Double.NaN}) {
      DiffcertException e = assertThrows(DiffcertException.class, () -> CertifyConfig.of(10, 100, alpha));
      assertEquals(DiffcertException.Kind.USAGE, e.kind());
    }
    assertThrows(DiffcertException.class, () -> CertifyConfig.of(0, 100, 0.001));
    assertThrows(DiffcertException.class, () -> CertifyConfig.of(10, 0, 0.001));
    assertThrows(DiffcertException.class, () -> CertifyConfig.of(10, 100, 0.001).withFamily(0));
    assertThrows(IllegalArgumentException.class, () -> new Histogram(new int[] {1, -1}, 0));
    assertThrows(IllegalArgumentException.class, () -> new Histogram(new int[] {Integer.MAX_VALUE, 1}, 0));
  }

  @Test
  void predictReturnsOrAbstainsByTheTest() {
    Sigma sigma = new Sigma(1);
    assertEquals(Certificate.ABSTAIN, Prediction.of(sigma, new Histogram(new int[] {34, 66}, 0), 0.001).predict());
    assertEquals(1, Prediction.of(sigma, new Histogram(new int[] {33, 67}, 0), 0.001).predict());
    assertEquals(0, Prediction.of(sigma, new Histogram(new int[] {11, 0}, 50), 0.001).predict());
    assertEquals(Certificate.ABSTAIN, Prediction.of(sigma, new Histogram(new int[] {10, 0}, 0), 0.001).predict());
    Predictor predictor = new Predictor(ToySource.halfSpace(1, 0.5, sigma, new Sigma(2)), 100, 0.01);
    List<Prediction> predictions = predictor.predict(IMAGE, 0, ProgressListener.NONE, () -> false);
    assertEquals(2, predictions.size());
    assertEquals(0.005, predictions.get(0).alpha());
    assertEquals(100, predictions.get(1).votes().total());
  }
}
