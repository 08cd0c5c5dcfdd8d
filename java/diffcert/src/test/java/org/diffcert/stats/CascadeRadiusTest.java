package org.diffcert.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Radii under a threshold, and the quantile from above that they need. */
class CascadeRadiusTest {
  /** At p0 = 1/2 both kinds are the radius of plain smoothing. */
  @Test
  void atOneHalfBothAreThePlainRadius() {
    CascadeRadius half = new CascadeRadius(0.5);
    for (double sigma : new double[] {0.12, 0.25, 1}) {
      for (int k = 560; k <= 1000; k += 11) {
        double p = ClopperPearson.lower(k, 1000, 0.001);
        double plain = p > 0.5 ? Radius.down(new Sigma(sigma), p) : CascadeRadius.NOTHING;
        assertEquals(plain, half.answers(new Sigma(sigma), p));
        assertEquals(plain, half.leaves(new Sigma(sigma), p));
      }
    }
    assertEquals(CascadeRadius.NOTHING, half.answers(new Sigma(1), 0.5), "at the threshold nothing is answered");
    assertEquals(0, half.leaves(new Sigma(1), 0.5), "at the threshold nothing is answered");
    assertEquals(CascadeRadius.NOTHING, half.leaves(new Sigma(1), Math.nextDown(0.5)));
  }

  /** Vectors at alpha = 0.0005 a bound, p0 = 1/2, n = 10,000. */
  @Test
  void vectors() {
    CascadeRadius half = new CascadeRadius(0.5);
    assertEquals(1.10271702, half.answers(new Sigma(0.5), ClopperPearson.lower(9900, 10_000, 0.0005)), 5e-8);
    assertEquals(0.62958065, half.leaves(new Sigma(1), ClopperPearson.lower(7500, 10_000, 0.0005)), 5e-8);
    assertEquals(0.26703834, ClopperPearson.upper(2500, 10_000, 0.0005 / 9), 5e-9);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.51, 0.6, 0.7, 0.9, 0.99, 0.999})
  void elsewhereTheyAreBelowTheDifference(double p0) {
    CascadeRadius radii = new CascadeRadius(p0);
    NormalDistribution normal = NormalDistribution.of(0, 1);
    double z0 = normal.inverseCumulativeProbability(p0);
    Sigma sigma = new Sigma(0.3);
    for (double p = 0.0005; p < 1; p += 0.0097) {
      double answers = 0.3 * (normal.inverseCumulativeProbability(p) - z0);
      double leaves = 0.3 * (z0 + normal.inverseCumulativeProbability(p));
      assertEquals(p > p0 ? answers : -1, radii.answers(sigma, p), 1e-12);
      assertEquals(p >= 1 - p0 ? leaves : -1, radii.leaves(sigma, p), 1e-12);
    }
    assertEquals(CascadeRadius.NOTHING, radii.answers(sigma, p0));
    assertThrows(IllegalArgumentException.class, () -> new CascadeRadius(p0 - 0.5));
  }

  /** The quantile from above is not below the one from below, and its Phi is not below p. */
  @ParameterizedTest
  @ValueSource(doubles = {0.5000000000000001, 0.50001, 0.501649951336872, 0.6, 0.75, 0.9, 0.99, 0.9993094630025899,
    0.999999999999, 0.9999999999999999})
  void quantileFromAbove(double p) {
    double up = NormalQuantile.up(p);
    double down = NormalQuantile.down(p);
    assertTrue(NormalQuantile.cumulativeDown(up).compareTo(new BigDecimal(p)) >= 0);
    assertTrue(up > down && up <= Math.nextUp(Math.nextUp(down)), up + " and " + down);
    assertTrue(NormalQuantile.cumulativeDown(down).compareTo(NormalQuantile.cumulativeUp(down)) < 0);
    BigDecimal width = NormalQuantile.cumulativeUp(down).subtract(NormalQuantile.cumulativeDown(down));
    assertTrue(width.compareTo(new BigDecimal("1e-33")) < 0, "the two sums enclose Phi: " + width);
    assertEquals(0, NormalQuantile.up(0.5));
  }
}
