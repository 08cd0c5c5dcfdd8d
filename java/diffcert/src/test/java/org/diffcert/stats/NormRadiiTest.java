package org.diffcert.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Certificates in L1, L2 and LINF against the worst case that there is, cell by cell, and against closed forms. */
class NormRadiiTest {
  private static final double[] BOUNDS = {0.51, 0.6, 0.75, 0.9, 0.99, 0.999, 0.99999};

  /** From one sum of squares: the largest L1 and LINF distance below which no pair of differences exceeds it. */
  @Test
  void integersFromASumOfSquaresAreTheLargestThereAre() {
    for (long squared : new long[] {0, 1, 2, 3, 7, 8, 24, 25, 1000, 65024, 65025, 65026, 80000, 129999}) {
      long sum = Long.MAX_VALUE;
      long largest = Long.MAX_VALUE;
      for (int a = 0; a <= 255; a++) {
        for (int b = 0; b <= 255; b++) {
          if (a * a + b * b > squared) {
            sum = Math.min(sum, a + b - 1);
            largest = Math.min(largest, Math.max(a, b) - 1);
          }
        }
      }
      NormRadii radii = NormRadii.ofL2(Math.sqrt(squared) / 256, new IntegerRadius(squared), 2);
      assertEquals(sum, radii.l1().units(), "sum of squares " + squared);
      assertEquals(largest, radii.linf().units(), "sum of squares " + squared);
      assertEquals(squared, radii.l2().units());
    }
  }

  @Test
  void gaussianRadii() {
    for (double p : BOUNDS) {
      for (int d : new int[] {1, 2, 784, 3072, 150528}) {
        Sigma sigma = new Sigma(0.5);
        double l2 = Radius.down(sigma, p);
        NormRadii radii = NormRadii.of(NoiseLaw.GAUSSIAN, sigma, d, p);
        assertEquals(l2, radii.l1().radius());
        assertEquals(l2, radii.l2().radius());
        assertEquals(IntegerRadius.of(l2).squared(), radii.l2().units());
        BigDecimal square = new BigDecimal(l2).pow(2);
        BigDecimal times = BigDecimal.valueOf(d);
        double linf = radii.linf().radius();
        assertTrue(new BigDecimal(linf).pow(2).multiply(times).compareTo(square) <= 0);
        assertTrue(new BigDecimal(Math.nextUp(linf)).pow(2).multiply(times).compareTo(square) > 0);
        assertTrue(radii.linf().units() >= Norm.LINF.units(linf));
      }
    }
  }

  /** Each shift that a certificate covers leaves every set of probability p more than one half: two pixels, exactly. */
  @ParameterizedTest
  @EnumSource(value = NoiseLaw.class, names = {"UNIFORM", "LAPLACE"})
  void noSetOfTwoPixelsContradictsACertificate(NoiseLaw law) {
    double bytes = 5.3;
    Sigma sigma = new Sigma(bytes / 255);
    IntToDoubleFunction mass = law == NoiseLaw.UNIFORM ? WorstCase.uniform(bytes) : WorstCase.laplace(bytes);
    int reach = law == NoiseLaw.UNIFORM ? 10 : 75;
    ImageShape shape = new ImageShape(1, 1, 2);
    ByteImage black = new ByteImage(shape, new byte[2]);
    for (double p : new double[] {0.6, 0.8, 0.97}) {
      NormRadii radii = NormRadii.of(law, sigma, 2, p);
      int covered = 0;
      for (int a = 0; a <= 15; a++) {
        for (int b = 0; b <= a; b++) {
          if (radii.covers(black, new ByteImage(shape, new byte[] {(byte) a, (byte) b}))) {
            double worst = WorstCase.least(mass, reach, a, b, p);
            assertTrue(worst > 0.5 - 1e-9, law + ", p " + p + ", shift " + a + "," + b + ": " + worst);
            covered++;
          }
        }
      }
      assertTrue(covered > 2 || p == 0.6, law + " covers " + covered + " shifts at " + p);
    }
  }

  /** Where the noise is uniform on an odd number of integers, the certificate ends where the worst case does. */
  @ParameterizedTest
  @ValueSource(doubles = {0.52, 0.61, 0.75, 0.9, 0.999})
  void uniformIsTight(double p) {
    int outcomes = 41;
    double bytes = outcomes / Math.sqrt(12);
    IntToDoubleFunction mass = WorstCase.uniform(bytes);
    NormRadii one = NormRadii.of(NoiseLaw.UNIFORM, new Sigma(bytes / 255), 1, p);
    int s = (int) one.l1().units();
    assertTrue(WorstCase.least(mass, 21, s, p) > 0.5);
    assertTrue(WorstCase.least(mass, 21, s + 1, p) <= 0.5 + 1e-9);
    assertEquals(s, one.linf().units());
    assertEquals((s + 1L) * (s + 1) - 1, one.l2().units(), "in one dimension the norms are one");
    NormRadii two = NormRadii.of(NoiseLaw.UNIFORM, new Sigma(bytes / 255), 2, p);
    int m = (int) two.linf().units();
    assertTrue(WorstCase.least(mass, 21, m, m, p) > 0.5);
    assertTrue(WorstCase.least(mass, 21, m + 1, m + 1, p) <= 0.5 + 1e-9);
    assertEquals(s, two.l1().units(), "L1's worst case is one pixel, whatever the dimension");
  }

  /** A half-line of the rounded Laplace noise is the worst case, and reaches the bound. */
  @Test
  void laplaceIsTightInL1() {
    double bytes = 9;
    double b = bytes / Math.sqrt(2);
    for (int j = 1; j <= 30; j += 3) {
      double p = 1 - 0.5 * Math.exp(-(j + 0.5) / b);
      int s = (int) NormRadii.of(NoiseLaw.LAPLACE, new Sigma(bytes / 255), 5, p).l1().units();
      assertEquals(j, s);
      assertTrue(WorstCase.least(WorstCase.laplace(bytes), 150, s, p) > 0.5);
      assertTrue(WorstCase.least(WorstCase.laplace(bytes), 150, s + 1, p) < 0.5);
    }
  }

  /** The L2 bound of Laplace noise in a hundred dimensions, at the shift by one unit everywhere. */
  @Test
  void laplaceMomentsHoldInManyDimensions() {
    int d = 100;
    for (double p : new double[] {0.6, 0.9, 0.999, 0.9999999}) {
      // The least sigma at which this shift, of length 10 units, is covered.
      double sigma = Directed.largest(1e-3, 16, 0.1,
          s -> NormRadii.of(NoiseLaw.LAPLACE, new Sigma(s), d, p).l2().radius() < 10 / 255.0);
      double covering = Math.nextUp(sigma);
      double worst = WorstCase.least(shiftByOne(255 * covering, d), p);
      System.out.printf("Laplace noise, d = 100, p = %s: sigma %.4f, worst case after the shift %.4f%n", p, covering,
          worst);
      assertTrue(worst > 0.5);
    }
  }

  /**
   * The two laws of d pixels shifted by one: the likelihood ratio of a pixel has four values, so what counts is how
   * many pixels have which.
   */
  private static List<WorstCase.Cell> shiftByOne(double bytes, int d) {
    double b = bytes / Math.sqrt(2);
    double far = 0.5 * Math.exp(-0.5 / b); // noise of at least 1, or of at most -1
    double middle = 1 - 2 * far;
    double next = WorstCase.laplace(bytes).applyAsDouble(1);
    double[] before = {far, middle, next, far - next};
    double[] after = {far - next, next, middle, far};
    List<WorstCase.Cell> cells = new ArrayList<>();
    double[] logFactorial = new double[d + 1];
    for (int i = 2; i <= d; i++) {
      logFactorial[i] = logFactorial[i - 1] + Math.log(i);
    }
    for (int i = 0; i <= d; i++) {
      for (int j = 0; i + j <= d; j++) {
        for (int k = 0; i + j + k <= d; k++) {
          int l = d - i - j - k;
          double ways = logFactorial[d] - logFactorial[i] - logFactorial[j] - logFactorial[k] - logFactorial[l];
          cells.add(new WorstCase.Cell(Math.exp(ways + log(before, i, j, k, l)), Math.exp(ways + log(after, i, j, k,
              l))));
        }
      }
    }
    return cells;
  }

  private static double log(double[] probabilities, int... counts) {
    double sum = 0;
    for (int i = 0; i < counts.length; i++) {
      sum += counts[i] * Math.log(probabilities[i]);
    }
    return sum;
  }

  /** The closed forms, in doubles: ours is at most that, and next to it. */
  @Test
  void radiiAreTheClosedFormsRoundedDown() {
    for (double s : new double[] {0.12, 0.25, 1}) {
      for (double p : BOUNDS) {
        for (int d : new int[] {1, 784, 3072}) {
          NormRadii uniform = NormRadii.of(NoiseLaw.UNIFORM, new Sigma(s), d, p);
          double width = Math.sqrt(12) * s;
          double each = -Math.expm1(Math.log1p(0.5 - p) / d);
          assertEquals(width * (p - 0.5), uniform.l1().radius(), 1e-14);
          assertEquals(width * each, uniform.linf().radius(), 1e-14);
          assertEquals(width * Math.sqrt(d) * each, uniform.l2().radius(), 1e-13);
          NormRadii laplace = NormRadii.of(NoiseLaw.LAPLACE, new Sigma(s), d, p);
          double l1 = -s / Math.sqrt(2) * Math.log(2 * (1 - p));
          double moments = s * (Math.sqrt(-Math.log(1 - p)) - Math.sqrt(Math.log(2)));
          assertEquals(l1, laplace.l1().radius(), 1e-14);
          assertEquals(Math.max(l1 / Math.sqrt(d), moments), laplace.l2().radius(), 1e-14);
          assertEquals(Math.max(l1 / d, moments / Math.sqrt(d)), laplace.linf().radius(), 1e-14);
        }
      }
    }
  }

  /** Strictly: at a distance of exactly 2 l (p - 1/2) the probability may be one half, which decides nothing. */
  @Test
  void theInequalityIsStrict() {
    // r^2 < 12 s^2 (p - 1/2)^2 with s^2 = 3: the bound is 6 (p - 1/2), a double for p = 3/4. But 3 has no root: take
    // the largest double below and above.
    double s = Math.sqrt(3);
    double r = NormRadii.of(NoiseLaw.UNIFORM, new Sigma(s), 1, 0.75).l1().radius();
    BigDecimal square = new BigDecimal(s).pow(2).multiply(new BigDecimal("0.75"));
    assertTrue(new BigDecimal(r).pow(2).compareTo(square) < 0);
    assertTrue(new BigDecimal(Math.nextUp(r)).pow(2).compareTo(square) >= 0);
  }

  @Test
  void wrongArgumentsAreRefused() {
    Sigma sigma = new Sigma(0.25);
    assertThrows(IllegalArgumentException.class, () -> NormRadii.of(NoiseLaw.UNIFORM, sigma, 0, 0.9));
    assertThrows(IllegalArgumentException.class, () -> NormRadii.of(NoiseLaw.LAPLACE, sigma, 1, 0.5));
    assertThrows(IllegalArgumentException.class, () -> NormRadii.of(NoiseLaw.LAPLACE, sigma, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> new NormRadius(Norm.L1, Double.NaN, 0));
    assertThrows(DiffcertException.class, () -> Norm.of("l3"));
    assertEquals(Norm.LINF, Norm.of("linf"));
    assertThrows(DiffcertException.class, () -> NoiseLaw.of("cauchy"));
    ByteImage x = new ByteImage(new ImageShape(1, 1, 2), new byte[] {3, (byte) 200});
    ByteImage y = new ByteImage(new ImageShape(1, 1, 2), new byte[] {7, (byte) 197});
    assertEquals(7, Norm.L1.distance(x, y));
    assertEquals(25, Norm.L2.distance(x, y));
    assertEquals(4, Norm.LINF.distance(x, y));
    assertFalse(NormRadii.NOTHING.covers(x, x));
    assertEquals(NormRadii.NOTHING, NormRadii.ofL2(0, new IntegerRadius(IntegerRadius.NONE), 2));
    ByteImage other = new ByteImage(new ImageShape(1, 2, 1), new byte[2]);
    assertThrows(IllegalArgumentException.class, () -> Norm.L1.distance(x, other));
  }
}
