package org.diffcert.onnx;

import java.util.Arrays;
import java.util.function.BiFunction;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;

/**
 * Finds out, on fixed rows of noise, whether a model's logits of a row depend on the rows beside it, on its place among
 * them and on how many they are. A probe can find a dependence and cannot exclude one; what it tells apart is models
 * that mix their rows, models that draw random numbers, and kernels that are chosen by batch.
 */
final class BatchProbe {
  private static final int ROWS = 64;
  private static final int[] SIZES = {1, 3, 16, 64};
  /** The key of the rows; a fixed one, so that a model opens in the same way each time. */
  private static final long SEED = 0x70726f6265L;

  private final int[][] rows;
  private final BiFunction<int[][], Integer, float[][]> logits;

  /** Of a function from rows and a batch size to the rows' logits. */
  BatchProbe(int elements, BiFunction<int[][], Integer, float[][]> logits) {
    this.logits = logits;
    this.rows = new int[ROWS][elements];
    for (int r = 0; r < ROWS; r++) {
      long[] uniforms = new NoiseKey(SEED, 0, Phase.SELECT, r).uniforms(NoiseStream.SMOOTHING, 0, elements);
      for (int e = 0; e < elements; e++) {
        // Every other row within the range of pixels, the others beyond it by as much on either side.
        rows[r][e] = (int) (r % 2 == 0 ? uniforms[e] >>> 56 : (uniforms[e] >>> 1) % 766 - 255);
      }
    }
  }

  /** The logits of all rows in batches of a size. */
  float[][] logits(int size) {
    return logits.apply(rows, size);
  }

  /** Whether in batches of this size a row's logits are the same whatever is beside it and wherever it stands. */
  boolean isFunctionOfRow(int size) {
    float[][] straight = logits(size);
    for (int step : new int[] {1, 5, 27, 63}) { // odd steps: each a permutation of the 64 rows
      int[][] moved = new int[ROWS][];
      for (int r = 0; r < ROWS; r++) {
        moved[(r * step + 7) % ROWS] = rows[r];
      }
      float[][] there = logits.apply(moved, size);
      for (int r = 0; r < ROWS; r++) {
        if (!same(straight[r], there[(r * step + 7) % ROWS])) {
          return false;
        }
      }
    }
    // Rows that share their batch with nothing but padding.
    for (int r : new int[] {0, ROWS / 2 + 1}) {
      if (!same(straight[r], logits.apply(new int[][] {rows[r]}, size)[0])) {
        return false;
      }
    }
    return true;
  }

  /** Whether the logits are the same bits in batches of 1, 3, 16 and 64. */
  boolean isSizeInvariant() {
    float[][] first = logits(SIZES[0]);
    for (int size : SIZES) {
      float[][] there = logits(size);
      for (int r = 0; r < ROWS; r++) {
        if (!same(first[r], there[r])) {
          return false;
        }
      }
    }
    return true;
  }

  /** Equal bits, but for those of a NaN. */
  private static boolean same(float[] a, float[] b) {
    return Arrays.equals(a, b);
  }
}
