package org.diffcert.certify;

import org.diffcert.image.ByteImage;
import org.diffcert.noise.IntegerNoise;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;

/**
 * A batch of one image under integer noise: clipped integer sums, all that a classifier sees of image and noise (S3 to
 * S8).
 *
 * @param sums {@code [sample][element]}
 * @param certain for each sample, whether none of its draws was ambiguous (S5); if one was, the sample counts against
 *     the certificate
 */
public record NoisyInputs(int[][] sums, boolean[] certain) {
  /** Samples of one batch. */
  static final int BATCH = 64;

  /**
   * Samples of an image.
   *
   * @param law the law of the noise
   * @param sigma its standard deviation
   * @param seed key of the noise
   * @param image the image
   * @param imageId its index in the data set
   * @param phase what the samples are for
   * @param from the first sample
   * @param to one past the last
   * @return their sums
   */
  public static NoisyInputs of(NoiseLaw law, Sigma sigma, long seed, ByteImage image, int imageId, Phase phase,
      int from, int to) {
    IntegerNoise noise = IntegerNoise.of(law, sigma);
    int elements = image.shape().elements();
    int[][] sums = new int[to - from][elements];
    boolean[] certain = new boolean[to - from];
    for (int j = 0; j < sums.length; j++) {
      certain[j] = noise.draw(new NoiseKey(seed, imageId, phase, from + j), elements, sums[j]);
      for (int e = 0; e < elements; e++) {
        int sum = image.get(e) + sums[j][e];
        sums[j][e] = Math.max(noise.clipLow(), Math.min(noise.clipHigh(), sum));
      }
    }
    return new NoisyInputs(sums, certain);
  }
}
