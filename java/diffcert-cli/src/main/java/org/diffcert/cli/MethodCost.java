package org.diffcert.cli;

import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.diffcert.DiffcertException;
import org.diffcert.certify.VoteSource;
import org.diffcert.image.ByteImage;
import org.diffcert.noise.Phase;

/**
 * A line of the papers' cost table: a method, what its papers say that a vote costs, the formula of this
 * implementation, and how to open it.
 *
 * @param name what it is called here
 * @param papers where it comes from
 * @param published network calls a vote as the papers count them
 * @param formula network calls a vote of this implementation, in words
 * @param calls its value
 * @param most whether that is the most, votes costing different numbers
 * @param opening opens it
 */
record MethodCost(String name, String papers, String published, String formula, long calls, boolean most,
    Supplier<Open> opening) {
  private static final int MOST_AT_ONCE = 4096;

  /**
   * The votes, and the rows that its model has seen; null where the source counts its calls as it makes them.
   *
   * @param votes the source
   * @param rows rows so far
   */
  record Open(VoteSource votes, LongSupplier rows) {}

  /**
   * What votes were measured to cost.
   *
   * @param votes how many were timed
   * @param counted network calls of all votes cast
   * @param cast how many those were
   * @param seconds one vote among many
   * @param alone one vote by itself
   */
  record Measured(int votes, long counted, int cast, double seconds, double alone) {
    double callsPerVote() {
      return (double) counted / cast;
    }
  }

  /**
   * Casts one vote to warm up, one by itself, then twice as many at once each time, until one call takes half of the
   * time asked; the last call is what counts. Calls are those of all of them.
   */
  Measured measure(ByteImage image, int imageId, double seconds) {
    Open open = opening.get();
    try (VoteSource source = open.votes()) {
      long counted = 0;
      int cast = 0;
      double alone = 0;
      for (int batch = 1, round = 0;; round++) {
        int[][] votes = new int[source.sigmas().size()][batch];
        long[] calls = new long[batch];
        long before = open.rows() == null ? 0 : open.rows().getAsLong();
        long start = System.nanoTime();
        source.votes(image, imageId, Phase.ESTIMATE, cast, cast + batch, votes, calls);
        double took = (System.nanoTime() - start) / 1e9;
        cast += batch;
        counted += open.rows() == null ? sum(calls) : open.rows().getAsLong() - before;
        if (round == 1) {
          alone = took;
        }
        if (round >= 1 && (took >= seconds / 2 || batch >= MOST_AT_ONCE)) {
          return new Measured(batch, counted, cast, took / batch, alone);
        }
        batch = round == 0 ? 1 : 2 * batch;
      }
    }
  }

  /** The calls counted must be those of the formula. */
  void check(Measured measured) {
    long all = calls * measured.cast();
    boolean agrees = most ? measured.counted() <= all : measured.counted() == all;
    if (!agrees) {
      throw new DiffcertException(DiffcertException.Kind.MISMATCH, name + " made " + measured.counted()
          + " network calls for " + measured.cast() + " votes; by the formula " + formula + " they are "
          + (most ? "at most " : "") + calls + " each");
    }
  }

  private static long sum(long[] values) {
    long sum = 0;
    for (long value : values) {
      sum += value;
    }
    return sum;
  }
}
