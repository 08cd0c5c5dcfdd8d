package org.diffcert.denoise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.diffcert.DiffcertException;
import org.diffcert.certify.VoteSource;
import org.diffcert.denoise.Toys.OfSum;
import org.diffcert.denoise.Toys.Values;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Votes behind a denoiser: pure functions of their keys however they are divided up, and majorities of runs. */
class DenoisedVotesTest {
  private static final Sigma SIGMA = new Sigma(0.25);
  private static final Values HALF = Values.of(3, (x, level) -> Math.max(-1, Math.min(1, x / 2)));

  private static ByteImage image(int side, int value) {
    byte[] pixels = new byte[side * side];
    Arrays.fill(pixels, (byte) value);
    return new ByteImage(new ImageShape(1, side, side), pixels);
  }

  private static Purification runs(int votes, int steps, Sampler sampler, TieRule ties) {
    return new Purification(votes, steps, sampler, sampler == Sampler.EDM ? 1 : 0, ties);
  }

  /** Six bands are so narrow that the runs of a sample disagree. */
  private static DenoisedVotes bands(Purification how, int threads) {
    return new DenoisedVotes(HALF, OfSum.bands(3, 6, 0.2), how, List.of(SIGMA, new Sigma(0.5)), 77, threads);
  }

  private static int[][] votes(VoteSource source, int from, int to) {
    int[][] votes = new int[source.sigmas().size()][to - from];
    source.votes(image(3, 140), 5, Phase.ESTIMATE, from, to, votes);
    return votes;
  }

  @ParameterizedTest
  @EnumSource(Sampler.class)
  void shardsOfSamplesAndRunsMergeToTheSameBitsInAnyOrder(Sampler sampler) {
    Purification how = runs(10, 3, sampler, TieRule.LOWEST);
    DenoisedVotes whole = bands(how, 1);
    int[][] labels = whole.labels(image(3, 140), 5, Phase.ESTIMATE, 1, 0, 90, 0, 10);
    int[] votes = votes(whole, 0, 90)[1];
    long seed = 20261121;
    Random random = new Random(seed);
    for (int trial = 0; trial < 3 * Integer.getInteger("depth", 1); trial++) {
      // Tiles of random sizes over samples and runs, computed in random order by sources of different thread counts.
      List<int[]> tiles = new ArrayList<>();
      for (int from = 0; from < 90; ) {
        int to = Math.min(90, from + 1 + random.nextInt(40));
        for (int first = 0; first < 10; ) {
          int last = Math.min(10, first + 1 + random.nextInt(5));
          tiles.add(new int[] {from, to, first, last});
          first = last;
        }
        from = to;
      }
      Collections.shuffle(tiles, random);
      int[][] merged = new int[90][10];
      int[][] counts = new int[90][6];
      for (int[] tile : tiles) {
        int[][] part = bands(how, 1 + random.nextInt(3))
            .labels(image(3, 140), 5, Phase.ESTIMATE, 1, tile[0], tile[1], tile[2], tile[3]);
        for (int j = tile[0]; j < tile[1]; j++) {
          System.arraycopy(part[j - tile[0]], 0, merged[j], tile[2], tile[3] - tile[2]);
          for (int label : part[j - tile[0]]) {
            counts[j][label]++;
          }
        }
      }
      assertArrayEquals(labels, merged, "seed " + seed);
      for (int j = 0; j < 90; j++) {
        assertEquals(votes[j], TieRule.LOWEST.majority(merged[j], 6));
        int most = Arrays.stream(counts[j]).max().orElseThrow();
        assertEquals(votes[j], Arrays.stream(counts[j]).boxed().toList().indexOf(most), "the counts alone decide");
      }
    }
    assertTrue(Arrays.stream(labels).anyMatch(row -> Arrays.stream(row).distinct().count() > 2), "the runs all agree");
  }

  @Test
  void votesDoNotDependOnRangesOrThreads() {
    Purification how = runs(5, 2, Sampler.ANCESTRAL, TieRule.FIRST);
    int[][] all = votes(bands(how, 3), 0, 200);
    DenoisedVotes one = bands(how, 1);
    for (int from : new int[] {0, 1, 63, 150}) {
      int[][] part = votes(one, from, from + 50);
      for (int s = 0; s < 2; s++) {
        assertArrayEquals(Arrays.copyOfRange(all[s], from, from + 50), part[s]);
      }
    }
  }

  /** Few samples are carried at a time where images are large; how many moves no bit. */
  @Test
  void memoryIsBoundedByTheSizeOfImages() {
    assertEquals(256, DenoisedVotes.samplesAtOnce(1, 3 * 32 * 32));
    assertEquals(25, DenoisedVotes.samplesAtOnce(10, 3 * 32 * 32));
    assertEquals(21, DenoisedVotes.samplesAtOnce(1, 3 * 512 * 512));
    assertEquals(2, DenoisedVotes.samplesAtOnce(10, 3 * 512 * 512));
    assertEquals(1, DenoisedVotes.samplesAtOnce(256, 3 * 512 * 512));
    assertEquals(1, DenoisedVotes.samplesAtOnce(256, Integer.MAX_VALUE));
    int side = 2400;
    AtomicInteger largest = new AtomicInteger();
    Denoiser told = new Toys.Told(Values.of(side, (x, level) -> x / 2), x -> largest.accumulateAndGet(x, Math::max),
        () -> {});
    DenoisedVotes source = new DenoisedVotes(told, OfSum.bands(side, 97, 0.5), Purification.ONE_SHOT,
        List.of(SIGMA), 77, 2);
    int[][] all = source.labels(image(side, 140), 5, Phase.ESTIMATE, 0, 0, 3, 0, 1);
    assertEquals(2 * side * side, largest.get(), "values of a call of the denoiser");
    assertArrayEquals(Arrays.copyOfRange(all, 1, 3),
        source.labels(image(side, 140), 5, Phase.ESTIMATE, 0, 1, 3, 0, 1));
  }

  /** What cannot be closed keeps nothing else open. */
  @Test
  void bothAreClosedThoughOneFails() {
    AtomicInteger closed = new AtomicInteger();
    RealClassifier stuck = new Toys.Stuck(OfSum.sign(3));
    DenoisedVotes source = new DenoisedVotes(new Toys.Told(HALF, x -> {}, closed::incrementAndGet), stuck,
        Purification.ONE_SHOT, List.of(SIGMA), 3, 1);
    assertThrows(IllegalStateException.class, source::close);
    assertEquals(1, closed.get(), "the denoiser is open");
  }

  /** The first K runs are those of a purification with fewer votes. */
  @Test
  void moreVotesAreMoreRuns() {
    int[][] ten = bands(runs(10, 3, Sampler.ANCESTRAL, TieRule.LOWEST), 1)
        .labels(image(3, 140), 5, Phase.SELECT, 0, 0, 20, 0, 10);
    int[][] four = bands(runs(4, 3, Sampler.ANCESTRAL, TieRule.LOWEST), 1)
        .labels(image(3, 140), 5, Phase.SELECT, 0, 0, 20, 0, 4);
    for (int j = 0; j < 20; j++) {
      assertArrayEquals(Arrays.copyOf(ten[j], 4), four[j]);
    }
  }

  @Test
  void oneStepIsOneShotHoweverManyVotes() {
    DenoisedVotes oneShot = bands(Purification.ONE_SHOT, 1);
    DenoisedVotes many = bands(runs(7, 1, Sampler.ANCESTRAL, TieRule.FIRST), 1);
    assertArrayEquals(votes(oneShot, 0, 100), votes(many, 0, 100));
    assertEquals(2, oneShot.callsPerSample());
    assertEquals(2, many.callsPerSample());
    assertEquals("denoised", ((Map<?, ?>) oneShot.identity().get("classifier")).get("kind"));
  }

  @Test
  void callsAreCounted() {
    assertEquals(2 * 37, bands(runs(9, 5, Sampler.ANCESTRAL, TieRule.LOWEST), 1).callsPerSample());
    assertEquals(2 * 81, bands(runs(9, 5, Sampler.EDM, TieRule.LOWEST), 1).callsPerSample());
    DenoisedVotes source = bands(Purification.ONE_SHOT, 1);
    votes(source, 0, 10);
    assertEquals(List.of("noise", "denoiser", "classifier"), List.copyOf(source.stageNanos().keySet()));
  }

  @Test
  void ties() {
    int none = VoteSource.NO_VOTE;
    assertEquals(1, TieRule.LOWEST.majority(new int[] {3, 1, 3, 1, 2}, 4));
    assertEquals(3, TieRule.FIRST.majority(new int[] {3, 1, 3, 1, 2}, 4));
    assertEquals(0, TieRule.LOWEST.majority(new int[] {3, 2, 1, 0}, 4));
    assertEquals(2, TieRule.FIRST.majority(new int[] {none, 2, 1, 0}, 4));
    assertEquals(2, TieRule.FIRST.majority(new int[] {0, 2, 2}, 4));
    assertEquals(1, TieRule.LOWEST.majority(new int[] {none, none, none, 1}, 4));
    assertEquals(none, TieRule.LOWEST.majority(new int[] {none, none}, 4));
  }

  /**
   * With D(x) = x a chain of two steps adds independent noise of variance 3/16 of the smoothing noise's. So the share
   * of votes is that of both noises together, which it is only if each sample's is its own; and a certificate of that
   * share stays below the true radius, the distance to the boundary.
   */
  @Test
  void theNoiseOfStepsIsFreshForEachSample() {
    Values identity = Values.of(1, (x, level) -> x);
    int n = 20_000;
    for (int value : new int[] {128, 160, 200}) {
      DenoisedVotes source = new DenoisedVotes(identity, OfSum.sign(1),
          runs(1, 2, Sampler.ANCESTRAL, TieRule.LOWEST), List.of(SIGMA), 3, 2);
      int[][] votes = new int[1][n];
      source.votes(image(1, value), value, Phase.ESTIMATE, 0, n, votes);
      double share = Arrays.stream(votes[0]).filter(vote -> vote == 1).count() / (double) n;
      double distance = (2 * value - 255) / 255.0;
      double expected = NormalDistribution.of(0, 1).cumulativeProbability(distance / (SIGMA.edm() * Math.sqrt(1
          + 3 / 16.0)));
      assertEquals(expected, share, 5 * Math.sqrt(expected * (1 - expected) / n), "pixel " + value);
    }
  }

  @Test
  void aValueThatIsNotFiniteHasNoVote() {
    Values broken = Values.of(3, (x, level) -> x > 0.9 ? Double.NaN : x > 0.8 ? Double.POSITIVE_INFINITY : x);
    RealClassifier stubborn = new OfSum(new ImageShape(1, 3, 3), 2, sum -> 1);
    DenoisedVotes source = new DenoisedVotes(broken, stubborn, Purification.ONE_SHOT, List.of(SIGMA), 3, 1);
    int[] votes = votes(source, 0, 100)[0];
    assertTrue(Arrays.stream(votes).anyMatch(vote -> vote == VoteSource.NO_VOTE));
    assertTrue(Arrays.stream(votes).anyMatch(vote -> vote == 1));
  }

  @Test
  void whatDoesNotFitIsRefused() {
    DiffcertException shape = assertThrows(DiffcertException.class,
        () -> new DenoisedVotes(HALF, OfSum.sign(4), Purification.ONE_SHOT, List.of(SIGMA), 1, 1));
    assertEquals(DiffcertException.Kind.BAD_INPUT, shape.kind());
    Values timesteps = new Values(HALF.shape(), HALF.shrink(), null, false);
    assertThrows(DiffcertException.class, () -> new DenoisedVotes(timesteps, OfSum.sign(3),
        runs(2, 2, Sampler.EDM, TieRule.LOWEST), List.of(SIGMA), 1, 1));
    for (int[] bad : new int[][] {{0, 1}, {257, 1}, {1, 0}, {1, 257}}) {
      assertThrows(DiffcertException.class, () -> runs(bad[0], bad[1], Sampler.ANCESTRAL, TieRule.LOWEST));
    }
    assertThrows(DiffcertException.class, () -> new Purification(2, 2, Sampler.ANCESTRAL, 1, TieRule.LOWEST));
    assertThrows(DiffcertException.class, () -> new Purification(2, 2, Sampler.EDM, Double.NaN, TieRule.LOWEST));
    assertThrows(IllegalArgumentException.class, () -> new DenoisedVotes(HALF, OfSum.sign(3), Purification.ONE_SHOT,
        List.of(new Sigma(0.5), SIGMA), 1, 1));
  }
}
