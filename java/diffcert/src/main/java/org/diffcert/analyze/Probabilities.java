package org.diffcert.analyze;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.commons.statistics.distribution.NormalDistribution;

/**
 * How sure the smoothed classifier was: p_A, row by row. For our runs it is the share of estimation votes for the
 * candidate; for a table it is Phi(radius / sigma), the lower bound that the radius was made from, of the rows that
 * predict. Immutable, thread-safe.
 */
public final class Probabilities {
  /** The histogram's edges: even up to 0.9, then finer, since there radii are won. */
  static final double[] EDGES = {0, .1, .2, .3, .4, .5, .6, .7, .8, .9, .95, .99, .999, 1};

  private static final NormalDistribution NORMAL = NormalDistribution.of(0, 1);

  private final double[] ascending;
  private final boolean shares;

  private Probabilities(double[] values, boolean shares) {
    this.ascending = values;
    this.shares = shares;
    Arrays.sort(ascending);
  }

  /**
   * The probabilities of a log.
   *
   * @param log any log
   * @return empty if the log has neither votes nor both radii and sigma, or no row that counts
   */
  public static Optional<Probabilities> of(Log log) {
    if (log.votes().isPresent()) {
      double[] values = log.votes().get().shares().stream().mapToDouble(Double::doubleValue).toArray();
      return values.length == 0 ? Optional.empty() : Optional.of(new Probabilities(values, true));
    }
    if (log.form() != Log.Form.CERTIFICATES || log.sigma().isEmpty()) {
      return Optional.empty();
    }
    double sigma = log.sigma().get().unit();
    double[] values = log.rows().stream().filter(row -> !row.abstains())
        .mapToDouble(row -> NORMAL.cumulativeProbability(row.radius() / sigma)).toArray();
    return values.length == 0 ? Optional.empty() : Optional.of(new Probabilities(values, false));
  }

  /**
   * What the numbers are.
   *
   * @return true for shares of votes, false for lower bounds of the rows that predict
   */
  public boolean shares() {
    return shares;
  }

  /**
   * How many rows count.
   *
   * @return at least 1
   */
  public int size() {
    return ascending.length;
  }

  /**
   * The median.
   *
   * @return the middle value, or the mean of the two in the middle
   */
  public double median() {
    int n = ascending.length;
    return (ascending[(n - 1) / 2] + ascending[n / 2]) / 2;
  }

  /**
   * Rows between neighbouring edges 0, 0.1, .., 0.9, 0.95, 0.99, 0.999, 1; an edge belongs to the bin above it, 1 to
   * the last.
   *
   * @return one count a bin
   */
  public int[] histogram() {
    int[] counts = new int[EDGES.length - 1];
    for (double p : ascending) {
      int bin = IntStream.range(0, counts.length).filter(b -> p < EDGES[b + 1]).findFirst().orElse(counts.length - 1);
      counts[bin]++;
    }
    return counts;
  }
}
