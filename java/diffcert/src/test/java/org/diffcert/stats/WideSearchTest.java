package org.diffcert.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What the fast way answers is to the bit what the decimals define, and it seldom has no answer. */
class WideSearchTest {
  private static final int DEPTH = Integer.getInteger("depth", 1);
  private final long seed = Long.getLong("wideSeed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private int unknown;

  @Test
  void boundsAreThoseOfTheDecimals() {
    System.out.println("WideSearchTest: -DwideSeed=" + seed);
    int cases = 0;
    for (int n : new int[] {1, 2, 3, 7, 30, 100, 500, 1000, 10_000, 100_000}) {
      int each = (n > 1000 ? 25 : 150) * DEPTH;
      for (int i = 0; i < each; i++) {
        int near = random.nextInt(Math.min(n, 20));
        int k = i % 3 == 0 ? n - near : i % 3 == 1 ? 1 + near : 1 + random.nextInt(n);
        double alpha = i % 5 == 0 ? 0.001 : 0.49 * Math.pow(10, -9 * random.nextDouble());
        compare(k, n, alpha);
        cases++;
      }
    }
    // At n = 1 the bound is alpha itself, which only an equality could tell.
    assertTrue(unknown <= 150 * DEPTH + cases / 100, unknown + " of " + cases + " were left to the decimals");
  }

  private void compare(int k, int n, double alpha) {
    String where = k + " of " + n + " at " + alpha;
    BigDecimal level = Directed.smallerReading(alpha);
    double defined = ClopperPearson.lowerByDecimals(k, n, level);
    double found = WideSearch.tail(k, n, level);
    unknown += Double.isNaN(found) ? 1 : 0;
    assertEquals(Double.isNaN(found) ? defined : found, defined, where);
    assertEquals(defined, ClopperPearson.lower(k, n, alpha), where);
    assertEquals(defined, ClopperPearson.lower(k, n, alpha), where + ", remembered");
    if (n <= 10_000) {
      assertEquals(BettingBound.lowerByDecimals(k, n, level), BettingBound.lower(k, n, alpha), where + ", betting");
    }
  }

  @Test
  void quantilesAreThoseOfTheDecimals() {
    for (int i = 0; i < 500 * DEPTH; i++) {
      double tail = 0.5 * Math.pow(10, -13 * random.nextDouble());
      double p = i % 4 == 0 ? 0.5 + tail / 1000 : 1 - tail;
      double found = NormalQuantile.down(p);
      assertEquals(NormalQuantile.downByDecimals(p, found), found, "seed " + seed + ", p " + p);
    }
  }

  /** Each operation stays within its stated error of 60-digit arithmetic. */
  @Test
  void operationsAreAsGoodAsTheySay() {
    MathContext wide = new MathContext(60);
    for (int i = 0; i < 2000; i++) {
      BigDecimal x = new BigDecimal(random.nextDouble(1e-3, 1e3)).add(new BigDecimal(random.nextDouble() * 1e-18));
      BigDecimal y = new BigDecimal(random.nextDouble(1e-3, 1e3)).add(new BigDecimal(random.nextDouble() * 1e-18));
      Wide a = Wide.of(x);
      Wide b = Wide.of(y);
      BigDecimal xx = exact(a);
      BigDecimal yy = exact(b);
      within(xx.multiply(yy), new Wide(a).times(b));
      within(xx.divide(yy, wide), new Wide(a).over(b));
      within(xx.add(yy), new Wide(a).plus(b));
      double d = yy.doubleValue();
      within(xx.multiply(new BigDecimal(d)), new Wide(a).times(d));
      within(xx.divide(new BigDecimal(d), wide), new Wide(a).over(d));
      double p = random.nextDouble();
      within(BigDecimal.ONE.subtract(new BigDecimal(p)), Wide.oneMinus(p));
    }
  }

  private static void within(BigDecimal truth, Wide found) {
    BigDecimal error = exact(found).subtract(truth).abs();
    assertTrue(error.compareTo(truth.multiply(new BigDecimal(Wide.ERROR / 4))) <= 0, truth + " became " + exact(found));
  }

  private static BigDecimal exact(Wide number) {
    assertEquals(0, number.exponent());
    return new BigDecimal(number.high()).add(new BigDecimal(number.low()));
  }
}
