package org.diffcert.stats;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The latest bounds, for there are only n + 1 of them to one n and alpha and a log asks for the same ones again and
 * again. A place for each of 131,072 consecutive counts; a newcomer takes the place of what was there. At most some 7
 * MB. Thread-safe.
 */
final class BoundCache {
  private static final int PLACES = 1 << 17;

  private record Entry(int k, int n, double alpha, double bound) {}

  private final AtomicReferenceArray<Entry> entries = new AtomicReferenceArray<>(PLACES);

  /** The bound, or NaN if it is not here. */
  double get(int k, int n, double alpha) {
    Entry entry = entries.get(place(k, n, alpha));
    boolean same = entry != null && entry.k == k && entry.n == n && entry.alpha == alpha;
    return same ? entry.bound : Double.NaN;
  }

  void put(int k, int n, double alpha, double bound) {
    entries.set(place(k, n, alpha), new Entry(k, n, alpha, bound));
  }

  private static int place(int k, int n, double alpha) {
    return k + 31 * n + 17 * Double.hashCode(alpha) & PLACES - 1;
  }
}
