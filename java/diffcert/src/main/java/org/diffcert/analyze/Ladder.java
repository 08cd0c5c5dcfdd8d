package org.diffcert.analyze;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.commons.statistics.distribution.BetaDistribution;
import org.apache.commons.statistics.distribution.NormalDistribution;

/**
 * The radii that a run of n samples at level alpha can print at all, in units of sigma: one rung for each count n, n-1,
 * n-2, ... of votes. Computed in double, good to 1e-9, which is for recognising other people's radii, not for
 * certifying. Ladders are kept, since the audit of many logs asks for the same ones. Thread-safe.
 */
final class Ladder {
  private static final NormalDistribution NORMAL = NormalDistribution.of(0, 1);
  private static final Map<Ladder.Key, Ladder> KNOWN = new ConcurrentHashMap<>();
  private static final int MOST_RUNGS = 100_000;

  private final int n;
  private final double alpha;
  private final Map<Integer, Double> rungs = new HashMap<>();

  private record Key(int n, double alpha) {}

  private Ladder(int n, double alpha) {
    this.n = n;
    this.alpha = alpha;
  }

  static Ladder of(int n, double alpha) {
    return KNOWN.computeIfAbsent(new Key(n, alpha), key -> new Ladder(key.n(), key.alpha()));
  }

  int n() {
    return n;
  }

  double alpha() {
    return alpha;
  }

  /** Phi^-1 of the Clopper-Pearson bound of n - j votes out of n; negative infinity for no vote. */
  synchronized double z(int j) {
    if (j >= n) {
      return Double.NEGATIVE_INFINITY;
    }
    if (rungs.size() > MOST_RUNGS) {
      rungs.clear();
    }
    return rungs.computeIfAbsent(j, this::compute);
  }

  private double compute(int j) {
    // 1 - bound is the upper alpha point of Beta(j + 1, n - j): small, so nothing is lost near a bound of 1
    double miss = BetaDistribution.of(j + 1, n - j).inverseSurvivalProbability(alpha);
    return NORMAL.inverseSurvivalProbability(miss);
  }

  /** Which rung, counted in steps of so many votes, is the first at or below a height; n / step + 1 if none is. */
  int firstAtOrBelow(double height, int step) {
    int above = -1;
    int last = n / step + 1;
    int below = 0;
    while (below < last && z(below * step) > height) { // radii worth asking about are near the top
      above = below;
      below = Math.min(last, 2 * below + 1);
    }
    while (below - above > 1) {
      int middle = (below + above) >>> 1;
      if (z(middle * step) <= height) {
        below = middle;
      } else {
        above = middle;
      }
    }
    return below;
  }

  /** About how far apart rungs are at a height, in steps of so many votes. */
  double spacing(double height, int step) {
    return step / (n * NORMAL.density(height));
  }
}
