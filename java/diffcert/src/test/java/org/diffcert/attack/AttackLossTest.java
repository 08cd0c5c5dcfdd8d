package org.diffcert.attack;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Losses by hand, and their gradients by differences. */
class AttackLossTest {
  @Test
  void valuesByHand() {
    double[] z = {1, 4, 2, 0};
    assertEquals(Math.log(Math.exp(1) + Math.exp(4) + Math.exp(2) + 1) - 4, AttackLoss.CE.value(z, 1, 0), 1e-12);
    assertEquals(-(4 - 2) / (4 - 1.0), AttackLoss.DLR.value(z, 1, 0), 1e-9);
    assertEquals(-(1 - 4) / (4 - 1.0), AttackLoss.DLR.value(z, 0, 0), 1e-9);
    assertEquals(-(4 - 0) / (4 - 0.5), AttackLoss.DLR_TARGETED.value(z, 1, 3), 1e-9);
    assertEquals(-2, AttackLoss.MARGIN.value(z, 1, 0), 0);
    assertEquals(3, AttackLoss.MARGIN.value(z, 0, 0), 0);
  }

  @ParameterizedTest
  @EnumSource(AttackLoss.class)
  void gradientsAreThoseOfDifferences(AttackLoss loss) {
    Random random = new Random(5);
    double h = 1e-6;
    for (int run = 0; run < 200; run++) {
      double[] z = random.doubles(6, -3, 3).toArray();
      int label = random.nextInt(6);
      int target = (label + 1 + random.nextInt(5)) % 6;
      double[] gradient = loss.gradient(z, label, target);
      for (int k = 0; k < 6; k++) {
        double[] up = z.clone();
        double[] down = z.clone();
        up[k] += h;
        down[k] -= h;
        double slope = (loss.value(up, label, target) - loss.value(down, label, target)) / (2 * h);
        assertEquals(slope, gradient[k], 1e-5 * Math.max(1, Math.abs(slope)), loss + " " + k);
      }
    }
  }
}
