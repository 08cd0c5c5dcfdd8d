package org.diffcert.analyze;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * The distinct radii of a log with the number of rows of each, from the largest down, and how they were printed. What
 * is tested against ladders. Immutable, thread-safe.
 *
 * @param values the radii above 0, descending
 * @param rows rows of each
 * @param printed how they were printed
 */
record Rungs(double[] values, int[] rows, PrintedRadii printed) {
  static Rungs of(Log log) {
    TreeMap<Double, Integer> counts = new TreeMap<>();
    for (Row row : log.rows()) {
      if (row.radius() > 0) {
        counts.merge(-row.radius(), 1, Integer::sum);
      }
    }
    double[] values = counts.keySet().stream().mapToDouble(v -> -v).toArray();
    int[] rows = counts.values().stream().mapToInt(Integer::intValue).toArray();
    return new Rungs(values, rows, log.printed());
  }

  /** Whether the largest radius is that of n of n votes, as far as a log can show it: a pile of rows at the top. */
  boolean piledUp() {
    return rows[0] >= 3 && (rows.length == 1 || rows[0] >= rows[1]);
  }

  /**
   * A printed radius and the rung it stands on.
   *
   * @param value as printed
   * @param rung what the ladder gives
   * @param rows rows that print it
   */
  record Match(double value, double rung, int rows) {}

  /**
   * A ladder on which every radius stands that can be told apart from its neighbours.
   *
   * @param ladder n and alpha
   * @param step the rungs that are used: every one, or every tenth
   * @param nearest whether radii were rounded to nearest rather than cut
   * @param bits how surprising that is for radii that know nothing of the ladder: log2 of spacing over printed unit
   * @param top whether the largest radius is on the first rung
   * @param matches the radii that can be told apart, descending
   */
  record Fit(Ladder ladder, int step, boolean nearest, double bits, boolean top, List<Match> matches) {
    int rows() {
      return matches.stream().mapToInt(Match::rows).sum();
    }
  }

  /** The fit of a ladder, or null if a radius stands between its rungs. */
  Fit fit(double sigma, Ladder ladder, int step, boolean nearest) {
    double bits = 0;
    boolean top = false;
    List<Match> matches = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      double value = values[i];
      double unit = printed.unit(value);
      double height = value / sigma;
      boolean sparse = sigma * ladder.spacing(height, step) > unit;
      if (i > 0 && !sparse) {
        continue; // rungs are closer than the printed unit: any radius stands on one
      }
      double slack = 1e-9 * value;
      double highest = value + (nearest ? unit / 2 : unit) + slack;
      double lowest = value - (nearest ? unit / 2 : 0) - slack;
      int rung = ladder.firstAtOrBelow(highest / sigma, step);
      double found = sigma * ladder.z(rung * step);
      if (found < lowest) {
        return null;
      }
      double below = found - sigma * ladder.z((rung + 1) * step);
      double above = rung == 0 ? below : sigma * ladder.z((rung - 1) * step) - found;
      double gap = Math.min(below, above);
      top |= rung == 0;
      if (gap > unit) {
        bits += Math.log(gap / unit) / Math.log(2);
        matches.add(new Match(value, found, rows[i]));
      }
    }
    return new Fit(ladder, step, nearest, bits, top, List.copyOf(matches));
  }
}
