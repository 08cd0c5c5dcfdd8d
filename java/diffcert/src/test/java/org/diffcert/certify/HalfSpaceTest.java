package org.diffcert.certify;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.commons.statistics.distribution.BinomialDistribution;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.ClopperPearson;
import org.diffcert.stats.IntegerRadius;
import org.diffcert.stats.Radius;
import org.junit.jupiter.api.Test;

/**
 * The whole way in integers, on a classifier whose certificates can be told true from false exactly: class 0 while the
 * four values sum to at most a threshold. The noise's sum is symmetric, so the smoothed classifier says 0 while the
 * image's own sum is at most the threshold, and the nearest image beyond spreads the missing sum as evenly as integers
 * can.
 */
class HalfSpaceTest {
  private static final int DIMENSIONS = 4;
  private static final int PIXEL = 120;
  private static final Sigma SIGMA = new Sigma(0.1);
  private static final ImageShape SHAPE = new ImageShape(1, 2, 2);

  @Test
  void falseCertificatesAreAsManyAsTheyShouldBe() {
    int missing = 65; // what the image's sum lacks to the other class
    int threshold = DIMENSIONS * PIXEL + missing - 1;
    long nearest = 0; // squared distance to the nearest image of the other class
    for (int i = 0; i < DIMENSIONS; i++) {
      long step = missing / DIMENSIONS + (i < missing % DIMENSIONS ? 1 : 0);
      nearest += step * step;
    }
    int n = 100;
    double alpha = 0.05;
    double truth = probabilityOfSumAtMost(missing - 1);
    double expected = 0;
    for (int k = 0; k <= n; k++) {
      double bound = ClopperPearson.lower(k, n, alpha);
      if (bound > 0.5 && IntegerRadius.of(Radius.down(SIGMA, bound)).squared() >= nearest) {
        expected += BinomialDistribution.of(n, truth).probability(k);
      }
    }
    assertTrue(expected > alpha / 10 && expected <= alpha, "the case says something: " + expected);

    int images = 1500;
    ByteImage image = new ByteImage(SHAPE, new byte[] {PIXEL, PIXEL, PIXEL, PIXEL});
    int wrong = 0;
    try (NoisyVotes votes = new NoisyVotes(new Below(SHAPE, threshold), List.of(SIGMA), 20261121)) {
      Certifier certifier = new Certifier(votes, CertifyConfig.of(51, n, alpha));
      for (int i = 0; i < images; i++) {
        Certificate c = certifier.certify(image, i).get(0);
        wrong += c.predict() == 1 || c.predict() == 0 && c.integerRadius().squared() >= nearest ? 1 : 0;
      }
    }
    // With 51 selection samples and this truth, the wrong candidate comes up less than once in a million images.
    BinomialDistribution law = BinomialDistribution.of(images, expected);
    assertTrue(law.survivalProbability(wrong - 1) > 1e-6, wrong + " false certificates are too many");
    assertTrue(law.cumulativeProbability(wrong) > 1e-6, wrong + " false certificates are suspiciously few");
  }

  /** The law of the sum of the rounded noises, by convolution. */
  private static double probabilityOfSumAtMost(int most) {
    int span = 255; // ten standard deviations
    NormalDistribution law = NormalDistribution.of(0, SIGMA.bytes());
    double[] sum = {1};
    for (int d = 0; d < DIMENSIONS; d++) {
      double[] next = new double[sum.length + 2 * span];
      for (int i = 0; i < sum.length; i++) {
        for (int m = -span; m <= span; m++) {
          next[i + m + span] += sum[i] * law.probability(m - 0.5, m + 0.5);
        }
      }
      sum = next;
    }
    double total = 0;
    for (int i = 0; i - DIMENSIONS * span <= most; i++) {
      total += sum[i];
    }
    return total;
  }
}
