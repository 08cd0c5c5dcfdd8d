package org.diffcert.certify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.commons.statistics.distribution.BinomialDistribution;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.LossLipschitz;
import org.diffcert.stats.MeanBound;
import org.diffcert.stats.NormRadii;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Soft certificates on a ramp of one pixel, whose means change sides at a known image; Lipschitz certificates. */
class SoftCertifierTest {
  private static final ImageShape ONE = new ImageShape(1, 1, 1);
  private static final ByteImage IMAGE = new ByteImage(ONE, new byte[] {100});
  private static final Sigma SIGMA = new Sigma(0.1);

  /** Scores that cross at a pixel value, where class 0 falls from 1 to 0; symmetric there, so the means cross, too. */
  private record Ramp(int middle, int classes, double spoilt) implements SoftClassifier {
    @Override
    public ImageShape shape() {
      return ONE;
    }

    @Override
    public Map<String, Object> identity() {
      return Map.of("middle", middle);
    }

    @Override
    public void scores(int[][] inputs, double[][] scores) {
      for (int j = 0; j < inputs.length; j++) {
        double zero = Math.max(0, Math.min(1, 0.5 - (inputs[j][0] - middle) / 80.0));
        Arrays.fill(scores[j], 0);
        scores[j][0] = inputs[j][0] % 3 == 0 ? zero + spoilt : zero;
        scores[j][1] = 1 - zero;
      }
    }

    @Override
    public void close() {}
  }

  @ParameterizedTest
  @EnumSource(NoiseLaw.class)
  void falseCertificatesAreFew(NoiseLaw law) {
    long seed = 20261124;
    int images = 400;
    double alpha = 0.05;
    int distance = 5;
    ByteImage beyond = new ByteImage(ONE, new byte[] {(byte) (100 + distance)});
    SoftClassifier ramp = new Ramp(100 + distance, 2, 0);
    for (MeanBound bound : MeanBound.values()) {
      SoftCertifier certifier = new SoftCertifier(ramp, law, SIGMA, seed, CertifyConfig.of(50, 300, alpha), bound);
      int wrong = 0;
      for (int i = 0; i < images; i++) {
        wrong += certifier.certify(IMAGE, i).covers(IMAGE, beyond) ? 1 : 0;
      }
      System.out.printf("soft, %s noise, %s, seed %d: %d false of %d%n", law, bound, seed, wrong, images);
      assertTrue(BinomialDistribution.of(images, alpha).survivalProbability(wrong - 1) > 1e-6);
    }
  }

  /** Far from the middle every bound certifies; the radii are those of the bound, in every norm. */
  @Test
  void certifiesWhatIsClear() {
    CertifyConfig config = CertifyConfig.of(50, 1000, 0.001);
    for (MeanBound bound : MeanBound.values()) {
      SoftCertificate c =
          new SoftCertifier(new Ramp(160, 3, 0), NoiseLaw.GAUSSIAN, SIGMA, 3, config, bound).certify(IMAGE, 7);
      assertEquals(0, c.predict());
      assertTrue(c.marginLower() > 0.8);
      assertEquals(NormRadii.of(NoiseLaw.GAUSSIAN, SIGMA, 1, c.marginLower()), c.radii());
      assertTrue(c.radii().l2().radius() > 0.05 && c.radii().l2().units() < 60 * 60);
      assertEquals(c, new SoftCertifier(new Ramp(160, 3, 0), NoiseLaw.GAUSSIAN, SIGMA, 3, config, bound)
          .certify(IMAGE, 7));
    }
  }

  /** A third of the samples has a score above 1: they count as the worst margin, not as left out. */
  @Test
  void samplesOutOfRangeCountAgainst() {
    CertifyConfig config = CertifyConfig.of(50, 1000, 0.001);
    for (double spoilt : new double[] {2, Double.NaN}) {
      SoftCertificate c = new SoftCertifier(new Ramp(250, 2, spoilt), NoiseLaw.GAUSSIAN, SIGMA, 3, config,
          MeanBound.HOEFFDING).certify(IMAGE, 7);
      assertEquals(2 / 3.0 - Math.sqrt(Math.log(1000) / 2000), c.marginLower(), 0.05);
    }
    double[][] none = {{Double.NaN, 0}, {0, 2}};
    SoftCertificate nothing =
        SoftCertificate.of(NoiseLaw.GAUSSIAN, SIGMA, 1, none, none, MeanBound.BETTING, 0.001);
    assertTrue(nothing.abstains());
    assertEquals(NormRadii.NOTHING, nothing.radii());
  }

  @Test
  void marginsAreNeverAboveTheRealOnes() {
    SplittableRandom random = new SplittableRandom(14);
    for (int i = 0; i < 20_000; i++) {
      double one = random.nextDouble() * Math.scalb(1.0, -random.nextInt(60));
      double other = random.nextDouble() * Math.scalb(1.0, -random.nextInt(60));
      BigDecimal truth = BigDecimal.ONE.add(new BigDecimal(one)).subtract(new BigDecimal(other))
          .divide(BigDecimal.valueOf(2));
      double margin = SoftCertificate.margin(one, other);
      assertTrue(new BigDecimal(margin).compareTo(truth) <= 0);
      assertEquals(truth.doubleValue(), margin, 5e-16);
    }
  }

  /** Losses around 0.2 for the first class and 0.9 for the others, out of at most 3. */
  private static double[][] losses(int draws, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] losses = new double[draws][4];
    for (double[] draw : losses) {
      double shared = random.nextDouble() / 10;
      for (int c = 0; c < 4; c++) {
        draw[c] = (c == 1 ? 0.2 : 0.9) + shared + random.nextDouble() / 50;
      }
    }
    return losses;
  }

  @Test
  void lipschitzCertificates() {
    LossLipschitz loss = new LossLipschitz(new double[] {1, 2}, new double[] {0.25, 0.5}, 784);
    for (MeanBound bound : MeanBound.values()) {
      LipschitzCertificate c = LipschitzCertificate.of(loss, losses(5, 1), losses(1000, 2), bound, 0.001);
      assertEquals(1, c.predict());
      assertTrue(c.marginLower() > 0.2 && c.marginLower() < 0.71, c.toString());
      assertEquals(c.marginLower() / loss.ofDifference(), c.radius(), 1e-15);
      assertTrue(c.toString().contains("real-arithmetic, not float-sound"));
    }
    double[][] spoilt = losses(1000, 2);
    for (int j = 0; j < 900; j++) {
      spoilt[j][3] = j % 2 == 0 ? Double.NaN : Double.POSITIVE_INFINITY;
    }
    LipschitzCertificate against =
        LipschitzCertificate.of(loss, losses(5, 1), spoilt, MeanBound.EMPIRICAL_BERNSTEIN, 0.001);
    assertTrue(against.abstains() && against.radius() == 0 && against.toString().contains("not float-sound"));
    for (double wrong : new double[] {-0.1, 3.1}) {
      double[][] unclamped = losses(10, 2);
      unclamped[4][2] = wrong;
      assertThrows(IllegalArgumentException.class,
          () -> LipschitzCertificate.of(loss, unclamped, losses(10, 3), MeanBound.HOEFFDING, 0.01));
    }
  }

  @Test
  void wrongUseIsRefused() {
    CertifyConfig sequential = CertifyConfig.of(10, 100, 0.001)
        .withStop(new Stopping(Stopping.Kind.SEQUENTIAL, List.of(0.1)));
    Ramp ramp = new Ramp(100, 2, 0);
    assertThrows(DiffcertException.class,
        () -> new SoftCertifier(ramp, NoiseLaw.GAUSSIAN, SIGMA, 1, sequential, MeanBound.BETTING));
    SoftCertifier certifier = new SoftCertifier(ramp, NoiseLaw.GAUSSIAN, SIGMA, 1, CertifyConfig.of(10, 100, 0.001),
        MeanBound.BETTING);
    assertThrows(IllegalArgumentException.class, () -> certifier.certify(IMAGE, -1));
    double[][] two = {{0.1, 0.2}};
    double[][] three = {{0.1, 0.2, 0.3}};
    assertThrows(IllegalArgumentException.class,
        () -> SoftCertificate.of(NoiseLaw.GAUSSIAN, SIGMA, 1, two, three, MeanBound.HOEFFDING, 0.1));
    assertThrows(IllegalArgumentException.class,
        () -> SoftCertificate.of(NoiseLaw.GAUSSIAN, SIGMA, 1, two, new double[0][], MeanBound.HOEFFDING, 0.1));
  }
}
