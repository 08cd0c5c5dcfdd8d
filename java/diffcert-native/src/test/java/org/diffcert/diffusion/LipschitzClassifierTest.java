package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.diffcert.DiffcertException;
import org.diffcert.certify.LipschitzCertificate;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;
import org.diffcert.stats.MeanBound;
import org.junit.jupiter.api.Test;

/** Losses at a clean image, against denoised images computed one by one; certificates of a random network. */
class LipschitzClassifierTest {
  private static final double[] LEVELS = {0.5, 1, 2};
  private static final double[] WEIGHTS = {0.5, 0.25, 1};
  private static final ImageShape SHAPE = new ImageShape(1, 8, 8);

  private static ByteImage image(long seed) {
    byte[] pixels = new byte[64];
    new Random(seed).nextBytes(pixels);
    return new ByteImage(SHAPE, pixels);
  }

  @Test
  void lossesAreThoseOfDenoisedImages() {
    try (DiffusionModel model = SmallModel.open(Device.of("reference"))) {
      LipschitzClassifier classifier = new LipschitzClassifier(model, LEVELS, WEIGHTS, 5);
      ByteImage image = image(1);
      double[][] losses = classifier.losses(image, 3, Phase.ESTIMATE, 7, 9);
      for (int draw = 7; draw < 9; draw++) {
        for (int y = 0; y < SmallModel.CLASSES; y++) {
          double loss = 0;
          for (int t = 0; t < LEVELS.length; t++) {
            double[] e = new NoiseKey(5, 3, Phase.ESTIMATE, draw).normals(NoiseStream.LEVEL, t, 64);
            float[] noisy = new float[64];
            for (int i = 0; i < 64; i++) {
              noisy[i] = (float) ((2 * image.get(i) - 255) / 255.0 + LEVELS[t] * e[i]);
            }
            float[] clean = model.denoise(noisy, new double[] {LEVELS[t]}, new int[] {y});
            double sum = 0;
            for (int i = 0; i < 64; i++) {
              double difference = Math.max(-1, Math.min(1, clean[i])) - (2 * image.get(i) - 255) / 255.0;
              sum += difference * difference;
            }
            loss += WEIGHTS[t] * sum / 64;
          }
          assertEquals(loss, losses[draw - 7][y], 1e-4 * loss);
          assertTrue(loss > 0 && loss <= classifier.constants().largestLoss());
        }
      }
      assertArrayEquals(losses[1], classifier.losses(image, 3, Phase.ESTIMATE, 8, 9)[0], "a draw is its key's");
      assertNotEquals(losses[0][0], losses[1][0]);
      assertNotEquals(losses[0][0], classifier.losses(image, 3, Phase.SELECT, 7, 8)[0][0]);
    }
  }

  @Test
  void certificates() {
    try (DiffusionModel model = SmallModel.open(Device.of("cpu"))) {
      LipschitzClassifier classifier = new LipschitzClassifier(model, LEVELS, WEIGHTS, 5);
      LipschitzCertificate c = classifier.certify(image(1), 0, 5, 60, MeanBound.BETTING, 0.01);
      assertEquals(classifier.constants().ofDifference(), c.lipschitz());
      assertEquals(c, classifier.certify(image(1), 0, 5, 60, MeanBound.BETTING, 0.01));
      assertTrue(c.abstains() == (c.marginLower() <= 0), c.toString());
      // Sixty draws of a random network bound no margin: it has to say so.
      assertTrue(c.abstains() && c.radius() == 0, c.toString());
      ByteImage transposed = new ByteImage(new ImageShape(1, 4, 16), new byte[64]);
      assertThrows(DiffcertException.class, () -> classifier.losses(transposed, 0, Phase.SELECT, 0, 1));
    }
  }

  @Test
  void wrongLevelsAreRefused() {
    try (DiffusionModel model = SmallModel.open(Device.of("cpu"))) {
      assertThrows(IllegalArgumentException.class, () -> new LipschitzClassifier(model, new double[] {0},
          new double[] {1}, 1));
      assertThrows(IllegalArgumentException.class, () -> new LipschitzClassifier(model, LEVELS, new double[] {1}, 1));
    }
  }
}
