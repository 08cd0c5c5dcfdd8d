package org.diffcert.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Quantiles, radii and their integer form: vectors, and the side on which they err. */
class RadiusTest {
  /** Fifteen decimals of the quantile of the Clopper-Pearson bound at alpha. */
  @ParameterizedTest
  @CsvSource({
    "100,100,0.001,1.500475024120636", "100,99,0.001,1.349259038810390", "100,66,0.001,0.004135826463334",
    "1000,990,0.001,1.978009582141199", "10000,10000,0.001,3.198577514738332", "10000,9999,0.001,3.113963592182626",
    "10000,9900,0.001,2.212419665102190", "10000,5200,0.001,0.011284701191496",
    "100000,100000,0.001,3.811456563389952", "100000,99990,0.001,3.490207680146649",
    "100000,99000,0.001,2.289999955213766", "100000,100000,0.0001,3.739756879660837"})
  void quantileOfTheBound(int n, int k, double alpha, double truth) {
    double p = ClopperPearson.lower(k, n, alpha);
    double radius = Radius.down(new Sigma(1), p);
    assertTrue(radius <= truth + 5e-16, radius + " is above " + truth);
    // One unit in the last place of p moves the quantile by that over the density.
    double density = Math.exp(-truth * truth / 2) / Math.sqrt(2 * Math.PI);
    assertEquals(truth, radius, 2 * Math.ulp(p) / density + 5e-16);
  }

  @ParameterizedTest
  @CsvSource({
    "66,100,0.00413583", "75,100,0.24660532", "90,100,0.75651541", "99,100,1.34925904", "600,1000,0.12837900",
    "900,1000,1.11448316", "990,1000,1.97800958", "999,1000,2.35765057", "5156,10000,0.00025058",
    "7500,10000,0.63229693", "9000,10000,1.22871006", "9900,10000,2.21241967", "9999,10000,3.11396359",
    "50490,100000,0.00002243", "60000,100000,0.24094479", "90000,100000,1.26484469", "99000,100000,2.28999996",
    "99900,100000,3.00020099", "99999,100000,3.73912667"})
  void radiiOfTheTable(int k, int n, double truth) {
    assertEquals(truth, Radius.down(new Sigma(1), ClopperPearson.lower(k, n, 0.001)), 5.1e-9);
  }

  @ParameterizedTest
  @CsvSource({"10,0.000744,0.001488,0.002976", "100,0.375119,0.750238,1.500475", "1000,0.615816,1.231631,2.463263",
    "10000,0.799644,1.599289,3.198578", "100000,0.952864,1.905728,3.811457"})
  void largestRadii(int n, double quarter, double half, double one) {
    assertEquals(quarter, Radius.largest(new Sigma(0.25), n, 0.001), 5.1e-7);
    assertEquals(half, Radius.largest(new Sigma(0.5), n, 0.001), 5.1e-7);
    assertEquals(one, Radius.largest(new Sigma(1), n, 0.001), 5.1e-7);
    assertEquals(0, Radius.largest(new Sigma(1), 9, 0.001));
  }

  /**
   * Phi at the quantile is at most p, and above p one double further, by a series that alternates where ours does not.
   */
  @ParameterizedTest
  @ValueSource(doubles = {0.5000000000000001, 0.50001, 0.501649951336872, 0.6, 0.75, 0.9, 0.99, 0.9993094630025899,
    0.9999309248330094, 0.999999, 0.999999999999, 0.9999999999999999})
  void quantileIsTheLargestDoubleBelow(double p) {
    double z = NormalQuantile.down(p);
    BigDecimal target = new BigDecimal(p);
    assertTrue(phiByTaylor(z).compareTo(target) <= 0, z + " is too large");
    assertTrue(phiByTaylor(Math.nextUp(z)).compareTo(target) > 0, z + " is needlessly small");
  }

  @Test
  void quantileAtTheMedianAndOutOfRange() {
    assertEquals(0, NormalQuantile.down(0.5));
    assertThrows(IllegalArgumentException.class, () -> NormalQuantile.down(0.4999));
    assertThrows(IllegalArgumentException.class, () -> NormalQuantile.down(1));
    assertThrows(IllegalArgumentException.class, () -> NormalQuantile.down(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> Radius.down(new Sigma(1), 0.5));
  }

  /** sigma 0.12 is no double: the product must stay below both the decimal's and the double's. */
  @Test
  void radiusStaysBelowTheExactProduct() {
    for (double sigma : new double[] {0.12, 0.25, 0.3, 0.5, 0.7, 1}) {
      for (int k = 700; k <= 1000; k += 37) {
        double p = ClopperPearson.lower(k, 1000, 0.001);
        double radius = Radius.down(new Sigma(sigma), p);
        BigDecimal z = new BigDecimal(NormalQuantile.down(p));
        assertTrue(new BigDecimal(radius).compareTo(z.multiply(new BigDecimal(sigma))) <= 0);
        assertTrue(new BigDecimal(radius).compareTo(z.multiply(new BigDecimal(Double.toString(sigma)))) <= 0);
      }
    }
  }

  @Test
  void integerRadiusIsTheFloorOfTheExactSquare() {
    assertEquals(0, IntegerRadius.of(0).squared());
    assertEquals(0, IntegerRadius.of(Math.nextDown(1 / 255.0)).squared());
    // The double next to 1/255 lies below or above it; the integer must follow the double, not the quotient.
    boolean above = new BigDecimal(1 / 255.0).multiply(BigDecimal.valueOf(255)).compareTo(BigDecimal.ONE) >= 0;
    assertEquals(above ? 1 : 0, IntegerRadius.of(1 / 255.0).squared());
    assertEquals(65025, IntegerRadius.of(1).squared());
    assertEquals(65024, IntegerRadius.of(Math.nextDown(1.0)).squared());
    assertEquals(16256, IntegerRadius.of(0.5).squared());
    assertThrows(IllegalArgumentException.class, () -> IntegerRadius.of(-1e-300));
    assertThrows(IllegalArgumentException.class, () -> IntegerRadius.of(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> new IntegerRadius(-2));
  }

  @Test
  void coversExactlyUpToTheSum() {
    ImageShape shape = new ImageShape(1, 2, 2);
    ByteImage x = new ByteImage(shape, new byte[] {0, (byte) 200, 17, (byte) 255});
    ByteImage y = new ByteImage(shape, new byte[] {3, (byte) 196, 17, (byte) 255}); // 9 + 16
    assertTrue(new IntegerRadius(25).covers(x, y));
    assertFalse(new IntegerRadius(24).covers(x, y));
    assertTrue(new IntegerRadius(0).covers(x, x));
    assertFalse(new IntegerRadius(IntegerRadius.NONE).covers(x, x));
    ByteImage black = new ByteImage(shape, new byte[4]);
    ByteImage white = new ByteImage(shape, new byte[] {-1, -1, -1, -1});
    assertTrue(new IntegerRadius(4 * 65025).covers(black, white));
    assertFalse(new IntegerRadius(4 * 65025 - 1).covers(black, white));
    ByteImage other = new ByteImage(new ImageShape(1, 1, 4), new byte[4]);
    assertThrows(IllegalArgumentException.class, () -> new IntegerRadius(1).covers(x, other));
  }

  @ParameterizedTest
  @CsvSource({"60,40,0.0568879336", "66,34,0.0017899304", "67,33,0.0008737198", "11,0,0.0009765625", "10,0,0.001953125",
    "12,2,0.012939453125", "50,50,1", "51,50,1"})
  void predictPValues(int first, int second, double truth) {
    double pValue = BinomialTest.twoSidedHalf(first, first + second);
    assertEquals(truth, pValue, 5.1e-11);
    assertEquals(pValue, BinomialTest.twoSidedHalf(second, first + second));
  }

  @Test
  void pValuesAreNeverBelowTheTruth() {
    // 2 * 2^-11 is a double, so rounding up by less than a unit in the last place is all that is allowed.
    assertEquals(Math.scalb(1.0, -10), BinomialTest.twoSidedHalf(11, 11), Math.ulp(Math.scalb(1.0, -10)));
    for (int k = 51; k <= 100; k += 7) {
      BigDecimal tail = ClopperPearsonTest.tailBySumming(100, k, new BigDecimal("0.5"));
      BigDecimal truth = tail.multiply(BigDecimal.valueOf(2));
      assertTrue(new BigDecimal(BinomialTest.twoSidedHalf(k, 100)).compareTo(truth) >= 0);
    }
    assertEquals(1, BinomialTest.twoSidedHalf(0, 0));
    assertThrows(IllegalArgumentException.class, () -> BinomialTest.twoSidedHalf(3, 2));
  }

  /** Phi(z) = 1/2 + (z - z^3/6 + z^5/40 - ...) / sqrt(2 pi), with 80 digits. */
  private static BigDecimal phiByTaylor(double z) {
    MathContext wide = new MathContext(80, RoundingMode.HALF_EVEN);
    BigDecimal x = new BigDecimal(z).round(wide);
    BigDecimal minusHalfSquare = x.multiply(x, wide).divide(BigDecimal.valueOf(-2), wide);
    BigDecimal power = x;
    BigDecimal sum = x;
    for (int i = 1; i < 400; i++) {
      power = power.multiply(minusHalfSquare, wide).divide(BigDecimal.valueOf(i), wide);
      sum = sum.add(power.divide(BigDecimal.valueOf(2 * i + 1L), wide), wide);
    }
    BigDecimal pi = new BigDecimal(
        "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899863");
    return new BigDecimal("0.5").add(sum.divide(pi.multiply(BigDecimal.valueOf(2)).sqrt(wide), wide));
  }
}
