package org.diffcert.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.diffcert.DiffcertException;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Errors of rules that look while samples come, exactly (B1): every path of every length up to the cap counts. What the
 * published code gets wrong is built here, too, and the same check refuses it.
 */
class SequentialCoverageTest {
  private static final int CAP = Integer.getInteger("depth", 1) >= 2 ? 100_000 : 10_000;
  private static final double[] RATIOS = {0, 0.5, 1, 2, 3};

  /** Phi(ratio), rounded up. */
  private static double threshold(double ratio) {
    return Radius.probability(new Sigma(1), ratio);
  }

  /** Whether errors of both kinds together are at most alpha, for a true p at the threshold and around it. */
  private static boolean holds(Walk.Decision decision, double threshold, double alpha) {
    boolean holds = Walk.of(decision, threshold, CAP).decided() <= alpha;
    for (double off : new double[] {1e-9, 1e-4, 1e-3, 1e-2}) {
      holds &= Walk.of(decision, threshold - off, CAP).above() <= alpha;
      holds &= threshold + off >= 1 || Walk.of(decision, threshold + off, CAP).below() <= alpha;
    }
    return holds;
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.05, 0.01, 0.001})
  void bettingErrsAtMostAlphaOnBothSidesTogether(double alpha) {
    for (double ratio : RATIOS) {
      double p = threshold(ratio);
      BettingRule rule = new BettingRule(new double[] {p}, CAP + 1, alpha);
      assertTrue(holds(Walk.of(rule, p), p, alpha), "ratio " + ratio);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.05, 0.01, 0.001})
  void stagesErrAtMostAlphaOnEachSide(double alpha) {
    for (double ratio : RATIOS) {
      double p = threshold(ratio);
      StagedRule rule = new StagedRule(new double[] {p}, 2 * CAP, alpha); // the last look but one is at the cap
      Walk walk = Walk.of(Walk.of(rule, p), p, CAP);
      assertTrue(walk.above() <= alpha && walk.below() <= alpha, "ratio " + ratio + ": " + walk);
      assertTrue(walk.decided() > 0, "it decides sometimes");
    }
  }

  /** A rule for many radii, wherever it stops, the cap included: its bound is above the truth with at most alpha. */
  @ParameterizedTest
  @CsvSource({"0.05,0.7", "0.05,0.92", "0.001,0.55", "0.001,0.92", "0.01,0.99"})
  void theBoundOfAGridIsSeldomAboveTheTruth(double alpha, double truth) {
    int cap = 2000;
    double[] grid = {threshold(0), threshold(0.5), threshold(1), threshold(1.5)};
    for (StopRule rule : new StopRule[] {new BettingRule(grid, cap, alpha), new StagedRule(grid, cap, alpha)}) {
      Walk walk = Walk.of((k, n) -> !rule.stops(k, n) ? 0 : rule.lower(k, n) > truth ? 1 : -1, truth, cap);
      assertTrue(walk.above() <= alpha, rule.getClass() + ": " + walk);
      assertEquals(1, walk.decided(), 1e-9, "it stops at the cap at the latest");
    }
  }

  /** Slips of the published code: ln(1 / (2 alpha)) for two sides, and the quantile where Phi is meant. */
  @Test
  void publishedSlipsAreRefused() {
    double alpha = 0.001;
    for (double ratio : new double[] {0.5, 1}) {
      double p = threshold(ratio);
      Walk.LogMixture mixture = Walk.krichevskyTrofimov(CAP);
      assertTrue(holds(Walk.betting(mixture, p, Math.log(1 / alpha)), p, alpha), "as it should be, it passes");
      assertFalse(holds(Walk.betting(mixture, p, Math.log(1 / (2 * alpha))), p, alpha), "ln(1 / (2 alpha))");
    }
    double ratio = 0.75;
    double meant = threshold(ratio);
    double quantile = NormalDistribution.of(0, 1).inverseCumulativeProbability(ratio);
    Walk.Decision wrong = Walk.betting(Walk.krichevskyTrofimov(CAP), quantile, Math.log(1 / alpha));
    assertFalse(holds(wrong, meant, alpha), "norm.ppf for norm.cdf");
    assertTrue(Walk.of(wrong, meant - 0.01, CAP).above() > 0.99, "it certifies what is not so, nearly always");
  }

  /** Other slips that the check must see: twice alpha, and peeking at bounds made for one look. */
  @Test
  void otherSlipsAreRefused() {
    double alpha = 0.01;
    double p = threshold(0.5);
    assertFalse(holds(Walk.of(new BettingRule(new double[] {p}, CAP + 1, 2 * alpha), p), p, alpha));
    Walk.Decision peeking = (k, n) -> n <= 1000 && n % 10 == 0 && k > p * n
        && ClopperPearson.lower(k, n, alpha) > p ? 1 : 0;
    assertFalse(holds(peeking, p, alpha));
  }

  /** B2's limit for unanimous votes. */
  @ParameterizedTest
  @CsvSource({"0,13", "0.5,25", "1,55", "2,459"})
  void unanimousVotesDecideEarly(double ratio, int most) {
    BettingRule rule = new BettingRule(new double[] {threshold(ratio)}, 10_000, 0.001);
    int n = 1;
    while (!rule.stops(n, n)) {
      n++;
    }
    assertTrue(n <= most, n + " samples");
    assertTrue(rule.lower(n, n) >= threshold(ratio) && rule.lower(n - 1, n - 1) < threshold(ratio));
    assertTrue(n >= Math.log(0.001) / Math.log(threshold(ratio)), "no fewer than a bound for one look needs");
  }

  /** The table decides as the bound does: at its least count the bound reaches the probability, one below not. */
  @Test
  void tablesAgreeWithTheBound() {
    for (double ratio : RATIOS) {
      double p = threshold(ratio);
      BettingRule rule = new BettingRule(new double[] {p}, 20_001, 0.001);
      for (int n : new int[] {13, 14, 100, 999, 6000, 20_000}) {
        int k = n;
        while (k > p * n && rule.stops(k, n)) {
          k--;
        }
        if (k < n) {
          assertTrue(rule.lower(k + 1, n) >= p, "ratio " + ratio + ", " + (k + 1) + " of " + n);
        }
        assertTrue(rule.lower(k, n) < p, "ratio " + ratio + ", " + k + " of " + n);
      }
    }
  }

  /** The soonest stop is never later than the stop, on any path; so nothing is drawn in vain and nothing overlooked. */
  @Test
  void soonestIsAPromise() {
    double[] grid = {threshold(0), threshold(0.5), threshold(1)};
    for (StopRule rule : new StopRule[] {new BettingRule(grid, 300, 0.05), new StagedRule(grid, 300, 0.05),
        new FixedSamples(300, 0.05)}) {
      for (double p : new double[] {0, 0.3, 0.6, 0.8, 0.95, 1}) {
        SplittableRandom random = new SplittableRandom(11);
        int promised = rule.soonest(0, 0);
        int k = 0;
        int n = 0;
        while (n == 0 || !rule.stops(k, n)) {
          k += random.nextDouble() < p ? 1 : 0;
          n++;
          assertTrue(n >= promised || !rule.stops(k, n), rule.getClass() + " stops before " + promised);
          promised = n < rule.cap() ? Math.max(promised, n + rule.soonest(k, n)) : promised;
        }
        assertTrue(n <= rule.cap());
      }
    }
  }

  @Test
  void argumentsOutOfRangeAreRefused() {
    assertThrows(DiffcertException.class, () -> new BettingRule(new double[] {0.5}, 1_000_001, 0.001));
    assertThrows(DiffcertException.class, () -> BettingRule.highest(0, 0.001));
    for (double p : new double[] {0.4999, 1, Double.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> new BettingRule(new double[] {p}, 10, 0.001));
      assertThrows(IllegalArgumentException.class, () -> new StagedRule(new double[] {p}, 10, 0.001));
    }
    assertThrows(IllegalArgumentException.class, () -> new BettingRule(new double[0], 10, 0.001));
    assertThrows(IllegalArgumentException.class, () -> new StagedRule(new double[] {0.5}, 10, 0.5));
    StagedRule rule = new StagedRule(new double[] {0.5}, 100, 0.001);
    assertThrows(IllegalArgumentException.class, () -> rule.lower(20, 20), "there is no look at 20");
    assertEquals(ClopperPearson.lower(20, 25, Bonferroni.each(0.001, 4)), rule.lower(20, 25));
  }
}
