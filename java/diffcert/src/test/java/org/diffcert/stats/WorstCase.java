package org.diffcert.stats;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/**
 * The oracle of the norm certificates: the least probability that a set of grid points can have under shifted noise,
 * given its probability under the noise itself, by the lemma of Neyman and Pearson over every cell. Doubles, good to
 * 1e-10; shares nothing with the radii.
 */
final class WorstCase {
  /** One outcome, or many that have the same two probabilities. */
  record Cell(double before, double after) {}

  private WorstCase() {}

  /** The least probability after the shift of a set that has probability p before it. */
  static double least(List<Cell> cells, double p) {
    List<Cell> sorted = new ArrayList<>(cells);
    sorted.sort(Comparator.comparingDouble(cell -> cell.before == 0 ? Double.POSITIVE_INFINITY
        : cell.after / cell.before));
    double missing = p;
    double after = 0;
    for (Cell cell : sorted) {
      if (missing <= 0 || cell.before == 0) {
        break;
      }
      double share = Math.min(1, missing / cell.before);
      after += share * cell.after;
      missing -= share * cell.before;
    }
    return after;
  }

  /** The same in one dimension: mass(m) is the probability of noise m, all of it within reach of 0. */
  static double least(IntToDoubleFunction mass, int reach, int shift, double p) {
    List<Cell> cells = new ArrayList<>();
    for (int v = -reach; v <= reach + shift; v++) {
      cells.add(new Cell(mass.applyAsDouble(v), mass.applyAsDouble(v - shift)));
    }
    return least(cells, p);
  }

  /** The same in two dimensions. */
  static double least(IntToDoubleFunction mass, int reach, int shift1, int shift2, double p) {
    List<Cell> cells = new ArrayList<>();
    for (int v = -reach; v <= reach + shift1; v++) {
      for (int w = -reach; w <= reach + shift2; w++) {
        cells.add(new Cell(mass.applyAsDouble(v) * mass.applyAsDouble(w),
            mass.applyAsDouble(v - shift1) * mass.applyAsDouble(w - shift2)));
      }
    }
    return least(cells, p);
  }

  /** The rounded uniform noise of a standard deviation of s in 8-bit units. */
  static IntToDoubleFunction uniform(double s) {
    double half = Math.sqrt(3) * s;
    return m -> Math.max(0, Math.min(m + 0.5, half) - Math.max(m - 0.5, -half)) / (2 * half);
  }

  /** The rounded Laplace noise. */
  static IntToDoubleFunction laplace(double s) {
    double b = s / Math.sqrt(2);
    return m -> m == 0 ? -Math.expm1(-0.5 / b) : Math.exp(-Math.abs(m) / b) * Math.sinh(0.5 / b);
  }
}
