package org.diffcert.noise;

import java.math.BigInteger;

/**
 * The standard normal distribution function in fixed-point integers, as many bits as asked for: what the threshold
 * tables are made of and what the tests measure against. Numbers are BigIntegers scaled by 2^bits. Immutable,
 * thread-safe.
 */
final class NormalCdf {
  /**
   * Bits computed beyond those returned: the rounding errors of the series (some 300 steps of a unit each) grow at most
   * by its sum, 2^73.
   */
  private static final int GUARD = 96;

  private final int bits;
  private final int work;
  private final BigInteger one;
  private final BigInteger inverseRootTwoPi;

  /** @param bits fraction bits of arguments and results; the error of a result is below one unit of the last of them */
  NormalCdf(int bits) {
    this.bits = bits;
    this.work = bits + GUARD;
    this.one = BigInteger.ONE.shiftLeft(work);
    // 1 / sqrt(2 pi), from Machin's pi = 16 atan(1/5) - 4 atan(1/239)
    BigInteger pi = arcTanOfInverse(5).shiftLeft(4).subtract(arcTanOfInverse(239).shiftLeft(2));
    this.inverseRootTwoPi = one.shiftLeft(2 * work).divide(pi.shiftLeft(1)).sqrt();
  }

  /**
   * Phi(z) - 1/2 for z = numerator / denominator, 0 <= z <= 10, scaled by 2^bits: phi(z) * (z + z^3/3 + z^5/15 + ...),
   * all terms positive.
   */
  BigInteger half(BigInteger numerator, BigInteger denominator) {
    BigInteger z = numerator.shiftLeft(work).divide(denominator);
    BigInteger square = numerator.multiply(numerator).shiftLeft(work).divide(denominator.multiply(denominator));
    BigInteger term = z;
    BigInteger sum = z;
    for (int k = 3; term.signum() != 0; k += 2) {
      term = term.multiply(square).shiftRight(work).divide(BigInteger.valueOf(k));
      sum = sum.add(term);
    }
    return sum.multiply(density(square)).shiftRight(2 * work - bits);
  }

  /** phi(z) scaled by 2^work, from z^2 scaled by 2^work: Taylor's series of exp at -z^2 / 2^11, squared ten times. */
  private BigInteger density(BigInteger square) {
    BigInteger y = square.shiftRight(11).negate();
    BigInteger term = one;
    BigInteger sum = one;
    for (int k = 1; term.signum() != 0; k++) {
      term = term.multiply(y).shiftRight(work).divide(BigInteger.valueOf(k));
      sum = sum.add(term);
    }
    for (int i = 0; i < 10; i++) {
      sum = sum.multiply(sum).shiftRight(work);
    }
    return sum.multiply(inverseRootTwoPi).shiftRight(work);
  }

  private BigInteger arcTanOfInverse(int n) {
    BigInteger power = one.divide(BigInteger.valueOf(n));
    BigInteger square = BigInteger.valueOf((long) n * n);
    BigInteger sum = BigInteger.ZERO;
    for (int k = 1; power.signum() != 0; k += 2) {
      BigInteger term = power.divide(BigInteger.valueOf(k));
      sum = (k & 2) == 0 ? sum.add(term) : sum.subtract(term);
      power = power.divide(square);
    }
    return sum;
  }
}
