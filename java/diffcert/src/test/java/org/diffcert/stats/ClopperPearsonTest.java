package org.diffcert.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bounds against published-precision vectors and against an independent evaluation of the tail with 80 digits. */
class ClopperPearsonTest {
  private static final double ALPHA = 0.001;

  /** Eighteen digits of the true bound: ours is at most that, and less than four units of the last place below. */
  @ParameterizedTest
  @CsvSource({
    "100,100,0.001,0.933254300796991044", "100,99,0.001,0.911373111296042429", "100,66,0.001,0.501649951336872640",
    "1000,990,0.001,0.976036187155311373", "10000,10000,0.001,0.999309463002589922",
    "10000,9999,0.001,0.999077038669339488", "10000,9900,0.001,0.986531159323806184",
    "10000,5200,0.001,0.504501848879179885", "100000,100000,0.001,0.999930924833009393",
    "100000,99990,0.001,0.999758677343591162", "100000,99000,0.001,0.988989340377474758",
    "100000,100000,0.0001,0.999907900837668510"})
  void lowerBoundIsTheLargestDoubleAtOrBelowTheTruth(int n, int k, double alpha, BigDecimal truth) {
    double bound = ClopperPearson.lower(k, n, alpha);
    BigDecimal gap = truth.subtract(new BigDecimal(bound));
    // The vector itself ends after 18 digits, so half of its last digit is allowed above it.
    assertTrue(gap.compareTo(new BigDecimal("-5e-19")) >= 0, bound + " is above " + truth);
    assertTrue(gap.doubleValue() <= Math.ulp(bound) * 1.01, bound + " is needlessly far below " + truth);
    assertTrue(tailBySumming(n, k, new BigDecimal(bound)).compareTo(BigDecimal.valueOf(alpha)) <= 0);
    assertTrue(tailBySumming(n, k, new BigDecimal(Math.nextUp(bound))).compareTo(BigDecimal.valueOf(alpha)) > 0);
  }

  /** The table of the method's reference: ten decimals of both bounds. */
  @ParameterizedTest
  @CsvSource({
    "0,100,0,0.0667456992", "50,100,0.3447980064,0.6552019936", "60,100,0.4409842652,0.7454637954",
    "66,100,0.5016499513,0.7966423175", "75,100,0.5973931552,0.8685818579", "90,100,0.7753298802,0.9694580947",
    "99,100,0.9113731113,0.9999899950", "600,1000,0.5510754739,0.6475692881", "900,1000,0.8674640180,0.9270695037",
    "990,1000,0.9760361872,0.9970304991", "999,1000,0.9908045024,0.9999989995",
    "5155,10000,0.4999999394,0.5309792028", "5156,10000,0.5000999682,0.5310790394",
    "7500,10000,0.7364035666,0.7632597842", "9000,10000,0.8904097337,0.9090504004",
    "9900,10000,0.9865311593,0.9927980889", "9999,10000,0.9990770387,0.9999998999",
    "50489,100000,0.4999989485,0.5097803953", "50490,100000,0.5000089488,0.5097903937",
    "60000,100000,0.5952010473,0.6047855338", "90000,100000,0.8970364962,0.9029097782",
    "99000,100000,0.9889893404,0.9909445314", "99900,100000,0.9986509924,0.9992806886",
    "99999,100000,0.9999076697,0.9999999900"})
  void bothBoundsOfTheTable(int k, int n, double lower, double upper) {
    double below = ClopperPearson.lower(k, n, ALPHA);
    double above = ClopperPearson.upper(k, n, ALPHA);
    assertEquals(lower, below, 5.1e-11);
    assertEquals(upper, above, 5.1e-11);
    BigDecimal alpha = BigDecimal.valueOf(ALPHA);
    if (k > 0) {
      assertTrue(tailBySumming(n, k, new BigDecimal(below)).compareTo(alpha) <= 0, "the lower bound is not low enough");
    }
    BigDecimal failures = BigDecimal.ONE.subtract(new BigDecimal(above));
    assertTrue(tailBySumming(n, n - k, failures).compareTo(alpha) <= 0, "the upper bound is not high enough");
  }

  /** All votes for one class: the bound is alpha^(1/n), so its n-th power, exactly computed, must not exceed alpha. */
  @ParameterizedTest
  @CsvSource({"10,0.5011872336272722", "100,0.9332543007969910", "1000,0.9931160484209338", "10000,0.9993094630025899",
    "100000,0.9999309248330094"})
  void unanimousVotes(int n, double truth) {
    double bound = ClopperPearson.lower(n, n, ALPHA);
    assertEquals(truth, bound, 2.3e-16);
    MathContext wide = new MathContext(60, RoundingMode.HALF_EVEN);
    assertTrue(new BigDecimal(bound).pow(n, wide).compareTo(BigDecimal.valueOf(ALPHA)) <= 0);
    assertTrue(new BigDecimal(Math.nextUp(bound)).pow(n, wide).compareTo(BigDecimal.valueOf(ALPHA)) > 0);
  }

  @ParameterizedTest
  @CsvSource({"0.001,10,10", "0.001,50,37", "0.001,100,66", "0.001,500,286", "0.001,1000,550", "0.001,10000,5156",
    "0.001,100000,50490", "0.01,10,10", "0.01,50,34", "0.01,100,63", "0.01,500,277", "0.01,1000,538",
    "0.01,10000,5117", "0.01,100000,50369"})
  void abstainBoundary(double alpha, int n, int smallest) {
    assertEquals(OptionalInt.of(smallest), ClopperPearson.smallestCertifying(n, alpha));
    assertTrue(ClopperPearson.lower(smallest, n, alpha) > 0.5);
    assertTrue(ClopperPearson.lower(smallest - 1, n, alpha) <= 0.5);
  }

  @Test
  void tooFewSamplesNeverCertify() {
    assertEquals(OptionalInt.empty(), ClopperPearson.smallestCertifying(9, ALPHA));
    assertTrue(ClopperPearson.lower(9, 9, ALPHA) < 0.5);
  }

  /** Extreme arguments, where the library's guess has its worst relative error. */
  @ParameterizedTest
  @CsvSource({"1,100000,0.001", "1,100000,1e-12", "2,100000,1e-12", "100000,100000,1e-12", "1,1,0.001", "1,1,0.49",
    "3,7,1e-300", "50000,100000,1e-9", "1000000,1000000,0.001"})
  void extremesStayOnTheSafeSide(int k, int n, double alpha) {
    double bound = ClopperPearson.lower(k, n, alpha);
    BigDecimal level = new BigDecimal(Double.toString(alpha)).min(new BigDecimal(alpha));
    assertTrue(tailBySumming(n, k, new BigDecimal(bound)).compareTo(level) <= 0);
    // At n = 1 the tail is p itself, which 40 digits may not hold exactly: there one more unit in the last place is
    // given up.
    assertTrue(tailBySumming(n, k, new BigDecimal(bound + 2 * Math.ulp(bound))).compareTo(level) > 0);
  }

  /**
   * Exact coverage without sampling (B1): for a true probability just below the bound of j successes, the bound is too
   * high exactly when there are j or more. That is the worst there is, and it is at most alpha for every n to 500.
   */
  @ParameterizedTest
  @ValueSource(doubles = {0.05, 0.01, 0.001})
  void nonCoverageNeverExceedsAlpha(double alpha) {
    for (int n = 1; n <= 500; n++) {
      for (int j = 1; j <= n; j++) {
        double missed = Tails.atLeast(j, n, ClopperPearson.lower(j, n, alpha));
        assertTrue(missed <= alpha * (1 + Tails.SLACK), "n " + n + ", break point " + j);
        assertTrue(missed > alpha * (1 - 2 * Tails.SLACK), "n " + n + ", break point " + j + " is loose");
      }
    }
  }

  /** The check above sees a bound that is only slightly too high: an alpha of one part in a million more. */
  @Test
  void theCheckSeesASlip() {
    for (double slip : new double[] {1e-6, 1}) {
      double bound = ClopperPearson.lower(250, 300, ALPHA * (1 + slip));
      assertTrue(Tails.atLeast(250, 300, bound) > ALPHA * (1 + Tails.SLACK), "a slip of " + slip);
    }
  }

  @Test
  void boundsRiseWithTheCount() {
    double before = -1;
    for (int k = 0; k <= 211; k++) {
      double bound = ClopperPearson.lower(k, 211, ALPHA);
      assertTrue(bound > before);
      before = bound;
    }
  }

  @Test
  void argumentsOutOfRangeAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> ClopperPearson.lower(3, 2, ALPHA));
    assertThrows(IllegalArgumentException.class, () -> ClopperPearson.lower(-1, 2, ALPHA));
    assertThrows(IllegalArgumentException.class, () -> ClopperPearson.lower(0, 0, ALPHA));
    assertThrows(IllegalArgumentException.class, () -> ClopperPearson.lower(1, 2, 0));
    assertThrows(IllegalArgumentException.class, () -> ClopperPearson.lower(1, 2, 0.5));
    assertThrows(IllegalArgumentException.class, () -> ClopperPearson.upper(1, 2, Double.NaN));
  }

  /**
   * The tail by its definition, with 80 digits rounded to nearest: the coefficient by successive multiplication and
   * division, the sum over every term that matters. Shares no code with the implementation.
   */
  static BigDecimal tailBySumming(int n, int k, BigDecimal p) {
    MathContext wide = new MathContext(80, RoundingMode.HALF_EVEN);
    if (k == 0) {
      return BigDecimal.ONE;
    }
    BigDecimal q = BigDecimal.ONE.subtract(p);
    BigDecimal coefficient = BigDecimal.ONE;
    for (int i = 1; i <= Math.min(k, n - k); i++) {
      coefficient = coefficient.multiply(BigDecimal.valueOf(n - i + 1L)).divide(BigDecimal.valueOf(i), wide);
    }
    BigDecimal term = coefficient.multiply(p.pow(k, wide), wide).multiply(q.pow(n - k, wide), wide);
    BigDecimal sum = BigDecimal.ZERO;
    BigDecimal smallest = new BigDecimal("1e-70");
    for (int j = k; j <= n && term.compareTo(sum.multiply(smallest, wide)) > 0; j++) {
      sum = sum.add(term, wide);
      term = term.multiply(BigDecimal.valueOf(n - j)).multiply(p).divide(BigDecimal.valueOf(j + 1L).multiply(q), wide);
    }
    return sum;
  }
}
