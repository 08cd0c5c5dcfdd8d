package org.diffcert.certify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.commons.statistics.distribution.BinomialDistribution;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.ClopperPearson;
import org.diffcert.stats.Norm;
import org.diffcert.stats.NormRadii;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The whole way under every law, on a threshold of one pixel, whose smoothed classifier is known exactly. */
class NormCertifierTest {
  private static final ImageShape ONE = new ImageShape(1, 1, 1);
  private static final ByteImage IMAGE = new ByteImage(ONE, new byte[] {100});
  private static final Sigma SIGMA = new Sigma(0.1);

  /** The probability of class 0 at the image: that the real noise stays below the distance and a half. */
  private static double truth(NoiseLaw law, int distance) {
    double y = (distance - 0.5) / SIGMA.bytes();
    return switch (law) {
      case GAUSSIAN -> NormalDistribution.of(0, 1).cumulativeProbability(y);
      case UNIFORM -> Math.min(1, 0.5 + y / Math.sqrt(12));
      case LAPLACE -> 1 - 0.5 * Math.exp(-y * Math.sqrt(2));
    };
  }

  @ParameterizedTest
  @EnumSource(NoiseLaw.class)
  void falseCertificatesAreAsManyAsTheyShouldBe(NoiseLaw law) {
    int distance = 25; // the image at this distance has the other class
    int n = 100;
    double alpha = 0.05;
    double truth = truth(law, distance);
    double expected = 0;
    for (int k = 51; k <= n; k++) {
      double bound = ClopperPearson.lower(k, n, alpha);
      if (bound > 0.5 && NormRadii.of(law, SIGMA, 1, bound).l1().units() >= distance) {
        expected += BinomialDistribution.of(n, truth).probability(k);
      }
    }
    assertTrue(expected > alpha / 20 && expected <= alpha, law + ": the case says something: " + expected);
    int images = 1500;
    int wrong = 0;
    long seed = 20261122;
    try (NoisyVotes votes = new NoisyVotes(new Below(ONE, 100 + distance - 1), law, List.of(SIGMA), seed)) {
      NormCertifier certifier = new NormCertifier(votes, CertifyConfig.of(101, n, alpha));
      ByteImage beyond = new ByteImage(ONE, new byte[] {(byte) (100 + distance)});
      for (int i = 0; i < images; i++) {
        wrong += certifier.certify(IMAGE, i).get(0).covers(IMAGE, beyond) ? 1 : 0;
      }
    }
    System.out.printf("%s noise, seed %d: %d false of %d, expected %.1f%n", law, seed, wrong, images,
        expected * images);
    BinomialDistribution count = BinomialDistribution.of(images, expected);
    assertTrue(count.survivalProbability(wrong - 1) > 1e-6, wrong + " false certificates are too many");
    assertTrue(count.cumulativeProbability(wrong) > 1e-6, wrong + " false certificates are suspiciously few");
  }

  /** Under Gaussian noise it says what Certifier says. */
  @Test
  void gaussianAgreesWithCertifier() {
    NoisyVotes votes = new NoisyVotes(new Below(ONE, 130), List.of(new Sigma(0.05), SIGMA), 5);
    CertifyConfig config = CertifyConfig.of(20, 200, 0.01);
    List<Certificate> l2 = new Certifier(votes, config).certify(IMAGE, 3);
    List<NormCertificate> all = new NormCertifier(votes, config).certify(IMAGE, 3);
    for (int s = 0; s < 2; s++) {
      assertEquals(l2.get(s).predict(), all.get(s).predict());
      assertEquals(l2.get(s).radius(), all.get(s).radii().get(Norm.L2).radius());
      assertEquals(l2.get(s).integerRadius().squared(), all.get(s).radii().get(Norm.L2).units());
      assertEquals(l2.get(s).radii(1), all.get(s).radii());
      assertEquals(l2.get(s).alpha(), all.get(s).alpha());
    }
  }

  @Test
  void anAbstentionCoversNothing() {
    NoisyVotes votes = new NoisyVotes(new Below(ONE, 100), NoiseLaw.LAPLACE, List.of(new Sigma(1)), 5);
    NormCertificate c = new NormCertifier(votes, CertifyConfig.of(10, 50, 1e-9)).certify(IMAGE, 0).get(0);
    assertTrue(c.abstains());
    assertFalse(c.covers(IMAGE, IMAGE));
  }

  @Test
  void theGaussianCertifierRefusesOtherLaws() {
    for (NoiseLaw law : List.of(NoiseLaw.UNIFORM, NoiseLaw.LAPLACE)) {
      NoisyVotes votes = new NoisyVotes(new Below(ONE, 1), law, List.of(SIGMA), 5);
      DiffcertException e =
          assertThrows(DiffcertException.class, () -> new Certifier(votes, CertifyConfig.of(10, 100, 0.001)));
      assertEquals(DiffcertException.Kind.USAGE, e.kind());
      assertTrue(e.getMessage().contains(law.cliName()));
      assertEquals("integer " + law.cliName(), votes.identity().get("noise"));
    }
    NoisyVotes gaussian = new NoisyVotes(new Below(ONE, 1), List.of(SIGMA), 5);
    assertEquals("integer", gaussian.identity().get("noise"));
    CertifyConfig sequential = CertifyConfig.of(10, 100, 0.001)
        .withStop(new Stopping(Stopping.Kind.SEQUENTIAL, List.of(0.1)));
    assertThrows(DiffcertException.class, () -> new NormCertifier(gaussian, sequential));
    ByteImage other = new ByteImage(new ImageShape(1, 1, 2), new byte[2]);
    NormCertifier certifier = new NormCertifier(gaussian, CertifyConfig.of(10, 100, 0.001));
    assertThrows(IllegalArgumentException.class, () -> certifier.certify(other, 0));
    assertThrows(IllegalArgumentException.class, () -> certifier.certify(IMAGE, -1));
  }
}
