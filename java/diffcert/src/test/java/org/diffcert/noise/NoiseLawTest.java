package org.diffcert.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.nio.file.Files;
import java.util.SplittableRandom;
import org.apache.commons.statistics.distribution.ChiSquaredDistribution;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Uniform and Laplace integer noise: tables against 60-digit decimals, draws against exact cells, frozen digests. */
class NoiseLawTest {
  private static final double[] SIGMAS = {0.01, 0.12, 0.25, 1, 3.7};
  private static final MathContext WIDE = new MathContext(60);

  @ParameterizedTest
  @EnumSource(value = NoiseLaw.class, names = {"UNIFORM", "LAPLACE"})
  void thresholdsAreFloorsOfSixtyDigits(NoiseLaw law) {
    SplittableRandom random = new SplittableRandom(31);
    for (double sigma : SIGMAS) {
      IntegerNoise noise = IntegerNoise.of(law, new Sigma(sigma));
      long[] table = noise.thresholds();
      int half = table.length / 2;
      for (int i = 0; i < 40; i++) {
        int j = i < 5 ? i : i < 10 ? half - 1 - i : random.nextInt(half);
        BigDecimal scaled = aboveMedian(law, sigma, j).multiply(BigDecimal.valueOf(2).pow(64), WIDE);
        BigInteger last = BigInteger.valueOf(Long.MAX_VALUE);
        long expected = Long.MIN_VALUE + scaled.toBigInteger().min(last).longValueExact();
        assertEquals(expected, table[half + j], law + ", sigma " + sigma + ", j " + j);
        assertEquals(~expected, table[half - 1 - j], law + ", sigma " + sigma + ", mirror of j " + j);
      }
      for (int t = 1; t < table.length; t++) {
        assertTrue(Long.compareUnsigned(table[t - 1], table[t]) <= 0);
      }
    }
    assertSame(IntegerNoise.of(law, new Sigma(0.25)), IntegerNoise.of(law, new Sigma(0.25)));
    assertNotSame(IntegerNoise.of(law, new Sigma(0.25)), IntegerNoise.of(new Sigma(0.25)));
  }

  /** F((j + 1/2) / 255) - 1/2 from its formula. */
  private static BigDecimal aboveMedian(NoiseLaw law, double sigma, int j) {
    BigDecimal s = new BigDecimal(sigma);
    BigDecimal odd = BigDecimal.valueOf(2L * j + 1);
    if (law == NoiseLaw.UNIFORM) {
      BigDecimal rootThree = BigDecimal.valueOf(3).sqrt(WIDE);
      return odd.divide(s.multiply(BigDecimal.valueOf(1020)).multiply(rootThree), WIDE);
    }
    BigDecimal x = odd.multiply(BigDecimal.valueOf(2).sqrt(WIDE)).divide(s.multiply(BigDecimal.valueOf(510)), WIDE);
    // exp(-x) from the alternating series at x / 2^30, squared thirty times
    BigDecimal small = x.divide(BigDecimal.valueOf(1L << 30), new MathContext(90)).negate();
    BigDecimal term = BigDecimal.ONE;
    BigDecimal sum = BigDecimal.ONE;
    for (int k = 1; k < 30; k++) {
      term = term.multiply(small, new MathContext(90)).divide(BigDecimal.valueOf(k), new MathContext(90));
      sum = sum.add(term, new MathContext(90));
    }
    for (int i = 0; i < 30; i++) {
      sum = sum.multiply(sum, new MathContext(90));
    }
    return BigDecimal.ONE.subtract(sum).divide(BigDecimal.valueOf(2), WIDE);
  }

  @ParameterizedTest
  @EnumSource(value = NoiseLaw.class, names = {"UNIFORM", "LAPLACE"})
  void drawsHaveTheLaw(NoiseLaw law) {
    for (double sigma : new double[] {0.12, 0.5}) {
      int count = 400_000;
      int[] draws = new int[count];
      IntegerNoise noise = IntegerNoise.of(law, new Sigma(sigma));
      assertTrue(noise.draw(new NoiseKey(2025, 1, Phase.SELECT, 0), count, draws));
      int reach = law == NoiseLaw.UNIFORM ? (int) Math.ceil(Math.sqrt(3) * 255 * sigma) + 1 : (int) (255 * sigma * 4);
      long[] observed = new long[2 * reach + 1];
      for (int m : draws) {
        observed[Math.max(-reach, Math.min(reach, m)) + reach]++;
      }
      double statistic = 0;
      int cells = 0;
      for (int m = -reach; m <= reach; m++) {
        double from = m == -reach ? 0 : distribution(law, sigma, m - 0.5);
        double to = m == reach ? 1 : distribution(law, sigma, m + 0.5);
        double expected = count * (to - from);
        if (expected == 0) {
          assertEquals(0, observed[m + reach], "noise beyond its support");
        } else {
          statistic += Math.pow(observed[m + reach] - expected, 2) / expected;
          cells++;
        }
      }
      double p = ChiSquaredDistribution.of(cells - 1).survivalProbability(statistic);
      System.out.printf("%s noise, sigma %s, seed 2025: chi-square %.1f over %d cells, p = %.3f%n", law, sigma,
          statistic, cells, p);
      assertTrue(p > 1e-3 && p < 1 - 1e-4);
    }
  }

  private static double distribution(NoiseLaw law, double sigma, double y) {
    if (law == NoiseLaw.UNIFORM) {
      return Math.max(0, Math.min(1, 0.5 + y / (2 * Math.sqrt(3) * 255 * sigma)));
    }
    double b = 255 * sigma / Math.sqrt(2);
    return y < 0 ? 0.5 * Math.exp(y / b) : 1 - 0.5 * Math.exp(-y / b);
  }

  @ParameterizedTest
  @EnumSource(value = NoiseLaw.class, names = {"UNIFORM", "LAPLACE"})
  void symmetricAndAmbiguousExactlyOnAThreshold(NoiseLaw law) {
    IntegerNoise noise = IntegerNoise.of(law, new Sigma(0.25));
    SplittableRandom random = new SplittableRandom(12);
    for (int i = 0; i < 20_000; i++) {
      long u = random.nextLong() >>> (i % 32);
      assertEquals(noise.of(u), -noise.of(~u));
    }
    long[] table = noise.thresholds();
    int half = table.length / 2;
    for (int j = -100; j < 100; j++) {
      assertEquals(IntegerNoise.AMBIGUOUS, noise.of(table[half + j]));
      assertEquals(j, noise.of(table[half + j] - 1));
      assertEquals(j + 1, noise.of(table[half + j] + 1));
    }
    assertEquals(law, noise.law());
  }

  /** What it draws is frozen. */
  @ParameterizedTest
  @EnumSource(value = NoiseLaw.class, names = {"UNIFORM", "LAPLACE"})
  void digestsOfTheSpecification(NoiseLaw law) throws IOException {
    int million = 1_000_000;
    int[] noise = new int[million];
    NoiseKey key = new NoiseKey(0x0123456789abcdefL, 3, Phase.ESTIMATE, 17);
    assertTrue(IntegerNoise.of(law, new Sigma(0.25)).draw(key, million, noise));
    Fnv digest = new Fnv();
    for (int m : noise) {
      digest.add(m, 4);
    }
    String row = "| integer " + law.cliName() + " noise, sigma 0.25 | `" + digest.hex() + "` |";
    String page = Files.readString(NoiseVectorsTest.repositoryRoot().resolve("docs/spec/noise.md"));
    assertTrue(page.contains(row), "docs/spec/noise.md has no row " + row);
  }

  @Test
  void tinyAndHugeSigmasHaveTables() {
    for (NoiseLaw law : NoiseLaw.values()) {
      IntegerNoise tiny = IntegerNoise.of(law, new Sigma(1e-9));
      assertEquals(0, tiny.of(1L << 62));
      assertEquals(0, tiny.of(3L << 62));
      IntegerNoise huge = IntegerNoise.of(law, new Sigma(16));
      assertEquals(255 * 97 * 2, huge.thresholds().length);
    }
  }
}
