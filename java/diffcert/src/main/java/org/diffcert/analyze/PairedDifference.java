package org.diffcert.analyze;

import org.apache.commons.statistics.interval.BinomialConfidenceInterval;
import org.apache.commons.statistics.interval.Interval;
import org.diffcert.stats.BinomialTest;

/**
 * How two methods differ on the same images: each image has a property (certified at a radius) under both, one or
 * neither, and only images where they differ say which is better. docs/spec/analysis.md derives the interval.
 * Immutable, thread-safe.
 *
 * @param onlyFirst images that have the property under the first method alone
 * @param onlyOther images that have it under the other alone
 * @param total all images, at least 1
 * @param lower lower end of the 95% interval of the difference, other minus first
 * @param upper upper end
 */
public record PairedDifference(int onlyFirst, int onlyOther, int total, double lower, double upper) {
  /** What the share of the images that differ may take of the 5%, and what their division the rest. */
  private static final double OF_DISCORDANT = 0.01;
  private static final double OF_DIVISION = 0.04;

  /**
   * The difference of two counts of a kind.
   *
   * @param onlyFirst images that have the property under the first method alone, at least 0
   * @param onlyOther images that have it under the other alone, at least 0
   * @param total all images, at least their sum and at least 1
   * @return the difference with its interval
   * @throws IllegalArgumentException if a count is out of range
   */
  public static PairedDifference of(int onlyFirst, int onlyOther, int total) {
    int differ = onlyFirst + onlyOther;
    if (onlyFirst < 0 || onlyOther < 0 || total < 1 || differ > total) {
      throw new IllegalArgumentException(onlyFirst + " and " + onlyOther + " of " + total + " images");
    }
    Interval share = interval(differ, total, OF_DISCORDANT);
    double low = -1;
    double high = 1;
    if (differ > 0) {
      Interval division = interval(onlyOther, differ, OF_DIVISION);
      low = 2 * division.getLowerBound() - 1;
      high = 2 * division.getUpperBound() - 1;
    }
    return new PairedDifference(onlyFirst, onlyOther, total,
        low * (low < 0 ? share.getUpperBound() : share.getLowerBound()),
        high * (high > 0 ? share.getUpperBound() : share.getLowerBound()));
  }

  private static Interval interval(int count, int total, double error) {
    return BinomialConfidenceInterval.CLOPPER_PEARSON.fromErrorRate(total, count, error);
  }

  /**
   * The difference itself.
   *
   * @return share of the other minus share of the first, -1 to 1
   */
  public double value() {
    return (double) (onlyOther - onlyFirst) / total;
  }

  /**
   * The exact p-value of McNemar's test: how probable a division at least as uneven is, were neither better.
   *
   * @return above 0, at most 1
   */
  public double pValue() {
    return BinomialTest.twoSidedHalf(onlyOther, onlyFirst + onlyOther);
  }
}
