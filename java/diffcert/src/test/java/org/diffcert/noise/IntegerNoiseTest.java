package org.diffcert.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.apache.commons.statistics.distribution.ChiSquaredDistribution;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.junit.jupiter.api.Test;

/** The law of the integer noise: its table, its cells, its symmetry, and what becomes of it. */
class IntegerNoiseTest {
  private static final double[] SIGMAS = {0.12, 0.25, 0.5, 1};

  /** Thresholds evaluated to 90 digits by another program and another series (the alternating one of erf). */
  private static final Object[][] VECTORS = {
    {0.12, 0, "81ab302df5106460"}, {0.12, 1, "85011bc9892738af"}, {0.12, 127, "fffefcb84ce0f9e6"},
    {0.12, 255, "fffffffffffffd88"}, {0.12, 509, "ffffffffffffffff"}, {0.25, 0, "80cd0eaf0ff60838"},
    {0.25, 1, "82671f22c1e2255c"}, {0.25, 127, "fa2d0c1f4d89e819"}, {0.25, 255, "fffdfdfb3b2b9198"},
    {0.25, 509, "ffffffffffffd039"}, {0.5, 0, "8066878b32c461cb"}, {0.5, 1, "81339504433aa727"},
    {0.5, 255, "fa3ade7277bbbecc"}, {0.5, 510, "fffdf561901bdb46"}, {0.5, 1019, "ffffffffffffd1b9"},
    {1.0, 0, "803343cc0ebf05ed"}, {1.0, 1, "8099cb3081602d12"}, {1.0, 446, "f5c438c4404bb657"},
    {1.0, 892, "fff0c121b6a44115"}, {1.0, 1784, "fffffffffe92b040"},
  };

  @Test
  void thresholdsEqualTheEvaluationToNinetyDigits() {
    for (Object[] vector : VECTORS) {
      long[] table = IntegerNoise.of(new Sigma((double) vector[0])).thresholds();
      int j = (int) vector[1];
      long expected = Long.parseUnsignedLong((String) vector[2], 16);
      assertEquals(expected, table[table.length / 2 + j], "sigma " + vector[0] + ", j " + j);
      assertEquals(-1 - expected, table[table.length / 2 - 1 - j], "sigma " + vector[0] + ", mirror of j " + j);
    }
  }

  @Test
  void tablesSpanWhatCanMatter() {
    int[] clips = {1, 1, 3, 6};
    for (int i = 0; i < SIGMAS.length; i++) {
      IntegerNoise noise = IntegerNoise.of(new Sigma(SIGMAS[i]));
      long[] table = noise.thresholds();
      assertEquals(510 * (clips[i] + 1), table.length);
      assertEquals(-255 * clips[i], noise.clipLow());
      assertEquals(255 * (clips[i] + 1), noise.clipHigh());
      // Whatever the image, the least and the largest noise of the table are clipped away.
      assertTrue(255 + noise.origin() <= noise.clipLow());
      assertTrue(noise.origin() + table.length >= noise.clipHigh());
      for (int t = 1; t < table.length; t++) {
        assertTrue(Long.compareUnsigned(table[t - 1], table[t]) <= 0);
      }
    }
    assertSame(IntegerNoise.of(new Sigma(0.25)), IntegerNoise.of(new Sigma(0.25)));
  }

  @Test
  void ambiguousExactlyOnAThreshold() {
    IntegerNoise noise = IntegerNoise.of(new Sigma(0.25));
    long[] table = noise.thresholds();
    for (int i = 50; i < table.length - 50; i += 7) {
      assertEquals(IntegerNoise.AMBIGUOUS, noise.of(table[i]));
      assertEquals(noise.origin() + i, noise.of(table[i] - 1));
      assertEquals(noise.origin() + i + 1, noise.of(table[i] + 1));
    }
    IntegerNoise narrow = IntegerNoise.of(new Sigma(0.01));
    assertEquals(IntegerNoise.AMBIGUOUS, narrow.of(0), "the first cell is cut by thresholds of the far tail");
    assertEquals(IntegerNoise.AMBIGUOUS, narrow.of(-1), "and so is the last");
  }

  @Test
  void symmetric() {
    SplittableRandom random = new SplittableRandom(11);
    for (double sigma : SIGMAS) {
      IntegerNoise noise = IntegerNoise.of(new Sigma(sigma));
      for (int i = 0; i < 20_000; i++) {
        long u = random.nextLong() >>> (i % 32);
        assertEquals(noise.of(u), -noise.of(~u));
      }
    }
  }

  @Test
  void chiSquareAgainstExactCells() {
    for (double sigma : SIGMAS) {
      int count = 400_000;
      int[] draws = new int[count];
      assertTrue(IntegerNoise.of(new Sigma(sigma)).draw(new NoiseKey(2024, 1, Phase.SELECT, 0), count, draws));
      checkLaw("integer noise, sigma " + sigma, sigma, draws);
    }
  }

  /** Chi-square against the cells of the exact law (cells below 20 expected draws are joined), and the variance. */
  static void checkLaw(String what, double sigma, int[] draws) {
    double scale = 255 * sigma;
    NormalDistribution law = NormalDistribution.of(0, scale);
    int reach = (int) (6 * scale) + 2;
    int[] observed = new int[2 * reach + 1];
    double sum = 0;
    double squares = 0;
    for (int m : draws) {
      observed[Math.max(-reach, Math.min(reach, m)) + reach]++;
      sum += m;
      squares += (double) m * m;
    }
    double statistic = 0;
    int cells = 0;
    double expected = 0;
    long seen = 0;
    for (int m = -reach; m <= reach; m++) {
      double from = m == -reach ? Double.NEGATIVE_INFINITY : m - 0.5;
      double to = m == reach ? Double.POSITIVE_INFINITY : m + 0.5;
      expected += draws.length * law.probability(from, to);
      seen += observed[m + reach];
      double rest = draws.length * law.survivalProbability(to);
      if (m == reach || expected >= 20 && rest >= 20) {
        statistic += (seen - expected) * (seen - expected) / expected;
        cells++;
        expected = 0;
        seen = 0;
      }
    }
    double p = ChiSquaredDistribution.of(cells - 1).survivalProbability(statistic);
    double variance = scale * scale + 1.0 / 12;
    double z = (squares / draws.length - variance) / (variance * Math.sqrt(2.0 / draws.length));
    System.out.printf("%s: chi-square %.1f over %d cells, p = %.3f; mean %.3f standard errors, variance %.3f%n", what,
        statistic, cells, p,
        sum / Math.sqrt(variance * draws.length), z);
    assertTrue(p > 1e-3 && p < 1 - 1e-4, what + ": chi-square p = " + p);
    assertTrue(Math.abs(z) < 4, what + ": variance off by " + z + " standard errors");
    assertTrue(Math.abs(sum) < 4 * Math.sqrt(variance * draws.length), what + ": mean");
  }

  @Test
  void aDrawIsAPrefixOfALongerOne() {
    NoiseKey key = new NoiseKey(5, 6, Phase.PREDICT, 7);
    IntegerNoise noise = IntegerNoise.of(new Sigma(0.5));
    int[] longer = new int[101];
    int[] shorter = new int[37];
    noise.draw(key, 101, longer);
    noise.draw(key, 37, shorter);
    assertArrayEquals(Arrays.copyOf(longer, 37), shorter);
  }

  @Test
  void theValueIsAFunctionOfTheSumAlone() {
    IntegerNoise noise = IntegerNoise.of(new Sigma(0.5));
    Set<Double> values = new HashSet<>();
    Set<Float> floats = new HashSet<>();
    for (int sum = noise.clipLow(); sum <= noise.clipHigh(); sum++) {
      for (int x = 0; x <= 255; x += 17) {
        int m = sum - x;
        values.add(IntegerNoise.edmValue(x + m));
      }
      floats.add((float) IntegerNoise.edmValue(sum));
    }
    int sums = noise.clipHigh() - noise.clipLow() + 1;
    assertEquals(sums, values.size(), "one value a sum, and no two sums share one");
    assertEquals(sums, floats.size());
    assertEquals(-1, IntegerNoise.edmValue(0));
    assertEquals(1, IntegerNoise.edmValue(255));
    // The order of S7's warning: noise and image converted apart give several patterns for one sum.
    Set<Float> leak = new HashSet<>();
    for (int x = 0; x <= 255; x++) {
      leak.add((100 - x) / 255f + x / 255f);
    }
    assertTrue(leak.size() > 1);
  }
}
