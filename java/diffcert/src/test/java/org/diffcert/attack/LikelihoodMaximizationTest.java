package org.diffcert.attack;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.diffcert.DiffcertException;
import org.junit.jupiter.api.Test;

/** Likelihood maximisation on objectives in closed form: Adam by hand, its ball, and the pullback through all of it. */
class LikelihoodMaximizationTest {
  /** Gradient of sum of a_e (z_e - s)^2 / 2 + b (sum z)^2 / 2 + sin z: coupled, curved, another one at each step. */
  private static double[] gradient(int step, double[] z) {
    double sum = 0;
    for (double value : z) {
      sum += value;
    }
    double[] g = new double[z.length];
    for (int e = 0; e < z.length; e++) {
      g[e] = (1 + 0.1 * e) * (z[e] - 0.2 * step) + 0.3 * sum + 0.5 * Math.cos(z[e] + e);
    }
    return g;
  }

  @Test
  void twoStepsOfAdamByHand() {
    LikelihoodMaximization lm = new LikelihoodMaximization(2, 0.1, AttackNorm.L2, Double.POSITIVE_INFINITY);
    // Gradient 2z: the first step is of size 0.1 to the minus 1e-8; the second by moments 0.19 and 0.001999 parts.
    LikelihoodMaximization.Trace trace = lm.run(new double[] {1, -3}, (step, z) -> new double[] {2 * z[0], 2 * z[1]});
    assertArrayEquals(new double[] {0.9, -2.9}, trace.points().get(1), 1e-8);
    double first = (0.9 * 0.1 * 2 + 0.1 * 1.8) / 0.19;
    double second = (0.999 * 0.001 * 4 + 0.001 * 3.24) / (1 - 0.999 * 0.999);
    assertEquals(0.9 - 0.1 * first / (Math.sqrt(second) + 1e-8), trace.end()[0], 1e-8);
  }

  @Test
  void thePublishedBallIsNeverReachedAndTheCorrectedOneIs() {
    double[] start = new Random(1).doubles(784, -1, 1).toArray();
    LikelihoodMaximization published = LikelihoodMaximization.PUBLISHED;
    LikelihoodMaximization.Trace free = published.run(start, LikelihoodMaximizationTest::gradient);
    for (int t = 0; t < published.steps(); t++) {
      assertArrayEquals(free.unprojected().get(t), free.points().get(t + 1),
          "a projection of the published form did something");
    }
    for (AttackNorm norm : AttackNorm.values()) {
      LikelihoodMaximization.Trace held =
          new LikelihoodMaximization(5, 0.1, norm, 0.25).run(start, LikelihoodMaximizationTest::gradient);
      double[] way = new double[784];
      for (int e = 0; e < 784; e++) {
        way[e] = held.end()[e] - start[e];
      }
      assertEquals(0.25, norm.of(way), 1e-12);
    }
  }

  @Test
  void thePullbackIsTheGradientOfTheWholeWay() {
    long seed = Long.getLong("attack.seed", System.nanoTime());
    System.out.println("LikelihoodMaximizationTest: -Dattack.seed=" + seed);
    Random random = new Random(seed);
    int runs = 40 * Integer.getInteger("depth", 1);
    double[] errors = new double[runs];
    for (int run = 0; run < runs; run++) {
      AttackNorm norm = AttackNorm.values()[run % 2];
      double radius = run % 4 < 2 ? (norm == AttackNorm.L2 ? 0.5 : 0.17) : Double.POSITIVE_INFINITY;
      LikelihoodMaximization lm = new LikelihoodMaximization(5, 0.1, norm, radius);
      double[] start = random.doubles(12, -1, 1).toArray();
      double[] cotangent = random.doubles(12, -1, 1).toArray();
      double[] back = lm.pullback(lm.run(start, LikelihoodMaximizationTest::gradient),
          LikelihoodMaximizationTest::gradient, cotangent);
      double[] direction = random.doubles(12, -1, 1).toArray();
      double h = 1e-6;
      double[] up = start.clone();
      double[] down = start.clone();
      double along = 0;
      for (int e = 0; e < 12; e++) {
        up[e] += h * direction[e];
        down[e] -= h * direction[e];
        along += back[e] * direction[e];
      }
      double difference = 0;
      double[] above = lm.run(up, LikelihoodMaximizationTest::gradient).end();
      double[] below = lm.run(down, LikelihoodMaximizationTest::gradient).end();
      double size = 0;
      for (int e = 0; e < 12; e++) {
        difference += cotangent[e] * (above[e] - below[e]) / (2 * h);
        size += Math.abs(cotangent[e] * (above[e] - below[e]) / (2 * h));
      }
      errors[run] = Math.abs(difference - along) / Math.max(1, size);
    }
    Arrays.sort(errors);
    System.out.println("errors of pullbacks: median " + errors[runs / 2] + ", worst " + errors[runs - 1]);
    // A gradient that is 0 to six digits somewhere is a kink of Adam's first step, which differences straddle: rare.
    assertTrue(errors[runs / 2] < 1e-6 && errors[runs - 1 - runs / 20] < 1e-4, Arrays.toString(errors));
  }

  @Test
  void impossibleSettingsAreRefused() {
    assertThrows(DiffcertException.class, () -> new LikelihoodMaximization(0, 0.1, AttackNorm.L2, 1));
    assertThrows(DiffcertException.class, () -> new LikelihoodMaximization(5, 0, AttackNorm.L2, 1));
    assertThrows(DiffcertException.class, () -> new LikelihoodMaximization(5, 0.1, AttackNorm.L2, 0));
  }
}
