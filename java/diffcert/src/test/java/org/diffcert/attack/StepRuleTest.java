package org.diffcert.attack;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * APGD's step: checkpoints as published, and halvings on a quadratic as the paper's two conditions say, derived again
 * over the whole history.
 */
class StepRuleTest {
  @Test
  void checkpointsOfAHundredSteps() {
    assertArrayEquals(new int[] {22, 41, 57, 70, 80, 87, 93, 99}, AutoProjectedGradient.checkpoints(100));
  }

  @Test
  void stepsAreHalvedWhereTheLossTellsSo() {
    Random random = new Random(11);
    int halvings = 0;
    for (int run = 0; run < 200; run++) {
      int steps = 20 + random.nextInt(180);
      int[] checkpoints = AutoProjectedGradient.checkpoints(steps);
      double curvature = Math.exp(4 * random.nextGaussian());
      double first = random.nextGaussian();
      AutoProjectedGradient.StepRule rule = new AutoProjectedGradient.StepRule(1, checkpoints);
      // Ascent of -curvature x^2 / 2 by signs, from the best point again after a halving.
      double x = first;
      rule.begin(value(curvature, x));
      List<Double> from = new ArrayList<>();
      List<Double> losses = new ArrayList<>(List.of(value(curvature, x)));
      List<Double> sizes = new ArrayList<>(List.of(1.0));
      double best = x;
      double before = losses.get(0);
      for (int step = 1; step <= steps; step++) {
        x -= rule.size() * Math.signum(x);
        double loss = value(curvature, x);
        from.add(before);
        losses.add(loss);
        best = loss > value(curvature, best) ? x : best;
        boolean halved = rule.step(step, loss);
        sizes.add(rule.size());
        x = halved ? best : x;
        before = halved ? value(curvature, best) : loss;
      }
      assertArrayEquals(sizes(losses, from, checkpoints), sizes.stream().mapToDouble(Double::doubleValue).toArray(),
          "run " + run);
      assertEquals(losses.stream().mapToDouble(Double::doubleValue).max().orElseThrow(), rule.best());
      halvings += sizes.get(steps) < 1 ? 1 : 0;
    }
    assertTrue(halvings > 100, "hardly any run was ever halved");
  }

  private static double value(double curvature, double x) {
    return -curvature * x * x / 2;
  }

  /** The steps' sizes from the history of losses alone, by the paper's conditions at each checkpoint. */
  private static double[] sizes(List<Double> losses, List<Double> from, int[] checkpoints) {
    double[] sizes = new double[losses.size()];
    double size = 1;
    sizes[0] = 1;
    int at = 0;
    for (int step = 1; step < losses.size(); step++) {
      if (at < checkpoints.length && step == checkpoints[at]) {
        int last = at == 0 ? 0 : checkpoints[at - 1];
        int rises = 0;
        for (int s = last + 1; s <= step; s++) {
          rises += losses.get(s) > from.get(s - 1) ? 1 : 0;
        }
        double bestNow = losses.subList(0, step + 1).stream().mapToDouble(Double::doubleValue).max().orElseThrow();
        double bestThen = losses.subList(0, last + 1).stream().mapToDouble(Double::doubleValue).max().orElseThrow();
        boolean sameSize = at > 0 && sizes[last] == sizes[last - 1];
        if (rises < 0.75 * (step - last) || sameSize && bestNow == bestThen) {
          size /= 2;
        }
        at++;
      }
      sizes[step] = size;
    }
    return sizes;
  }
}
