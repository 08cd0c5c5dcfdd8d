package org.diffcert.stats;

import java.util.Arrays;

/**
 * Rising factorials first (first + 1) ... (first + i - 1), tabled: made on demand, kept for good, never more than a
 * million. An entry has a relative error below i {@link Wide#ERROR}. Thread-safe.
 */
final class WideTable {
  /** i!. */
  static final WideTable FACTORIAL = new WideTable(1);
  /** 1/2 3/2 ... (i - 1/2). */
  static final WideTable HALVES = new WideTable(0.5);
  /** The largest index; beyond it, the decimals do the work. */
  static final int LARGEST = 1 << 20;

  private record Entries(double[] high, double[] low, int[] exponent) {}

  private final double first;
  private volatile Entries entries = new Entries(new double[] {1}, new double[1], new int[1]);

  private WideTable(double first) {
    this.first = first;
  }

  /** The product of i factors, 0 to {@link #LARGEST}. */
  Wide get(int i) {
    Entries now = entries;
    if (i >= now.high.length) {
      now = grow(i);
    }
    return new Wide(now.high[i], now.low[i], now.exponent[i]);
  }

  private synchronized Entries grow(int i) {
    Entries old = entries;
    int have = old.high.length;
    if (i < have) {
      return old;
    }
    int size = Math.min(LARGEST, Math.max(1024, 2 * Integer.highestOneBit(i))) + 1;
    Entries grown = new Entries(Arrays.copyOf(old.high, size), Arrays.copyOf(old.low, size),
        Arrays.copyOf(old.exponent, size));
    Wide product = new Wide(old.high[have - 1], old.low[have - 1], old.exponent[have - 1]);
    for (int j = have; j < size; j++) {
      product.times(first + (j - 1));
      grown.high[j] = product.high();
      grown.low[j] = product.low();
      grown.exponent[j] = (int) product.exponent();
    }
    entries = grown;
    return grown;
  }
}
