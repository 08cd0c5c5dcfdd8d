package org.diffcert.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.SplittableRandom;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.junit.jupiter.api.Test;

/**
 * The quantile against the distribution function in 192-bit integers: its stated error, and the stated error of a whole
 * cell.
 */
class InverseNormalTest {
  private static final int BITS = 192;
  private static final NormalCdf CDF = new NormalCdf(BITS);

  /** Phi(z) - 1/2 for z >= 0, scaled by 2^192. */
  private static BigInteger half(BigDecimal z) {
    BigInteger ten = BigInteger.TEN.pow(Math.max(0, z.scale()));
    return CDF.half(z.scale() < 0 ? z.toBigIntegerExact() : z.unscaledValue(), ten);
  }

  /**
   * Arguments spread over both halves, evenly in the logarithm of the tail probability, and at the breaks of the
   * approximation.
   */
  private static long[] arguments(int count) {
    SplittableRandom random = new SplittableRandom(20);
    long[] arguments = new long[count];
    for (int i = 0; i < count; i++) {
      long u = random.nextLong() >>> (i % 64);
      arguments[i] = (i & 64) == 0 ? u : ~u;
    }
    // q = 0.425, and exp(-25) = p: either side of each break, to the unit.
    long[] breaks = {(long) (0.075 * 0x1p64), (long) (Math.exp(-25) * 0x1p64), Long.MAX_VALUE, 0};
    for (int i = 0; i < 4 * 64; i++) {
      arguments[i] = Math.max(0, breaks[i / 64] + (i % 64) - 32);
    }
    return arguments;
  }

  @Test
  void errorIsBelowTheStatedBound() {
    double worst = 0;
    for (long u : arguments(6000)) {
      double z = InverseNormal.of(u);
      long tail = u < 0 ? ~u : u;
      assertEquals(u < 0, z > 0);
      // 1/2 - (tail + 1/2) / 2^64
      BigInteger exact = BigInteger.ONE.shiftLeft(BITS - 1)
          .subtract(BigInteger.valueOf(tail).shiftLeft(1).add(BigInteger.ONE).shiftLeft(BITS - 65));
      double difference = half(new BigDecimal(Math.abs(z))).subtract(exact).doubleValue() * 0x1p-192;
      worst = Math.max(worst, Math.abs(difference) / (Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI)));
    }
    System.out.printf("InverseNormal: largest error %.3g, stated %.3g%n", worst, InverseNormal.EVALUATION_ERROR);
    assertTrue(worst < InverseNormal.EVALUATION_ERROR / 8, "largest error " + worst);
  }

  @Test
  void theWholeCellLiesWithinTheErrorThatPathNoiseCharges() {
    int checked = 0;
    for (long u : arguments(6000)) {
      long tail = u < 0 ? ~u : u;
      double z = Math.abs(InverseNormal.of(u));
      double error = PathNoise.normalError(z);
      if (z > 7) {
        assertEquals(1.0, error);
        continue;
      }
      // The cell [tail, tail + 1) / 2^64 of the lower half mirrors (1/2 - (tail + 1), 1/2 - tail] above the median.
      BigInteger far = BigInteger.ONE.shiftLeft(BITS - 1).subtract(BigInteger.valueOf(tail).shiftLeft(BITS - 64));
      BigInteger near = far.subtract(BigInteger.ONE.shiftLeft(BITS - 64));
      BigDecimal margin = new BigDecimal(error);
      assertTrue(half(new BigDecimal(z).add(margin)).compareTo(far) >= 0, "cell of " + Long.toUnsignedString(u)
          + " reaches beyond z + e");
      BigDecimal low = new BigDecimal(z).subtract(margin);
      assertTrue(low.signum() <= 0 || half(low).compareTo(near) <= 0, "cell of " + Long.toUnsignedString(u)
          + " begins before z - e");
      checked++;
    }
    assertTrue(checked > 3000);
  }

  @Test
  void oddAndAscending() {
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 10_000; i++) {
      long u = random.nextLong() >>> (i % 64);
      assertEquals(InverseNormal.of(u), -InverseNormal.of(~u), 0);
      long lower = u >>> 2;
      assertTrue(InverseNormal.of(lower) < InverseNormal.of(lower + (lower >>> 10) + 1));
    }
    assertTrue(Math.abs(InverseNormal.of(0)) > 9.1 && Math.abs(InverseNormal.of(0)) < 9.3);
  }

  @Test
  void agreesWithCommonsStatistics() {
    NormalDistribution normal = NormalDistribution.of(0, 1);
    SplittableRandom random = new SplittableRandom(4);
    for (int i = 0; i < 2000; i++) {
      long u = random.nextLong() >>> 1 >>> (i % 40);
      double expected = normal.inverseCumulativeProbability((u + 0.5) * 0x1p-64);
      assertEquals(expected, InverseNormal.of(u), 4e-14);
    }
  }

  @Test
  void logarithm() {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 10_000; i++) {
      double p = random.nextDouble(0x1p-20, 1) * Math.scalb(1.0, -(i % 64));
      assertEquals(-Math.log(p), InverseNormal.minusLog(p), 4e-16 * (1 - Math.log(p)));
    }
  }
}
