package org.diffcert.attack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Budgets without rounding errors, projections, and 8-bit images that never leave a budget. */
class BudgetTest {
  private static final ImageShape SHAPE = new ImageShape(3, 7, 5);

  @ParameterizedTest
  @CsvSource({"linf,8/255,8", "linf,0.1,25", "linf,0.2,51", "linf,0.3,76", "linf,1,255", "l2,1/255,1", "l2,0.5,16256",
      "l2,1,65025", "l2,2,260100"})
  void theBoundIsExact(String norm, String text, long bound) {
    assertEquals(bound, Budget.of(AttackNorm.of(norm), text).bound());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "0", "0/255", "1/0", "a", "1e-3", "0.003", "1001", "8/255/1"})
  void whatIsNoBudgetIsRefused(String text) {
    assertThrows(DiffcertException.class, () -> Budget.of(AttackNorm.LINF, text));
  }

  @ParameterizedTest
  @EnumSource(AttackNorm.class)
  void pointsAreProjectedAndRoundedInside(AttackNorm norm) {
    long seed = Long.getLong("attack.seed", System.nanoTime());
    System.out.println("BudgetTest: -Dattack.seed=" + seed);
    Random random = new Random(seed);
    boolean cut = false;
    for (int run = 0; run < 2000 * Integer.getInteger("depth", 1); run++) {
      byte[] pixels = new byte[SHAPE.elements()];
      random.nextBytes(pixels);
      ByteImage clean = new ByteImage(SHAPE, pixels);
      double[] origin = Attempt.units(clean);
      int thousandths = 4 + random.nextInt(norm == AttackNorm.L2 ? 3000 : 500);
      Budget budget = Budget.of(norm, thousandths / 1000 + "." + String.format("%03d", thousandths % 1000));
      double[] point = origin.clone();
      double spread = random.nextDouble() * 3 * budget.size();
      for (int e = 0; e < point.length; e++) {
        point[e] += spread * random.nextGaussian();
      }
      budget.project(origin, point);
      double[] change = new double[point.length];
      for (int e = 0; e < point.length; e++) {
        change[e] = point[e] - origin[e];
        assertTrue(point[e] >= 0 && point[e] <= 1);
      }
      assertTrue(norm.of(change) <= budget.size() * (1 + 1e-12));
      double[] twice = point.clone();
      budget.project(origin, twice);
      for (int e = 0; e < point.length; e++) {
        assertEquals(point[e], twice[e], 1e-12, "a projection changes nothing the second time");
      }
      ByteImage rounded = budget.round(clean, point);
      assertTrue(budget.distance(clean, rounded) <= budget.bound(), budget + " " + budget.distance(clean, rounded));
      for (int e = 0; e < point.length; e++) {
        assertTrue(Math.abs(rounded.get(e) - 255 * point[e]) <= 1 + 1e-9, "no element moves further than one level");
        cut |= Math.abs(rounded.get(e) - 255 * point[e]) > 0.5 + 1e-9;
      }
    }
    assertTrue(cut, "no rounding ever had to stay inside");
  }

  /** A point beside the ball, as floating point may leave one, is brought inside all the same. */
  @Test
  void aPointOutsideIsBroughtInside() {
    ByteImage clean = new ByteImage(SHAPE, new byte[SHAPE.elements()]);
    double[] point = new double[SHAPE.elements()];
    java.util.Arrays.fill(point, 0.9);
    Budget budget = Budget.of(AttackNorm.L2, "0.5");
    assertTrue(budget.distance(clean, budget.round(clean, point)) <= budget.bound());
  }
}
