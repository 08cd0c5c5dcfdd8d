package org.diffcert.certify;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.image.ByteImage;
import org.diffcert.noise.Phase;

/**
 * Collects one phase's votes of one image into a histogram a sigma, a chunk at a time, so that progress shows and a
 * stop is heard. A chunk is about a second's work, or a given number of samples; votes do not depend on ranges, so
 * neither does the result.
 */
final class VoteCounter {
  /** The first chunk, before anything is known of the source's speed. */
  private static final int FIRST_CHUNK = 16;
  private static final double TARGET_NANOS = 1e9;

  private final VoteSource source;
  private final int fixedChunk;

  /** A fixed chunk of 0 means: by time. */
  VoteCounter(VoteSource source, int fixedChunk) {
    this.source = source;
    this.fixedChunk = fixedChunk;
  }

  List<Histogram> count(ByteImage image, int imageId, Phase phase, int total, ProgressListener progress,
      BooleanSupplier cancelled) {
    int sigmas = source.sigmas().size();
    int[][] counts = new int[sigmas][source.classes()];
    int[] none = new int[sigmas];
    int chunk = fixedChunk > 0 ? fixedChunk : FIRST_CHUNK;
    for (int from = 0; from < total; ) {
      if (cancelled.getAsBoolean()) {
        throw new DiffcertException(Kind.INTERRUPTED, "stopped before image " + imageId + " was done");
      }
      int to = (int) Math.min(total, (long) from + chunk);
      int[][] votes = new int[sigmas][to - from];
      long start = System.nanoTime();
      source.votes(image, imageId, phase, from, to, votes);
      double nanos = Math.max(1, System.nanoTime() - start);
      tally(votes, counts, none);
      if (fixedChunk <= 0) {
        double wanted = (to - from) * TARGET_NANOS / nanos;
        chunk = (int) Math.max(1, Math.min(wanted, Math.min(2.0 * chunk, total)));
      }
      from = to;
      progress.samples(phase, from, total);
    }
    List<Histogram> histograms = new ArrayList<>();
    for (int s = 0; s < sigmas; s++) {
      histograms.add(new Histogram(counts[s], none[s]));
    }
    return histograms;
  }

  private static void tally(int[][] votes, int[][] counts, int[] none) {
    for (int s = 0; s < counts.length; s++) {
      for (int vote : votes[s]) {
        if (vote == VoteSource.NO_VOTE) {
          none[s]++;
        } else if (vote >= 0 && vote < counts[s].length) {
          counts[s][vote]++;
        } else {
          throw new IllegalStateException("a vote for class " + vote + " of " + counts[s].length);
        }
      }
    }
  }
}
