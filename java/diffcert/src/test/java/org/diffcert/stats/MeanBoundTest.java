package org.diffcert.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.apache.commons.statistics.distribution.BetaDistribution;
import org.apache.commons.statistics.distribution.BinomialDistribution;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Coverage of the bounds for means, exactly where that can be counted, and their rounding. */
class MeanBoundTest {
  private static final MathContext WIDE = new MathContext(60);

  private static double[] bernoulli(int n, int k) {
    double[] values = new double[n];
    Arrays.fill(values, 0, k, 1);
    return values;
  }

  /** Coins: the chance that the bound exceeds p is largest just below the values that it takes. */
  @ParameterizedTest
  @EnumSource(value = MeanBound.class, names = {"HOEFFDING", "EMPIRICAL_BERNSTEIN"})
  void coinsAreCoveredByCount(MeanBound bound) {
    for (int n : new int[] {1, 2, 3, 5, 10, 25, 60, 150}) {
      for (double alpha : new double[] {0.05, 0.01, 0.001}) {
        double[] bounds = new double[n + 1];
        for (int k = 0; k <= n; k++) {
          bounds[k] = bound.lower(bernoulli(n, k), alpha);
        }
        for (double p : bounds) {
          double missed = 0;
          for (int k = 0; k <= n && p > 0; k++) {
            missed += bounds[k] >= p ? BinomialDistribution.of(n, p).probability(k) : 0;
          }
          assertTrue(missed <= alpha * (1 + 1e-9), bound + ", n " + n + ", alpha " + alpha + ", p " + p);
        }
      }
    }
  }

  /** Every sequence of coins, for the order matters to a gambler. */
  @ParameterizedTest
  @ValueSource(doubles = {0.3, 0.1, 0.02})
  void coinsAreCoveredByEverySequence(double alpha) {
    int n = Integer.getInteger("depth", 1) >= 2 ? 14 : 11;
    double[] bounds = new double[1 << n];
    for (int sequence = 0; sequence < bounds.length; sequence++) {
      double[] values = new double[n];
      for (int i = 0; i < n; i++) {
        values[i] = sequence >> i & 1;
      }
      bounds[sequence] = MeanBound.BETTING.lower(values, alpha);
    }
    double worst = 0;
    double[] breaks = Arrays.stream(bounds).distinct().sorted().toArray();
    for (int b = 0; b < breaks.length; b += Math.max(1, breaks.length / 300)) {
      double p = breaks[b];
      double missed = 0;
      for (int sequence = 0; sequence < bounds.length && p > 0; sequence++) {
        int k = Integer.bitCount(sequence);
        missed += bounds[sequence] >= p ? Math.pow(p, k) * Math.pow(1 - p, n - k) : 0;
      }
      worst = Math.max(worst, missed);
    }
    System.out.printf("betting on coins, n %d, alpha %s: missed at most %.5f%n", n, alpha, worst);
    assertTrue(worst <= alpha && worst > alpha / 100, "missed " + worst);
  }

  /** Means of continuous values, by sampling. */
  @ParameterizedTest
  @EnumSource(MeanBound.class)
  void continuousValuesAreCovered(MeanBound bound) {
    long seed = 20261123;
    SplittableRandom random = new SplittableRandom(seed);
    // The closed forms miss so seldom that more runs would show no more.
    int runs = (bound == MeanBound.BETTING ? 1000 : 200) * Integer.getInteger("depth", 1);
    double alpha = 0.05;
    for (double power : new double[] {3, 8, 1 / 30.0}) {
      double mean = 1 / (power + 1);
      int missed = 0;
      int missedAbove = 0;
      for (int run = 0; run < runs; run++) {
        double[] values = random.doubles(60).map(u -> Math.pow(u, power)).toArray();
        missed += bound.lower(values, alpha) > mean ? 1 : 0;
        missedAbove += bound.upper(values, alpha) < mean ? 1 : 0;
      }
      System.out.printf("%s, uniform to the power %.3f, seed %d: %d and %d of %d missed%n", bound, power, seed, missed,
          missedAbove, runs);
      BinomialDistribution most = BinomialDistribution.of(runs, alpha);
      assertTrue(most.survivalProbability(missed - 1) > 1e-6);
      assertTrue(most.survivalProbability(missedAbove - 1) > 1e-6);
    }
  }

  /** The closed forms with 60 digits: ours is at most that, and next to it. */
  @Test
  void closedFormsRoundedDown() {
    SplittableRandom random = new SplittableRandom(8);
    for (int run = 0; run < 30; run++) {
      int n = 50 + random.nextInt(400);
      double alpha = new double[] {0.05, 0.001, 1e-9}[run % 3];
      double[] values = random.doubles(n).map(Math::sqrt).toArray();
      BigDecimal sum = BigDecimal.ZERO;
      BigDecimal squares = BigDecimal.ZERO;
      for (double value : values) {
        sum = sum.add(new BigDecimal(value));
        squares = squares.add(new BigDecimal(value).pow(2));
      }
      BigDecimal count = BigDecimal.valueOf(n);
      BigDecimal mean = sum.divide(count, WIDE);
      BigDecimal variance = squares.subtract(sum.pow(2).divide(count, WIDE)).divide(BigDecimal.valueOf(n - 1), WIDE);
      BigDecimal log = ln(1 / alpha);
      BigDecimal hoeffding = mean.subtract(log.divide(BigDecimal.valueOf(2L * n), WIDE).sqrt(WIDE));
      BigDecimal logTwo = ln(2 / alpha);
      BigDecimal bernstein = mean
          .subtract(variance.multiply(logTwo).multiply(BigDecimal.valueOf(2)).divide(count, WIDE).sqrt(WIDE))
          .subtract(logTwo.multiply(BigDecimal.valueOf(7)).divide(BigDecimal.valueOf(3L * (n - 1)), WIDE));
      // The logarithms of this test are good to 16 digits, 1/alpha being a double.
      close(hoeffding, MeanBound.HOEFFDING.lower(values, alpha));
      close(bernstein, MeanBound.EMPIRICAL_BERNSTEIN.lower(values, alpha));
    }
  }

  private static void close(BigDecimal truth, double bound) {
    double gap = truth.max(BigDecimal.ZERO).subtract(new BigDecimal(bound)).doubleValue();
    assertTrue(gap > -1e-15 && gap < 1e-13, "off by " + gap);
  }

  private static BigDecimal ln(double y) {
    return new BigDecimal(Math.log(y));
  }

  /** The gambler's capital with 60 digits: at the bound it reaches 1/alpha, a little above it does not. */
  @Test
  void capitalAtTheBoundReachesTheGoalExactly() {
    SplittableRandom random = new SplittableRandom(9);
    for (int run = 0; run < 40; run++) {
      int n = 20 + random.nextInt(200);
      double alpha = new double[] {0.05, 0.001}[run % 2];
      double power = random.nextDouble(0.1, 3);
      double[] values = random.doubles(n).map(v -> Math.pow(v, power)).toArray();
      double bound = MeanBound.BETTING.lower(values, alpha);
      assertTrue(bound > 0);
      BigDecimal goal = BigDecimal.ONE.divide(new BigDecimal(Double.toString(alpha)), WIDE);
      assertTrue(mostCapital(values, alpha, bound).compareTo(goal) >= 0, "bound too high");
      assertTrue(mostCapital(values, alpha, bound + 1e-9).compareTo(goal) < 0, "bound needlessly low");
    }
  }

  private static BigDecimal mostCapital(double[] values, double alpha, double mean) {
    int n = values.length;
    BigDecimal m = new BigDecimal(mean);
    BigDecimal atStake = new BigDecimal("0.75").divide(m, WIDE);
    BigDecimal capital = BigDecimal.ONE;
    BigDecimal most = capital;
    double sum = 0.5;
    double squares = 0.25;
    for (int i = 0; i < n; i++) {
      BigDecimal bet = new BigDecimal(Math.sqrt(-2 * StrictMath.log(alpha) * (i + 1) / (n * squares))).min(atStake);
      capital = capital.multiply(BigDecimal.ONE.add(bet.multiply(new BigDecimal(values[i]).subtract(m))), WIDE);
      most = most.max(capital);
      sum += values[i];
      squares += Math.pow(values[i] - sum / (i + 2), 2);
    }
    return most;
  }

  /** What each is for: with little spread, variance pays, and betting most. */
  @Test
  void sharpness() {
    BetaDistribution law = BetaDistribution.of(60, 20);
    SplittableRandom random = new SplittableRandom(10);
    double[] values = random.doubles(1000).map(law::inverseCumulativeProbability).toArray();
    double hoeffding = MeanBound.HOEFFDING.lower(values, 0.001);
    double bernstein = MeanBound.EMPIRICAL_BERNSTEIN.lower(values, 0.001);
    double betting = MeanBound.BETTING.lower(values, 0.001);
    System.out.printf("mean 0.75, n 1000, alpha 0.001, seed 10: Hoeffding %.4f, Bernstein %.4f, betting %.4f%n",
        hoeffding, bernstein, betting);
    assertTrue(hoeffding < bernstein && bernstein < betting && betting < 0.75);
    assertTrue(MeanBound.BETTING.upper(values, 0.001) > 0.75);
  }

  @ParameterizedTest
  @EnumSource(MeanBound.class)
  void extremes(MeanBound bound) {
    double[] ones = bernoulli(1000, 1000);
    double[] zeros = new double[1000];
    assertEquals(0, bound.lower(zeros, 0.001));
    assertEquals(1, bound.upper(ones, 0.001));
    assertTrue(bound.lower(ones, 0.001) > 0.9 && bound.lower(ones, 0.001) < 1);
    assertEquals(1 - bound.lower(ones, 0.001), bound.upper(zeros, 0.001), 1e-15);
    assertEquals(0, bound.lower(new double[] {1}, 1e-9));
    double[] smallest = {Double.MIN_VALUE, 1, 0.3};
    assertTrue(bound.upper(smallest, 0.4) <= 1 && bound.lower(smallest, 0.4) >= 0);
    assertThrows(IllegalArgumentException.class, () -> bound.lower(new double[0], 0.001));
    assertThrows(IllegalArgumentException.class, () -> bound.lower(new double[] {Double.NaN}, 0.001));
    assertThrows(IllegalArgumentException.class, () -> bound.upper(new double[] {Math.nextUp(1.0)}, 0.001));
    assertThrows(IllegalArgumentException.class, () -> bound.lower(new double[] {-1e-300}, 0.001));
    assertThrows(IllegalArgumentException.class, () -> bound.lower(ones, 0));
    assertThrows(IllegalArgumentException.class, () -> bound.lower(ones, 0.5));
  }

  @Test
  void exponentialsHoldTheirSide() {
    SplittableRandom random = new SplittableRandom(13);
    for (int run = 0; run < 200; run++) {
      BigDecimal x = new BigDecimal(random.nextDouble() * (run % 4 == 0 ? 600 : 5));
      // exp(x) = exp(-x / 2^20)^(-2^20), by the alternating series
      BigDecimal small = x.divide(BigDecimal.valueOf(1 << 20), new MathContext(100)).negate();
      BigDecimal term = BigDecimal.ONE;
      BigDecimal sum = BigDecimal.ONE;
      for (int k = 1; k < 40; k++) {
        term = term.multiply(small, new MathContext(100)).divide(BigDecimal.valueOf(k), new MathContext(100));
        sum = sum.add(term, new MathContext(100));
      }
      for (int i = 0; i < 20; i++) {
        sum = sum.multiply(sum, new MathContext(100));
      }
      BigDecimal truth = BigDecimal.ONE.divide(sum, new MathContext(80));
      BigDecimal low = Exponential.down(x);
      BigDecimal high = Exponential.up(x);
      assertTrue(low.compareTo(truth) <= 0 && truth.compareTo(high) <= 0, "exp(" + x + ")");
      assertTrue(high.subtract(low).compareTo(truth.multiply(new BigDecimal("1e-35"))) < 0);
      if (truth.compareTo(new BigDecimal("1e250")) < 0) {
        assertTrue(Exponential.logUp(truth) >= x.doubleValue());
        assertEquals(x.doubleValue(), Exponential.logUp(truth), 4 * Math.ulp(x.doubleValue()));
      }
    }
  }
}
