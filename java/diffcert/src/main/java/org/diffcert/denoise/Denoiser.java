package org.diffcert.denoise;

import java.util.Map;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;

/**
 * The denoised estimate D(x; level) of a diffusion model without a class, in EDM space (2x - 1 of pixels in [0,1]). It
 * must be a function of a row: the same bits in any batch, at any place, at any time (S12).
 */
public interface Denoiser extends AutoCloseable {
  /**
   * The shape of the images it takes.
   *
   * @return the shape
   */
  ImageShape shape();

  /**
   * What identifies it in a run's header: digest, how levels are matched, clamp.
   *
   * @return an ordered map of strings, numbers, booleans, lists or maps of these
   */
  Map<String, Object> identity();

  /**
   * Whether {@link #denoise} takes any level, or only those of {@link #levels}.
   *
   * @return whether any
   */
  boolean takesAnyLevel();

  /**
   * The levels of a reverse chain from smoothing noise to the image.
   *
   * @param sigma the smoothing noise
   * @param steps b, at least 1
   * @return b levels, descending; the first is the one matched with sigma, 2 sigma or the next above it that the
   *     network knows; after the last comes the clean image
   * @throws org.diffcert.DiffcertException of kind USAGE if sigma is beyond the network's noise, or there are more
   *     steps than it has levels
   */
  double[] levels(Sigma sigma, int steps);

  /**
   * Denoises rows.
   *
   * @param x {@code [rows * elements]} noisy images in EDM space
   * @param level the noise level of all of them, in EDM space
   * @return the estimates
   */
  Estimate denoise(float[] x, double level);

  @Override
  void close();

  /**
   * What a network says of noisy images.
   *
   * @param images {@code [rows * elements]} the denoised estimates in EDM space; NaN where a value was not finite
   * @param variance as many values, of a network that has learned the variance of a reverse step: where it lies in the
   *     logarithm between the least (-1) and the most (1); null for others
   */
  record Estimate(float[] images, float[] variance) {}
}
