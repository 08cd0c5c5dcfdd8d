package org.diffcert.stats;

import static org.diffcert.stats.Directed.DOWN;
import static org.diffcert.stats.Directed.UP;

import java.math.BigDecimal;
import java.util.BitSet;

/**
 * P(X &gt;= k) for X binomial(n, p), from above: every factor is positive and every operation rounds up, so the value
 * returned is never below the true one, with no error analysis to trust. The binomial coefficient comes from its
 * factorisation into primes (Legendre's formula), hence without a division; the sum runs upward from k and closes with
 * a geometric bound on the rest. About a millisecond at n = 100,000. Immutable, thread-safe.
 */
final class BinomialTail {
  /** A rest below this fraction of the sum is bounded, not summed. */
  private static final BigDecimal NEGLIGIBLE = new BigDecimal("1e-30");

  private final int n;
  private final int k;
  private final BigDecimal coefficient;

  /** Prepares the tail from k (1 to n) of n trials. */
  BinomialTail(int n, int k) {
    this.n = n;
    this.k = k;
    this.coefficient = coefficientUp(n, Math.min(k, n - k));
  }

  /**
   * An upper bound of the tail at success probability p, a double strictly between 0 and 1 and below k/n or
   * thereabouts.
   */
  BigDecimal up(double p) {
    BigDecimal pExact = new BigDecimal(p);
    BigDecimal qExact = BigDecimal.ONE.subtract(pExact);
    BigDecimal odds = pExact.divide(qExact, UP);
    BigDecimal term = coefficient.multiply(Directed.powerUp(pExact, k), UP)
        .multiply(Directed.powerUp(qExact, n - k), UP);
    BigDecimal sum = term;
    for (int j = k; j < n; j++) {
      BigDecimal ratio = odds.multiply(BigDecimal.valueOf(n - j)).divide(BigDecimal.valueOf(j + 1L), UP);
      if (ratio.compareTo(BigDecimal.ONE) < 0) {
        // The ratios fall with j, so all that follows is at most term * (ratio + ratio^2 + ...).
        BigDecimal rest = term.multiply(ratio, UP).divide(BigDecimal.ONE.subtract(ratio, DOWN), UP);
        if (rest.compareTo(sum.multiply(NEGLIGIBLE, DOWN)) <= 0) {
          return sum.add(rest, UP);
        }
      }
      term = term.multiply(ratio, UP);
      sum = sum.add(term, UP);
    }
    return sum;
  }

  private static BigDecimal coefficientUp(int n, int k) {
    BitSet composite = new BitSet(n + 1);
    BigDecimal product = BigDecimal.ONE;
    long pack = 1; // small factors are collected in a long, so that few wide multiplications are left
    for (int prime = 2; prime <= n; prime = composite.nextClearBit(prime + 1)) {
      for (long multiple = (long) prime * prime; multiple <= n; multiple += prime) {
        composite.set((int) multiple);
      }
      int exponent = 0;
      for (long power = prime; power <= n; power *= prime) {
        exponent += n / power - k / power - (n - k) / power;
      }
      for (; exponent > 0; exponent--) {
        if (pack > Long.MAX_VALUE / prime) {
          product = product.multiply(BigDecimal.valueOf(pack), UP);
          pack = 1;
        }
        pack *= prime;
      }
    }
    return product.multiply(BigDecimal.valueOf(pack), UP);
  }
}
