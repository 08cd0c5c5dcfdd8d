package org.diffcert.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.junit.jupiter.api.Test;

/** Lipschitz constants of diffusion losses: the published values, closed forms, and denoisers that come near them. */
class LossLipschitzTest {
  /** linspace(0.5, 3, 126) without its end, as the published certification scripts have it. */
  private static final double[] LEVELS = IntStream.range(0, 125).mapToDouble(i -> 0.5 + 0.02 * i).toArray();

  /** The weights of the published script: EDM's loss weight, its density as coded, the step. */
  private static double[] publishedWeights() {
    return Arrays.stream(LEVELS).map(s -> {
      double lambda = (s * s + 0.25) / (s * s * 0.25);
      double deviation = Math.log(s) + 1.2;
      return 0.02 * lambda * Math.exp(-deviation * deviation / 2 * 1.44) / (s * 1.2 * Math.sqrt(2 * Math.PI));
    }).toArray();
  }

  private static double[] equalWeights() {
    double[] weights = new double[LEVELS.length];
    Arrays.fill(weights, 1.0 / LEVELS.length);
    return weights;
  }

  @Test
  void publishedConstants() {
    assertEquals(1.3006297800, new LossLipschitz(LEVELS, equalWeights(), 3072).published(), 5e-11);
    assertEquals(2.8907530201, new LossLipschitz(LEVELS, publishedWeights(), 3072).published(), 5e-11);
  }

  @Test
  void closedForms() {
    for (double[] weights : new double[][] {equalWeights(), publishedWeights()}) {
      double reciprocal = 0;
      double sum = 0;
      for (int t = 0; t < LEVELS.length; t++) {
        reciprocal += weights[t] / LEVELS[t];
        sum += weights[t];
      }
      LossLipschitz loss = new LossLipschitz(LEVELS, weights, 3072);
      double one = 2 * (4 * reciprocal / Math.sqrt(2 * Math.PI) + 4 * sum / Math.sqrt(3072));
      double two = 2 * (8 * reciprocal / Math.sqrt(2 * Math.PI) + 4 * sum / Math.sqrt(3072));
      assertEquals(one, loss.ofLoss(), 1e-12);
      assertEquals(two, loss.ofDifference(), 1e-12);
      assertTrue(loss.ofDifference() < 2 * loss.ofLoss());
      assertEquals(4 * sum, loss.largestLoss(), 1e-12);
      System.out.printf("125 levels, d 3072: a loss %.4f, a difference %.4f per pixel unit; the published form %.4f%n",
          loss.ofLoss(), loss.ofDifference(), loss.published());
    }
  }

  /**
   * One pixel, denoisers that say black or white by a threshold: the expected losses are known, their slopes stay below
   * the constants, and the difference's comes near its own.
   */
  @Test
  void noSlopeExceedsTheConstant() {
    NormalDistribution normal = NormalDistribution.of(0, 1);
    for (double s : new double[] {0.01, 0.1, 0.5, 3}) {
      LossLipschitz constants = new LossLipschitz(new double[] {s}, new double[] {1}, 1);
      double steepest = 0;
      double steepestOne = 0;
      for (double threshold = -1; threshold <= 1; threshold += 0.125) {
        for (double z = -1; z <= 1; z += 0.015625) {
          double high = normal.cumulativeProbability((z - threshold) / s);
          double density = normal.density((z - threshold) / s) / s;
          // loss of the denoiser that says 1 above the threshold and -1 below, and of its opposite
          double slope = 2 * (z - 1) * high + (1 - z) * (1 - z) * density
              + 2 * (z + 1) * (1 - high) - (1 + z) * (1 + z) * density;
          double opposite = 2 * (z - 1) * (1 - high) - (1 - z) * (1 - z) * density
              + 2 * (z + 1) * high + (1 + z) * (1 + z) * density;
          steepestOne = Math.max(steepestOne, Math.max(Math.abs(slope), Math.abs(opposite)));
          steepest = Math.max(steepest, Math.abs(opposite - slope));
        }
      }
      assertTrue(2 * steepestOne <= constants.ofLoss(), "one loss at level " + s);
      assertTrue(2 * steepest <= constants.ofDifference(), "difference at level " + s);
      assertTrue(2 * steepest > 0.4 * constants.ofDifference(), "the constant is far from attained at level " + s);
    }
  }

  @Test
  void marginsAndRadii() {
    LossLipschitz loss = new LossLipschitz(new double[] {1, 2}, new double[] {0.25, 0.5}, 784);
    assertEquals(3, loss.largestLoss());
    assertEquals(0.5, loss.scaled(0));
    assertEquals(1, loss.scaled(4));
    assertEquals(0, loss.scaled(-3));
    assertEquals(1.5, loss.margin(0.75));
    assertTrue(loss.margin(0.4) < 0);
    double radius = loss.radius(1.5);
    assertTrue(radius * loss.ofDifference() <= 1.5 * (1 + 1e-15) && radius > 1.5 / loss.ofDifference() * (1 - 1e-15));
  }

  @Test
  void wrongArgumentsAreRefused() {
    double[] one = {1};
    assertThrows(IllegalArgumentException.class, () -> new LossLipschitz(new double[0], new double[0], 1));
    assertThrows(IllegalArgumentException.class, () -> new LossLipschitz(one, new double[2], 1));
    assertThrows(IllegalArgumentException.class, () -> new LossLipschitz(one, one, 0));
    assertThrows(IllegalArgumentException.class, () -> new LossLipschitz(new double[] {0}, one, 1));
    assertThrows(IllegalArgumentException.class, () -> new LossLipschitz(one, new double[] {-1}, 1));
    assertThrows(IllegalArgumentException.class, () -> new LossLipschitz(one, new double[] {0}, 1));
    assertThrows(IllegalArgumentException.class, () -> new LossLipschitz(one, new double[] {Double.NaN}, 1));
  }
}
