package org.diffcert.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.diffcert.DiffcertException;
import org.diffcert.file.Safetensors;
import org.diffcert.file.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Resizing, held against planes that Pillow (mode F) and PyTorch (antialias) have resized: up, down, both at once, by
 * prime ratios, to a single row; and against what must hold of any filter.
 */
class ResizerTest {
  private static final int CASES = 8;

  @ParameterizedTest
  @EnumSource
  void isThatOfPillowAndPyTorch(Resampling filter) throws URISyntaxException {
    Path file = Path.of(ResizerTest.class.getResource("resize.safetensors").toURI());
    try (Safetensors vectors = Safetensors.open(file)) {
      for (int i = 0; i < CASES; i++) {
        Tensor in = vectors.tensor(i + ".in");
        for (String peer : new String[] {"pillow", "torch"}) {
          Tensor expected = vectors.tensor(i + "." + filter.cliName() + "." + peer);
          int height = Math.toIntExact(expected.shape().get(0));
          int width = Math.toIntExact(expected.shape().get(1));
          float[] out = new float[height * width];
          new Resizer(Math.toIntExact(in.shape().get(0)), Math.toIntExact(in.shape().get(1)), height, width, filter)
              .resize(in.floats(), 0, out, 0);
          assertArrayEquals(expected.floats(), out, 1e-5f, "case " + i + ", " + peer);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void theSameSizeIsTheSamePlane(Resampling filter) {
    float[] in = noise(7 * 5, 1);
    float[] out = new float[7 * 5];
    new Resizer(7, 5, 7, 5, filter).resize(in, 0, out, 0);
    assertArrayEquals(in, out);
  }

  @ParameterizedTest
  @EnumSource
  void aConstantStaysOneAtEveryRatio(Resampling filter) {
    for (int from = 1; from < 20; from++) {
      for (int to = 1; to < 20; to++) {
        float[] in = new float[from * 3];
        Arrays.fill(in, 0.7f);
        float[] out = new float[to * 2];
        new Resizer(from, 3, to, 2, filter).resize(in, 0, out, 0);
        for (float value : out) {
          assertEquals(0.7f, value, 1e-6f, from + " to " + to);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void planesLieWhereTheyAreSaidTo(Resampling filter) {
    Resizer resizer = new Resizer(6, 4, 3, 9, filter);
    float[] in = noise(3 * 24, 2);
    float[] alone = new float[27];
    float[] among = new float[3 * 27];
    resizer.resize(Arrays.copyOfRange(in, 24, 48), 0, alone, 0);
    resizer.resize(in, 24, among, 27);
    assertArrayEquals(alone, Arrays.copyOfRange(among, 27, 54));
    assertArrayEquals(new float[27], Arrays.copyOfRange(among, 54, 81));
  }

  @Test
  void refusesWhatIsNoSizeOrNoFilter() {
    assertThrows(IllegalArgumentException.class, () -> new Resizer(0, 4, 3, 9, Resampling.BICUBIC));
    assertThrows(IllegalArgumentException.class, () -> new Resizer(4, 4, 3, -1, Resampling.BICUBIC));
    DiffcertException e = assertThrows(DiffcertException.class, () -> Resampling.of("lanczos"));
    assertTrue(e.getMessage().contains("bilinear, bicubic"), e.getMessage());
  }

  private static float[] noise(int size, long seed) {
    Random random = new Random(seed);
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
