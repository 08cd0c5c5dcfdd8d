package org.diffcert.analyze;

import org.apache.commons.statistics.interval.BinomialConfidenceInterval;
import org.apache.commons.statistics.interval.Interval;

/**
 * A share of the rows, with the exact two-sided 95% interval for the population they were drawn from, rounded outward.
 *
 * @param count rows that have the property
 * @param total all rows, at least 1
 * @param lower lower end of the interval
 * @param upper upper end of the interval
 */
public record Proportion(int count, int total, double lower, double upper) {
  private static final double ERROR = 0.05;
  /** Far above the relative error of the library's quantiles, far below anything that is printed. */
  private static final double OUTWARD = 1e-12;

  /** Clopper and Pearson's interval. It describes a test set and certifies nothing, so plain doubles will do. */
  static Proportion of(int count, int total) {
    Interval interval = BinomialConfidenceInterval.CLOPPER_PEARSON.fromErrorRate(total, count, ERROR);
    double lower = interval.getLowerBound() * (1 - OUTWARD);
    double upper = Math.min(1, interval.getUpperBound() * (1 + OUTWARD));
    return new Proportion(count, total, lower, upper);
  }

  /**
   * The share itself.
   *
   * @return 0 to 1
   */
  public double value() {
    return (double) count / total;
  }
}
