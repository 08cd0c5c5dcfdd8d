package org.diffcert.analyze;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.diffcert.DiffcertException;

/**
 * Certified accuracy, average certified radius and abstention over rows: all of one sigma, or those of one class.
 * docs/spec/analysis.md defines each figure. Immutable, thread-safe.
 */
public final class Analysis {
  private final List<Row> rows;
  /** Radii of the correct rows, ascending. */
  private final double[] radii;

  /**
   * An analysis of rows.
   *
   * @param rows at least one
   * @throws DiffcertException of kind BAD_INPUT if there is none
   */
  public Analysis(List<Row> rows) {
    if (rows.isEmpty()) {
      throw DiffcertException.badInput("there are no results to analyse yet");
    }
    this.rows = List.copyOf(rows);
    this.radii = rows.stream().filter(Row::correct).mapToDouble(Row::radius).sorted().toArray();
  }

  /**
   * The rows.
   *
   * @return at least one
   */
  public List<Row> rows() {
    return rows;
  }

  /**
   * The share of images that are classified correctly and certified at least as far as a radius.
   *
   * @param radius in [0,1] pixel units, at least 0; at 0 every correct prediction counts
   * @return the certified accuracy
   */
  public Proportion certifiedAccuracy(double radius) {
    return Proportion.of(certified(radius), rows.size());
  }

  /** How many images are classified correctly and certified at least as far as a radius. */
  int certified(double radius) {
    int below = 0;
    int above = radii.length;
    while (below < above) {
      int middle = (below + above) >>> 1;
      if (radii[middle] < radius) {
        below = middle + 1;
      } else {
        above = middle;
      }
    }
    return radii.length - below;
  }

  /**
   * The share of images without a prediction.
   *
   * @return the abstention rate
   */
  public Proportion abstention() {
    return Proportion.of((int) rows.stream().filter(Row::abstains).count(), rows.size());
  }

  /**
   * The average certified radius (ACR): wrong and abstaining rows count as 0. The sum is exact over the radii as
   * decimals, so the order of the rows plays no part.
   *
   * @return in [0,1] pixel units
   */
  public double averageCertifiedRadius() {
    BigDecimal sum = BigDecimal.ZERO;
    for (double radius : radii) {
      sum = sum.add(BigDecimal.valueOf(radius));
    }
    return sum.divide(BigDecimal.valueOf(rows.size()), MathContext.DECIMAL128).doubleValue();
  }

  /**
   * The largest radius of a correct row.
   *
   * @return 0 when there is none
   */
  public double largestRadius() {
    return radii.length == 0 ? 0 : radii[radii.length - 1];
  }

  /**
   * The radius that at least half of all rows reach, wrong and abstaining rows counted as 0.
   *
   * @return in [0,1] pixel units
   */
  public double medianRadius() {
    int half = (rows.size() + 1) / 2;
    return radii.length < half ? 0 : radii[radii.length - half];
  }

  /** Radii of the correct rows, ascending; where certified accuracy falls. */
  double[] steps() {
    return radii.clone();
  }

  /**
   * The same figures for each label (S25): a mean can hide classes that fare much worse.
   *
   * @return analyses by label, ascending
   */
  public Map<Integer, Analysis> byClass() {
    Map<Integer, List<Row>> parts = new TreeMap<>();
    rows.forEach(row -> parts.computeIfAbsent(row.label(), label -> new ArrayList<>()).add(row));
    Map<Integer, Analysis> analyses = new TreeMap<>();
    parts.forEach((label, part) -> analyses.put(label, new Analysis(part)));
    return analyses;
  }
}
