package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.diffcert.DiffcertException;
import org.diffcert.denoise.DdpmSchedule;
import org.diffcert.denoise.Denoiser.Estimate;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;

/** Denoisers of each kind of network, against the network's own preconditioner and against the raw network. */
class DiffusionDenoiserTest {
  private static final int ROWS = 11;

  /** A small network under a preconditioner, on the float64 reference: what differs is the formula, not rounding. */
  private static DiffusionModel small(String precond, int maxBatch) {
    NetworkConfig config = NetworkConfig.parse(precond,
        "{\"model_type\":\"SongUNet\",\"img_resolution\":8,\"img_channels\":1,"
        + "\"label_dim\":0,\"model_channels\":16,\"channel_mult\":[1,2],\"num_blocks\":1,\"attn_resolutions\":[4]}");
    return DiffusionModel.open(Model.random(config, 7),
        DeviceOptions.on(new Device("reference")).withMaxBatch(maxBatch));
  }

  private static float[] images() {
    return SmallModel.images(ROWS, 3);
  }

  @Test
  void matchedByLevelItIsTheModelsOwnEstimateClamped() {
    try (DiffusionModel model = small("EDMPrecond", 4)) {
      DiffusionDenoiser free = new DiffusionDenoiser(model, Matching.of("auto", model.config()), false);
      assertTrue(free.takesAnyLevel());
      assertArrayEquals(new double[] {1, 0.75, 0.5, 0.25}, free.levels(new Sigma(0.5), 4));
      Estimate estimate = free.denoise(images(), 1);
      assertNull(estimate.variance());
      float[] clamped = new DiffusionDenoiser(model, Matching.LEVEL, true).denoise(images(), 1).images();
      boolean outside = false;
      for (int row = 0; row < ROWS; row++) {
        float[] x = Arrays.copyOfRange(images(), row * SmallModel.VALUES, (row + 1) * SmallModel.VALUES);
        float[] alone = model.denoise(x, new double[] {1}, null);
        for (int e = 0; e < alone.length; e++) {
          assertEquals(alone[e], estimate.images()[row * SmallModel.VALUES + e], "in batches of 4 and alone");
          assertEquals(Math.max(-1, Math.min(1, alone[e])), clamped[row * SmallModel.VALUES + e]);
          outside |= Math.abs(alone[e]) > 1;
        }
      }
      assertTrue(outside, "nothing to clamp");
    }
  }

  @Test
  void theBatchMayBeTheDevicesChoice() {
    try (DiffusionModel model = small("EDMPrecond", DeviceOptions.DEVICES_CHOICE);
        DiffusionModel four = small("EDMPrecond", 4)) {
      assertArrayEquals(new DiffusionDenoiser(four, Matching.LEVEL, true).denoise(images(), 1).images(),
          new DiffusionDenoiser(model, Matching.LEVEL, true).denoise(images(), 1).images());
    }
  }

  /** The published wrapper at rho_t does what a DDPM's program does at t: the same network, the same image. */
  @Test
  void matchedByCosineItIsTheWrapperAtThatTimestep() {
    try (DiffusionModel model = small("iDDPMPrecond", 4)) {
      DiffusionDenoiser denoiser = new DiffusionDenoiser(model, Matching.of("auto", model.config()), false);
      assertFalse(denoiser.takesAnyLevel());
      DdpmSchedule schedule = DdpmSchedule.cosine(1000);
      double[] levels = denoiser.levels(new Sigma(0.5), 3);
      assertEquals(schedule.level(schedule.match(1)), levels[0]);
      for (double level : levels) {
        Estimate estimate = denoiser.denoise(images(), level);
        for (int row = 0; row < ROWS; row++) {
          float[] x = Arrays.copyOfRange(images(), row * SmallModel.VALUES, (row + 1) * SmallModel.VALUES);
          float[] own = model.denoise(x, new double[] {level}, null);
          for (int e = 0; e < own.length; e++) {
            // Both round the scaled input to float32; F's derivative is of order 1.
            assertEquals(own[e], estimate.images()[row * SmallModel.VALUES + e], 2e-5, "level " + level);
          }
        }
      }
    }
  }

  @Test
  void theSecondHalfOfTheOutputsIsTheVariance() {
    try (DiffusionModel model = small("iDDPMPrecond", 16)) {
      DdpmSchedule schedule = DdpmSchedule.cosine(1000);
      int t = schedule.match(1);
      float[] scaled = images();
      for (int i = 0; i < scaled.length; i++) {
        scaled[i] = (float) (scaled[i] / Math.sqrt(1 + schedule.level(t) * schedule.level(t)));
      }
      float[] labels = new float[ROWS];
      Arrays.fill(labels, t);
      float[] output = model.network(scaled, labels, null);
      assertEquals(2 * scaled.length, output.length);
      Estimate estimate = new DiffusionDenoiser(model, Matching.COSINE, true).denoise(images(), schedule.level(t));
      assertNotNull(estimate.variance());
      for (int row = 0; row < ROWS; row++) {
        int second = (2 * row + 1) * SmallModel.VALUES;
        assertArrayEquals(Arrays.copyOfRange(output, second, second + SmallModel.VALUES),
            Arrays.copyOfRange(estimate.variance(), row * SmallModel.VALUES, (row + 1) * SmallModel.VALUES));
      }
    }
  }

  /** sigma 0.25 is timestep 145 of the linear schedule (docs/spec/denoised.md), where the network gives the noise. */
  @Test
  void matchedByLinearItIsTheNoiseAtThatTimestep() {
    try (DiffusionModel model = small("VPPrecond", 16)) {
      DiffusionDenoiser denoiser = new DiffusionDenoiser(model, Matching.of("linear", model.config()), false);
      double level = denoiser.levels(new Sigma(0.25), 1)[0];
      assertEquals(0.503162, level, 1e-6);
      Estimate estimate = denoiser.denoise(images(), level);
      assertNull(estimate.variance());
      float[] z = images();
      for (int i = 0; i < z.length; i++) {
        z[i] = (float) (z[i] / Math.sqrt(1 + level * level));
      }
      float[] labels = new float[ROWS];
      Arrays.fill(labels, 145);
      float[] noise = model.network(z, labels, null);
      for (int i = 0; i < noise.length; i++) {
        // x0 = (z - sqrt(1 - abar) eps) / sqrt(abar)
        double x0 = (z[i] - level / Math.sqrt(1 + level * level) * noise[i]) * Math.sqrt(1 + level * level);
        assertEquals(x0, estimate.images()[i], 1e-6);
      }
    }
  }

  @Test
  void aValueThatIsNotFiniteStaysInItsRowAndIsNotClampedAway() {
    try (DiffusionModel model = small("EDMPrecond", 16)) {
      DiffusionDenoiser denoiser = new DiffusionDenoiser(model, Matching.LEVEL, true);
      float[] x = images();
      x[SmallModel.VALUES + 5] = Float.POSITIVE_INFINITY;
      float[] out = denoiser.denoise(x, 1).images();
      float[] good = denoiser.denoise(images(), 1).images();
      boolean seen = false;
      for (int e = 0; e < SmallModel.VALUES; e++) {
        seen |= Float.isNaN(out[SmallModel.VALUES + e]);
        assertEquals(good[e], out[e]);
        assertEquals(good[2 * SmallModel.VALUES + e], out[2 * SmallModel.VALUES + e]);
      }
      assertTrue(seen, "an infinite value came through as an image");
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    try (DiffusionModel edm = small("EDMPrecond", 4); DiffusionModel iddpm = small("iDDPMPrecond", 4)) {
      for (String name : new String[] {"linear", "cosine", "quadratic"}) {
        assertEquals(DiffcertException.Kind.USAGE,
            assertThrows(DiffcertException.class, () -> Matching.of(name, edm.config()), name).kind());
      }
      assertEquals(Matching.LEVEL, Matching.of("level", iddpm.config()));
      DiffusionDenoiser denoiser = new DiffusionDenoiser(iddpm, Matching.COSINE, true);
      assertThrows(DiffcertException.class, () -> denoiser.levels(new Sigma(0.01), 100));
    }
  }
}
