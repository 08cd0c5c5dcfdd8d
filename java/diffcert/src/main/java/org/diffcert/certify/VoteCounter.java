package org.diffcert.certify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.image.ByteImage;
import org.diffcert.noise.Phase;
import org.diffcert.stats.FixedSamples;
import org.diffcert.stats.StopRule;

/**
 * Collects one phase's votes of one image into a histogram a sigma, a chunk at a time, so that progress shows and a
 * stop is heard. A chunk is about a second's work and no more than could be needed, or a given number of samples; votes
 * do not depend on ranges and rules look at each sample in its turn, so neither does the result.
 */
final class VoteCounter {
  /** The first chunk, before anything is known of the source's speed; a rule's wish for fewer is rounded up to it. */
  private static final int FIRST_CHUNK = 16;
  private static final double TARGET_NANOS = 1e9;

  /** Votes, one histogram a sigma, and the network calls of the samples in them. */
  record Count(List<Histogram> histograms, long calls) {}

  private final VoteSource source;
  private final int fixedChunk;

  /** A fixed chunk of 0 means: by time. */
  VoteCounter(VoteSource source, int fixedChunk) {
    this.source = source;
    this.fixedChunk = fixedChunk;
  }

  /** The votes of a fixed number of samples. */
  Count count(ByteImage image, int imageId, Phase phase, int total, ProgressListener progress,
      BooleanSupplier cancelled) {
    int sigmas = source.sigmas().size();
    StopRule fixed = new FixedSamples(total, 0.25); // any level will do: nobody asks for its bound
    return count(image, imageId, phase, Collections.nCopies(sigmas, fixed), new int[sigmas], progress, cancelled);
  }

  /**
   * The votes of as many samples as the rule of each sigma takes to decide about a candidate. Once a rule has stopped,
   * later votes at its sigma are not counted.
   */
  Count count(ByteImage image, int imageId, Phase phase, List<StopRule> rules, int[] candidates,
      ProgressListener progress, BooleanSupplier cancelled) {
    List<Tally> tallies = new ArrayList<>();
    for (int s = 0; s < candidates.length; s++) {
      tallies.add(new Tally(rules.get(s), candidates[s], source.classes()));
    }
    int total = rules.stream().mapToInt(StopRule::cap).max().orElseThrow();
    int chunk = fixedChunk > 0 ? fixedChunk : FIRST_CHUNK;
    int from = 0;
    long spent = 0;
    for (int needed = needed(tallies); needed > 0; needed = needed(tallies)) {
      if (cancelled.getAsBoolean()) {
        throw new DiffcertException(Kind.INTERRUPTED, "stopped before image " + imageId + " was done");
      }
      int wanted = fixedChunk > 0 ? fixedChunk : Math.min(chunk, Math.max(FIRST_CHUNK, needed));
      int to = (int) Math.min(total, (long) from + wanted);
      int[][] votes = new int[tallies.size()][to - from];
      long start = System.nanoTime();
      long[] calls = new long[to - from];
      source.votes(image, imageId, phase, from, to, votes, calls);
      double nanos = Math.max(1, System.nanoTime() - start);
      for (int s = 0; s < tallies.size(); s++) {
        tallies.get(s).add(votes[s]);
      }
      int counted = tallies.stream().mapToInt(tally -> tally.samples).max().orElseThrow();
      spent += Arrays.stream(calls, 0, counted - from).sum();
      double inTime = (to - from) * TARGET_NANOS / nanos;
      chunk = (int) Math.max(1, Math.min(inTime, Math.min(2.0 * chunk, total)));
      from = to;
      progress.samples(phase, from, total);
    }
    return new Count(tallies.stream().map(Tally::histogram).toList(), spent);
  }

  /** The fewest further samples after which all can have stopped. */
  private static int needed(List<Tally> tallies) {
    return tallies.stream().mapToInt(Tally::needed).max().orElseThrow();
  }

  /** The votes at one sigma, up to where its rule stops. */
  private static final class Tally {
    private final StopRule rule;
    private final int candidate;
    private final int[] counts;
    private int none;
    private int samples;
    private boolean stopped;

    Tally(StopRule rule, int candidate, int classes) {
      this.rule = rule;
      this.candidate = candidate;
      this.counts = new int[classes];
    }

    void add(int[] votes) {
      for (int i = 0; i < votes.length && !stopped; i++) {
        int vote = votes[i];
        if (vote == VoteSource.NO_VOTE) {
          none++;
        } else if (vote >= 0 && vote < counts.length) {
          counts[vote]++;
        } else {
          throw new IllegalStateException("a vote for class " + vote + " of " + counts.length);
        }
        samples++;
        stopped = rule.stops(counts[candidate], samples);
      }
    }

    int needed() {
      return stopped ? 0 : rule.soonest(counts[candidate], samples);
    }

    Histogram histogram() {
      return new Histogram(counts, none);
    }
  }
}
