package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.LongPointer;
import org.diffcert.diffusion.jni.DiffcertAbi;
import org.diffcert.diffusion.jni.dc_tau;
import org.diffcert.noise.IntegerNoise;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.PathNoise;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Philox;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Java's noise and the native core's are equal to the bit: a million values of each kind, array against array. */
class NoiseEqualityTest {
  private static final int MILLION = 1_000_000;
  private static final long SEED = 0xfedcba9876543210L;
  private static final int IMAGE = 41;
  private static final int SAMPLE = 0x80000001;

  @BeforeAll
  static void load() {
    NativeLibrary.load();
  }

  private static NoiseKey key(Phase phase) {
    return new NoiseKey(SEED, IMAGE, phase, SAMPLE);
  }

  @Test
  void philox() {
    SplittableRandom random = new SplittableRandom(6);
    for (int i = 0; i < 1000; i++) {
      int[] counter = {random.nextInt(), random.nextInt(), random.nextInt(), random.nextInt()};
      long key = random.nextLong();
      int[] expected = new int[4];
      int[] actual = new int[4];
      Philox.block(counter[0], counter[1], counter[2], counter[3], key, expected);
      DiffcertAbi.dc_philox(counter, key, actual);
      assertArrayEquals(expected, actual);
    }
  }

  @Test
  void integerNoise() {
    for (double sigma : new double[] {0.12, 0.25, 0.5, 1}) {
      IntegerNoise law = IntegerNoise.of(new Sigma(sigma));
      int[] expected = new int[MILLION];
      int[] actual = new int[MILLION];
      int[] ambiguous = {-1};
      assertTrue(law.draw(key(Phase.ESTIMATE), MILLION, expected));
      try (LongPointer thresholds = new LongPointer(law.thresholds()); dc_tau tau = new dc_tau()) {
        tau.sigma(sigma).threshold_count(thresholds.capacity()).thresholds(thresholds).threshold_origin(law.origin());
        assertEquals(0, DiffcertAbi.dc_integer_noise(tau, SEED, IMAGE, 2, SAMPLE, MILLION, actual, ambiguous));
      }
      assertEquals(0, ambiguous[0]);
      assertArrayEquals(expected, actual, "sigma " + sigma);
    }
  }

  @Test
  void levelNoise() {
    double[] actual = new double[MILLION];
    assertEquals(0, DiffcertAbi.dc_level_noise(SEED, IMAGE, 1, SAMPLE, NoiseKey.MAX_INDEX, MILLION, actual));
    // Without a tolerance, assertArrayEquals compares the bits.
    assertArrayEquals(key(Phase.SELECT).normals(NoiseStream.LEVEL, NoiseKey.MAX_INDEX, MILLION), actual);
  }

  @Test
  void pathNoise() {
    int count = MILLION / 4 + 1;
    int[][] expected = new int[4][count];
    List<Sigma> sigmas = List.of(new Sigma(0.12), new Sigma(0.25), new Sigma(0.5), new Sigma(1));
    boolean certain = new PathNoise(sigmas).draw(key(Phase.PREDICT), count, expected);
    int[] actual = new int[4 * count];
    int[] ambiguous = {-1};
    double[] units = sigmas.stream().mapToDouble(Sigma::unit).toArray();
    assertEquals(0, DiffcertAbi.dc_path_noise(4, units, SEED, IMAGE, 3, SAMPLE, count, actual, ambiguous));
    assertEquals(certain ? 0 : 1, ambiguous[0]);
    for (int k = 0; k < 4; k++) {
      for (int e = 0; e < count; e++) {
        assertEquals(expected[k][e], actual[k * count + e]);
      }
    }
  }
}
