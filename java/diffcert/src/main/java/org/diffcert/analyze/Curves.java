package org.diffcert.analyze;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/**
 * Certified accuracy over the radius, as data to draw: a falling staircase a log with its pointwise exact 95% band, and
 * the best of all as a line of its own. Knows nothing of paper or screen. Immutable, thread-safe.
 *
 * @param series one a log with certificates, then the best of them if there is one
 * @param farthest right end of the radius axis, above 0
 * @param ticks radii to label, from 0 on
 */
record Curves(List<Series> series, double farthest, List<Double> ticks) {
  /** Steps closer than this part of the axis are drawn as one: nobody can see them. */
  private static final double FINEST = 1 / 1500.0;

  /**
   * A staircase: the share is {@code share[i]} up to and at {@code radius[i]}; beyond the last it is 0.
   *
   * @param name what the legend calls it
   * @param radius ends of the steps, ascending
   * @param share certified accuracy on each step
   * @param low lower end of the interval on each step; empty for none
   * @param high upper end
   */
  record Series(String name, double[] radius, double[] share, double[] low, double[] high) {
    boolean banded() {
      return low.length > 0;
    }
  }

  static Curves of(List<Log> logs) {
    List<Log> drawn = logs.stream().filter(log -> log.certifies() && !log.rows().isEmpty()).toList();
    List<Analysis> analyses = drawn.stream().map(log -> new Analysis(log.rows())).toList();
    double largest = analyses.stream().mapToDouble(Analysis::largestRadius).max().orElse(0);
    double farthest = Math.max(0.1, 1.04 * largest);
    List<Series> series = new ArrayList<>();
    for (int i = 0; i < drawn.size(); i++) {
      series.add(series(drawn.get(i).name(), analyses.get(i), farthest));
    }
    Optional<Envelope> best = Envelope.of(logs);
    best.ifPresent(envelope -> {
      double[] steps = analyses.stream().flatMapToDouble(a -> Arrays.stream(a.steps())).sorted().toArray();
      double[] ends = ends(steps, farthest);
      series.add(new Series(Envelope.NAME, ends, each(ends, envelope::certifiedAccuracy), new double[0],
          new double[0]));
    });
    return new Curves(List.copyOf(series), farthest, ticks(farthest));
  }

  private static Series series(String name, Analysis analysis, double farthest) {
    double[] ends = ends(analysis.steps(), farthest);
    double[] share = new double[ends.length];
    double[] low = new double[ends.length];
    double[] high = new double[ends.length];
    for (int i = 0; i < ends.length; i++) {
      Proportion p = analysis.certifiedAccuracy(ends[i]);
      share[i] = p.value();
      low[i] = p.lower();
      high[i] = p.upper();
    }
    return new Series(name, ends, share, low, high);
  }

  /** Where steps end: the last radius of each bunch that cannot be told apart, and the end of the axis. */
  private static double[] ends(double[] ascending, double farthest) {
    double[] ends = new double[ascending.length];
    int count = 0;
    for (int i = 0; i < ascending.length; i++) {
      boolean last = i + 1 == ascending.length ||
          ascending[i + 1] - (count == 0 ? 0 : ends[count - 1]) > farthest * FINEST;
      if (last) {
        ends[count++] = ascending[i];
      }
    }
    return count == 0 ? new double[] {0} : Arrays.copyOf(ends, count);
  }

  private static double[] each(double[] radii, DoubleUnaryOperator share) {
    return Arrays.stream(radii).map(share).toArray();
  }

  /** Steps of 1, 2, 2.5 or 5 times a power of ten that give five to ten labels. */
  private static List<Double> ticks(double farthest) {
    double step = 0.01;
    for (double candidate : new double[] {0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000}) {
      step = farthest / step > 9 ? candidate : step;
    }
    List<Double> ticks = new ArrayList<>();
    for (int i = 0; i * step <= farthest && i < 20; i++) {
      ticks.add(i * step);
    }
    return ticks;
  }
}
