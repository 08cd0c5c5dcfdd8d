package org.diffcert.certify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;

/** Votes of an own classifier do not depend on threads and ranges, and a failure in a thread is the caller's. */
class NoisyVotesTest {
  private static final ImageShape SHAPE = new ImageShape(1, 3, 5);
  private static final List<Sigma> SIGMAS = List.of(new Sigma(0.25), new Sigma(0.5));

  /** A classifier that is a function of a row. */
  private record Rows(ToIntFunction<int[]> function) implements BaseClassifier {
    @Override
    public int classes() {
      return 7;
    }

    @Override
    public ImageShape shape() {
      return SHAPE;
    }

    @Override
    public Map<String, Object> identity() {
      return Map.of();
    }

    @Override
    public void classify(int[][] inputs, int[] classes) {
      for (int i = 0; i < inputs.length; i++) {
        classes[i] = function.applyAsInt(inputs[i]);
      }
    }

    @Override
    public void close() {}
  }

  private static int[][] votes(ToIntFunction<int[]> function, int threads, int from, int to) {
    byte[] pixels = new byte[SHAPE.elements()];
    Arrays.fill(pixels, (byte) 100);
    int[][] votes = new int[SIGMAS.size()][to - from];
    try (NoisyVotes source = new NoisyVotes(new Rows(function), NoiseLaw.GAUSSIAN, SIGMAS, 5, threads)) {
      source.votes(new ByteImage(SHAPE, pixels), 3, Phase.ESTIMATE, from, to, votes);
    }
    return votes;
  }

  @Test
  void threadsAndRangesChangeNoVote() {
    ToIntFunction<int[]> function = row -> Math.floorMod(Arrays.hashCode(row), 7);
    int[][] all = votes(function, 1, 0, 1000);
    assertEquals(7, Arrays.stream(all[0]).distinct().count());
    for (int threads : new int[] {2, 3, 50}) {
      int[][] part = votes(function, threads, 77, 1000);
      for (int s = 0; s < SIGMAS.size(); s++) {
        assertArrayEquals(Arrays.copyOfRange(all[s], 77, 1000), part[s]);
      }
    }
  }

  @Test
  void aFailureInAnyThreadIsThrown() {
    for (int threads : new int[] {1, 4}) {
      assertEquals("no", assertThrows(IllegalStateException.class, () -> votes(row -> {
        throw new IllegalStateException("no");
      }, threads, 0, 1000)).getMessage());
    }
    assertThrows(IllegalArgumentException.class, () -> votes(row -> 0, 0, 0, 10));
  }
}
