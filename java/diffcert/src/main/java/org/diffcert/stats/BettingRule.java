package org.diffcert.stats;

import java.util.Arrays;
import org.diffcert.DiffcertException;

/**
 * Stops as soon as the confidence sequence of {@link BettingBound} leaves none of some probabilities undecided. For
 * each of them and each number of samples two counts are tabled: the least that shows more, the largest that shows
 * less. Immutable, thread-safe.
 *
 * <p>The tables are made in doubles, with a margin that is many times their error: what is tabled as shown is shown.
 * The logarithm of the wealth is off by less than 5e-14 (n + 1), the sum is in docs/spec/certificate.md, and the margin
 * is twenty times that.
 */
public final class BettingRule implements StopRule {
  private static final int MOST_SAMPLES = 1_000_000;
  private static final double MARGIN = 1e-12;

  private final int cap;
  private final double alpha;
  /** {@code above[j][n]}: the least count of n that shows the probability to be above the j-th, n + 1 for none. */
  private final int[][] above;
  /** {@code below[j][n]}: the largest count of n that shows the probability to be below the j-th, -1 for none. */
  private final int[][] below;

  /**
   * A rule for given probabilities.
   *
   * @param probabilities what is to be decided about, each at least 1/2 and below 1, at least one
   * @param cap the most samples, 1 to 1,000,000
   * @param alpha probability that the bound is false, or that a probability is called too high that is not, above 0 and
   *     below 1/2
   * @throws DiffcertException of kind USAGE if the cap is out of range
   * @throws IllegalArgumentException if another argument is out of range
   */
  public BettingRule(double[] probabilities, int cap, double alpha) {
    checkCap(cap);
    if (probabilities.length == 0 || !Arrays.stream(probabilities).allMatch(p -> p >= 0.5 && p < 1)
        || !(alpha > 0 && alpha < 0.5)) {
      throw new IllegalArgumentException("a rule for " + Arrays.toString(probabilities) + " at alpha " + alpha);
    }
    this.cap = cap;
    this.alpha = alpha;
    LogMixture mixture = new LogMixture(cap);
    this.above = new int[probabilities.length][];
    this.below = new int[probabilities.length][];
    double logAlpha = StrictMath.log(Directed.doubleDown(Directed.smallerReading(alpha)));
    for (int j = 0; j < probabilities.length; j++) {
      above[j] = above(probabilities[j], mixture, logAlpha);
      // The probability is rounded up, by less than this: what is below it is below the real number.
      below[j] = below(probabilities[j] - 4 * Math.ulp(probabilities[j]), mixture, logAlpha);
    }
  }

  /**
   * The highest bound: that of nothing but successes up to the cap.
   *
   * @param cap the most samples, 1 to 1,000,000
   * @param alpha probability of error, above 0 and below 1/2
   * @return the bound
   * @throws DiffcertException of kind USAGE if the cap is out of range
   */
  public static double highest(int cap, double alpha) {
    checkCap(cap);
    return BettingBound.lower(cap, cap, alpha);
  }

  private static void checkCap(int cap) {
    if (cap < 1 || cap > MOST_SAMPLES) {
      throw DiffcertException.usage("sequential stopping takes 1 to " + MOST_SAMPLES + " samples, n is " + cap);
    }
  }

  @Override
  public int cap() {
    return cap;
  }

  @Override
  public double alpha() {
    return alpha;
  }

  @Override
  public boolean stops(int k, int n) {
    if (n >= cap) {
      return true;
    }
    for (int j = 0; j < above.length; j++) {
      if (k < above[j][n] && k > below[j][n]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int soonest(int k, int n) {
    int soonest = 1;
    for (int j = 0; j < above.length; j++) {
      int further = soonest;
      while (n + further < cap && k + further < above[j][n + further] && k > below[j][n + further]) {
        further++;
      }
      soonest = further;
    }
    return Math.min(soonest, cap - n);
  }

  @Override
  public double lower(int k, int n) {
    return BettingBound.lower(k, n, alpha);
  }

  /** The least count that shows a probability above p, for each number of samples up to the cap. */
  private static int[] above(double p, LogMixture mixture, double logAlpha) {
    int[] counts = new int[mixture.most() + 1];
    double logP = StrictMath.log(p);
    double logQ = StrictMath.log(1 - p); // exact difference, for p is at least 1/2
    counts[0] = 1;
    for (int n = 1; n < counts.length; n++) {
      int least = (int) Math.ceil(p * n);
      int k = Math.max(least, Math.min(n, counts[n - 1]));
      while (k > least && mixture.shows(k - 1, n, logP, logQ, logAlpha)) {
        k--;
      }
      while (k <= n && !mixture.shows(k, n, logP, logQ, logAlpha)) {
        k++;
      }
      counts[n] = k;
    }
    return counts;
  }

  /** The largest count that shows a probability below p, for each number of samples up to the cap. */
  private static int[] below(double p, LogMixture mixture, double logAlpha) {
    int[] counts = new int[mixture.most() + 1];
    double logP = StrictMath.log(p);
    double logQ = StrictMath.log1p(-p); // p may be a little below 1/2
    counts[0] = -1;
    for (int n = 1; n < counts.length; n++) {
      int most = (int) Math.floor(p * n);
      int k = Math.min(most, counts[n - 1] + 1);
      while (k < most && mixture.shows(k + 1, n, logP, logQ, logAlpha)) {
        k++;
      }
      while (k >= 0 && !mixture.shows(k, n, logP, logQ, logAlpha)) {
        k--;
      }
      counts[n] = k;
    }
    return counts;
  }

  /** Logarithms of rising factorials, and with them of Q and of the wealth. */
  private static final class LogMixture {
    private static final double LOG_QUARTER = StrictMath.log(0.25);
    private static final double LOG_THREE_QUARTERS = StrictMath.log(0.75);

    private final double[] successes;
    private final double[] failures;
    private final double[] samples;

    LogMixture(int most) {
      successes = rising(2, most);
      failures = rising(0.5, most);
      samples = rising(2.5, most);
    }

    int most() {
      return samples.length - 1;
    }

    /** Whether k of n refute the probability whose logarithms are given, by more than the error of all this. */
    boolean shows(int k, int n, double logP, double logQ, double logAlpha) {
      double mixture = LOG_THREE_QUARTERS + successes[k] + failures[n - k] - samples[n];
      if (k == n) {
        mixture = LOG_QUARTER + StrictMath.log1p(StrictMath.exp(mixture - LOG_QUARTER));
      }
      return mixture - k * logP - (n - k) * logQ + logAlpha >= MARGIN * (n + 1);
    }

    /** ln (first (first + 1) ... (first + i - 1)), each sum kept in two doubles. */
    private static double[] rising(double first, int most) {
      double[] logs = new double[most + 1];
      double high = 0;
      double low = 0;
      for (int i = 0; i < most; i++) {
        double term = StrictMath.log(first + i);
        double sum = high + term;
        double part = sum - high;
        low += high - (sum - part) + (term - part);
        high = sum;
        logs[i + 1] = high + low;
      }
      return logs;
    }
  }
}
