package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.model.NetworkConfig;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;
import org.junit.jupiter.api.Test;

/** The sampler against its definition, its grids against published values, and what an image depends on. */
class ImageSamplerTest {
  /** Karras et al. 2022, 18 steps from 80 to 0.002, as the published code makes them. */
  private static final double[] EDM = {80, 57.585985, 40.785574, 28.374585, 19.352453, 12.910082, 8.400935, 5.315195,
      3.256822, 1.923340, 1.088171,
      0.585348, 0.296442, 0.139516, 0.059947, 0.022935, 0.007528, 0.002};

  @Test
  void gridsAreThePublishedOnes() {
    assertArrayEquals(EDM, ImageSampler.levels(NetworkConfig.preset("mnist-ddpmpp"), 18), 1e-6);
    double[] ve = ImageSampler.levels(NetworkConfig.preset("cifar10-ncsnpp-cond-ve"), 5);
    assertEquals(80, ve[0], 1e-9);
    assertEquals(0.02, ve[4], 1e-9);
    assertEquals(0.002, ImageSampler.levels(NetworkConfig.preset("cifar10-ddpmpp-cond-vp"), 5)[4], 1e-9);
    NetworkConfig iddpm = NetworkConfig.preset("imagenet64-adm-iddpm");
    double[] own = iddpm.iddpmLevels();
    for (double level : ImageSampler.levels(iddpm, 18)) {
      assertTrue(java.util.Arrays.stream(own).anyMatch(u -> u == level && u > 0), level
          + " is no level of the network");
    }
  }

  /** Two steps of Euler and of Heun, written out for one image. */
  @Test
  void aSampleIsWhatTheAlgorithmSays() {
    try (DiffusionModel model = SmallModel.open(Device.CPU)) {
      double[] noise = new NoiseKey(9, 0, Phase.PREDICT, 0).normals(NoiseStream.SAMPLE, 0, SmallModel.VALUES);
      double[] euler = new double[noise.length];
      double[] heun = new double[noise.length];
      double[] first = slope(model, scaled(noise, 80), 80);
      for (int e = 0; e < noise.length; e++) {
        euler[e] = 80 * noise[e] + (0.002 - 80) * first[e];
      }
      double[] second = slope(model, euler, 0.002);
      for (int e = 0; e < noise.length; e++) {
        heun[e] = 80 * noise[e] + (0.002 - 80) * (first[e] + second[e]) / 2;
        euler[e] -= 0.002 * second[e];
      }
      double[] last = slope(model, heun, 0.002);
      for (int e = 0; e < noise.length; e++) {
        heun[e] -= 0.002 * last[e];
      }
      int[] label = {1};
      close(euler, new ImageSampler(model, OdeSolver.EULER, 2, 9).draw(label, n -> { }).get(0));
      close(heun, new ImageSampler(model, OdeSolver.HEUN, 2, 9).draw(label, n -> { }).get(0));
    }
  }

  private static double[] scaled(double[] noise, double level) {
    double[] x = noise.clone();
    for (int e = 0; e < x.length; e++) {
      x[e] *= level;
    }
    return x;
  }

  private static double[] slope(DiffusionModel model, double[] x, double level) {
    float[] input = new float[x.length];
    for (int e = 0; e < x.length; e++) {
      input[e] = (float) x[e];
    }
    float[] denoised = model.denoise(input, new double[] {level}, new int[] {1});
    double[] slope = new double[x.length];
    for (int e = 0; e < x.length; e++) {
      slope[e] = (x[e] - denoised[e]) / level;
    }
    return slope;
  }

  private static void close(double[] expected, ByteImage actual) {
    int inside = 0;
    for (int e = 0; e < expected.length; e++) {
      double value = Math.max(0, Math.min(255, 127.5 * (expected[e] + 1)));
      assertEquals(value, actual.get(e), 0.5001, "value " + e);
      inside += value > 0 && value < 255 ? 1 : 0;
    }
    assertTrue(inside > 0, "every value is clipped: nothing was compared");
  }

  @Test
  void anImageDependsOnItsNumberAndLabelAlone() {
    try (DiffusionModel model = SmallModel.open(Device.CPU)) {
      ImageSampler sampler = new ImageSampler(model, OdeSolver.HEUN, 4, 3);
      assertEquals(7, sampler.callsPerImage());
      List<ByteImage> many = sampler.draw(new int[] {0, 1, 2, -1, 0, 1, 2, -1, 0, 1}, n -> { });
      assertEquals(many.subList(0, 3), sampler.draw(new int[] {0, 1, 2}, n -> { }));
      assertNotEquals(many.get(0), many.get(4));
      assertNotEquals(many.get(0), sampler.draw(new int[] {1}, n -> { }).get(0));
      assertNotEquals(many.get(0), new ImageSampler(model, OdeSolver.HEUN, 4, 4).draw(new int[] {0}, n -> { }).get(0));
      assertThrows(DiffcertException.class, () -> sampler.draw(new int[] {3}, n -> { }));
      assertThrows(DiffcertException.class, () -> new ImageSampler(model, OdeSolver.HEUN, 1, 3));
    }
  }
}
