package org.diffcert.noise;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;

/**
 * Tables of thresholds of the integer noise: floor(2^64 F((j + 1/2) / 255)), F being the distribution function of a law
 * of standard deviation sigma. Every entry is decided: an interval that holds the real number has one floor. The laws
 * are symmetric, so only j >= 0 is computed, as floor(2^64 (F - 1/2)). docs/spec/noise.md has the formulas.
 */
final class Thresholds {
  /** What 2^64 (F - 1/2) is cut to: the real boundary lies in the last cell or at its end. */
  private static final long LAST_CELL = Long.MAX_VALUE;
  /** From this z on, 2^64 (1 - Phi) is below 1 (Q(z) < phi(z) / z). */
  private static final BigDecimal NORMAL_END = new BigDecimal("9.5");
  /** From this exponent on, 2^63 exp(-x) is below 1. */
  private static final int LAPLACE_END = 44;

  private Thresholds() {}

  /** The table of 2 half entries, from j = -half to half - 1. */
  static long[] of(NoiseLaw law, Sigma sigma, int half) {
    BigDecimal s = new BigDecimal(sigma.unit());
    long[] upper = switch (law) {
      case GAUSSIAN -> normal(s, half);
      case UNIFORM -> uniform(s, half);
      case LAPLACE -> laplace(s, half);
    };
    long[] table = new long[2 * half];
    for (int j = 0; j < half; j++) {
      long t = Long.MIN_VALUE + upper[j];
      table[half + j] = t;
      table[half - 1 - j] = ~t;
    }
    return table;
  }

  private static long[] normal(BigDecimal s, int half) {
    BigDecimal scale = s.multiply(BigDecimal.valueOf(510));
    BigInteger denominator = scale.unscaledValue();
    BigInteger unit = BigInteger.TEN.pow(scale.scale());
    BigDecimal end = NORMAL_END.multiply(scale);
    NormalCdf narrow = new NormalCdf(128);
    long[] upper = new long[half];
    for (int j = 0; j < half; j++) {
      BigInteger odd = BigInteger.valueOf(2L * j + 1);
      upper[j] = new BigDecimal(odd).compareTo(end) < 0 ? floor(narrow, odd.multiply(unit), denominator) : LAST_CELL;
    }
    return upper;
  }

  /** floor(2^64 (Phi(z) - 1/2)), decided: both ends of the error interval have the same floor. */
  private static long floor(NormalCdf narrow, BigInteger numerator, BigInteger denominator) {
    NormalCdf cdf = narrow;
    for (int bits = 128; bits <= 1024; bits *= 2) {
      if (cdf == null) {
        cdf = new NormalCdf(bits);
      }
      BigInteger value = cdf.half(numerator, denominator);
      BigInteger low = value.subtract(BigInteger.ONE).shiftRight(bits - 64);
      BigInteger high = value.add(BigInteger.ONE).shiftRight(bits - 64);
      if (low.equals(high)) {
        return low.longValueExact();
      }
      cdf = null;
    }
    throw undecided();
  }

  /** F - 1/2 = (2j+1) / (1020 sqrt(3) s), so the entry is the integer square root of a rational number's floor. */
  private static long[] uniform(BigDecimal s, int half) {
    BigDecimal square = s.multiply(BigDecimal.valueOf(1020)).pow(2).multiply(BigDecimal.valueOf(3));
    BigInteger denominator = square.unscaledValue();
    BigInteger unit = BigInteger.TEN.pow(square.scale());
    long[] upper = new long[half];
    for (int j = 0; j < half; j++) {
      BigInteger odd = BigInteger.valueOf(2L * j + 1);
      BigInteger root = odd.multiply(odd).multiply(unit).shiftLeft(128).divide(denominator).sqrt();
      upper[j] = root.bitLength() < 64 ? root.longValue() : LAST_CELL;
    }
    return upper;
  }

  /** F - 1/2 = (1 - q^(2j+1)) / 2 with q = exp(-sqrt(2) / (510 s)), carried as an interval. */
  private static long[] laplace(BigDecimal s, int half) {
    for (int bits = 256; bits <= 1024; bits *= 2) {
      long[] upper = laplace(s, half, bits);
      if (upper != null) {
        return upper;
      }
    }
    throw undecided();
  }

  /** The same with so many bits, or null if they do not decide. */
  private static long[] laplace(BigDecimal s, int half, int bits) {
    long[] upper = new long[half];
    Arrays.fill(upper, LAST_CELL);
    BigInteger one = BigInteger.ONE.shiftLeft(bits);
    BigDecimal square = s.multiply(BigDecimal.valueOf(510)).pow(2);
    BigInteger exponent = BigInteger.TEN.pow(square.scale()).shiftLeft(2 * bits + 1).divide(square.unscaledValue())
        .sqrt();
    if (exponent.shiftRight(bits).compareTo(BigInteger.valueOf(LAPLACE_END)) >= 0) {
      return upper;
    }
    BigInteger low = one.shiftLeft(bits).divide(expAbove(exponent.add(BigInteger.ONE), bits));
    BigInteger high = ceil(one.shiftLeft(bits), expBelow(exponent, bits));
    BigInteger lowSquare = low.multiply(low).shiftRight(bits);
    BigInteger highSquare = ceil(high.multiply(high), one);
    for (int j = 0; j < half; j++) {
      BigInteger least = one.subtract(high).shiftRight(bits - 63);
      BigInteger most = one.subtract(low).shiftRight(bits - 63);
      if (!least.equals(most)) {
        return null;
      }
      upper[j] = least.longValueExact();
      low = low.multiply(lowSquare).shiftRight(bits);
      high = ceil(high.multiply(highSquare), one);
    }
    return upper;
  }

  /** A lower bound of exp(x), x scaled by 2^bits: the series, every division rounded down. */
  private static BigInteger expBelow(BigInteger x, int bits) {
    BigInteger term = BigInteger.ONE.shiftLeft(bits);
    BigInteger sum = term;
    for (int k = 1; term.signum() != 0; k++) {
      term = term.multiply(x).shiftRight(bits).divide(BigInteger.valueOf(k));
      sum = sum.add(term);
    }
    return sum;
  }

  /** An upper bound: every division rounded up; once a term is one unit and the terms halve, the rest is below one. */
  private static BigInteger expAbove(BigInteger x, int bits) {
    BigInteger term = BigInteger.ONE.shiftLeft(bits);
    BigInteger sum = term;
    for (int k = 1; term.compareTo(BigInteger.ONE) > 0 || k <= 2 * LAPLACE_END + 2; k++) {
      term = ceil(term.multiply(x), BigInteger.valueOf(k).shiftLeft(bits));
      sum = sum.add(term);
    }
    return sum.add(BigInteger.ONE);
  }

  private static BigInteger ceil(BigInteger numerator, BigInteger denominator) {
    return numerator.add(denominator).subtract(BigInteger.ONE).divide(denominator);
  }

  private static IllegalStateException undecided() {
    return new IllegalStateException("a threshold of the noise cannot be told from an integer by 1024 bits");
  }
}
