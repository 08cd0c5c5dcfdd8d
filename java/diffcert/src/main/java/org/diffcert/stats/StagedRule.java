package org.diffcert.stats;

import java.util.Arrays;
import org.diffcert.DiffcertException;

/**
 * Looks at n, n/2, n/4, ... samples, the least of them 10 or more, with the exact bounds of Clopper and Pearson at an
 * even share of alpha each, and stops at the first look that leaves none of some probabilities undecided. Immutable,
 * thread-safe.
 */
public final class StagedRule implements StopRule {
  private static final int FEWEST = 10;

  private final int[] looks;
  private final double alpha;
  private final double alphaEach;
  /** {@code above[j][t]}: the least count at look t that shows the probability to be at least the j-th. */
  private final int[][] above;
  /** {@code below[j][t]}: the largest count at look t that shows it to be below, -1 for none. */
  private final int[][] below;

  /**
   * A rule for given probabilities.
   *
   * @param probabilities what is to be decided about, each at least 1/2 and below 1, at least one
   * @param cap the most samples, at least 1
   * @param alpha probability that the bound is false, and as much again that a probability is called too high that is
   *     not, above 0 and below 1/2
   * @throws IllegalArgumentException if an argument is out of range
   */
  public StagedRule(double[] probabilities, int cap, double alpha) {
    if (probabilities.length == 0 || !Arrays.stream(probabilities).allMatch(p -> p >= 0.5 && p < 1)
        || !(alpha > 0 && alpha < 0.5) || cap < 1) {
      throw new IllegalArgumentException("a rule for " + Arrays.toString(probabilities) + " at alpha " + alpha);
    }
    this.looks = looks(cap);
    this.alpha = alpha;
    this.alphaEach = Bonferroni.each(alpha, looks.length);
    this.above = new int[probabilities.length][looks.length];
    this.below = new int[probabilities.length][looks.length];
    for (int j = 0; j < probabilities.length; j++) {
      double p = probabilities[j];
      // The probability is rounded up, by less than four units: what is below that is below the real number.
      double failure = 1 - (p - 4 * Math.ulp(p));
      for (int t = 0; t < looks.length; t++) {
        above[j][t] = ClopperPearson.smallestReaching(p, looks[t], alphaEach);
        below[j][t] = looks[t] - ClopperPearson.smallestReaching(failure, looks[t], alphaEach);
      }
    }
  }

  /**
   * The highest bound: that of nothing but successes up to the cap.
   *
   * @param cap the most samples, at least 1
   * @param alpha probability of error, above 0 and below 1/2
   * @return the bound
   */
  public static double highest(int cap, double alpha) {
    return ClopperPearson.lower(cap, cap, Bonferroni.each(alpha, looks(cap).length));
  }

  @Override
  public int cap() {
    return looks[looks.length - 1];
  }

  @Override
  public double alpha() {
    return alpha;
  }

  @Override
  public boolean stops(int k, int n) {
    int t = Arrays.binarySearch(looks, n);
    if (t == looks.length - 1) {
      return true;
    }
    if (t < 0) {
      return false;
    }
    for (int j = 0; j < above.length; j++) {
      if (k < above[j][t] && k > below[j][t]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int soonest(int k, int n) {
    int t = Arrays.binarySearch(looks, n + 1);
    return looks[t < 0 ? -t - 1 : t] - n;
  }

  /**
   * The lower bound of Clopper and Pearson at a look.
   *
   * @param k successes, 0 to n
   * @param n one of the looks
   * @return the bound at its share of alpha
   * @throws IllegalArgumentException if n is no look: there the rule has no bound
   */
  @Override
  public double lower(int k, int n) {
    if (Arrays.binarySearch(looks, n) < 0) {
      throw new IllegalArgumentException("there is no look at " + n + " samples, only at " + Arrays.toString(looks));
    }
    return ClopperPearson.lower(k, n, alphaEach);
  }

  private static int[] looks(int cap) {
    int count = 1;
    for (int size = cap; (size + 1) / 2 >= FEWEST; size = (size + 1) / 2) {
      count++;
    }
    int[] looks = new int[count];
    int size = cap;
    for (int t = count - 1; t >= 0; t--, size = (size + 1) / 2) {
      looks[t] = size;
    }
    return looks;
  }
}
