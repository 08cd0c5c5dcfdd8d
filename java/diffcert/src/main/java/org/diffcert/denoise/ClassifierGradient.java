package org.diffcert.denoise;

import org.diffcert.image.ImageShape;

/**
 * A classifier of images whose logits can be differentiated by the image: what fine-tuning a denoiser in front of it
 * needs. A row's logits and gradient must be functions of the row alone. Several threads may call it.
 */
public interface ClassifierGradient {
  /**
   * The number of classes.
   *
   * @return at least 2
   */
  int classes();

  /**
   * The shape of the images it takes.
   *
   * @return the shape
   */
  ImageShape shape();

  /**
   * What identifies it, as {@link RealClassifier#identity} gives it for the same file.
   *
   * @return the file's digest, 64 hex digits
   */
  String digest();

  /**
   * The logits of one image, and then the gradient of any weighted sum of them.
   *
   * @param images rows in C,H,W order in EDM space, finite
   * @param row which of them
   * @return the pass, good for one use on one thread
   */
  Pass forward(float[] images, int row);

  /** One image on its way through the classifier and back. */
  interface Pass {
    /**
     * The logits.
     *
     * @return one a class
     */
    double[] logits();

    /**
     * The gradient of the sum of cotangent times logit.
     *
     * @param cotangent one value a class
     * @return its gradient by the image, in C,H,W order, per unit of EDM space
     */
    double[] back(double[] cotangent);
  }
}
