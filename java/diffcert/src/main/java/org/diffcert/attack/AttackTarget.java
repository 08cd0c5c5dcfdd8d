package org.diffcert.attack;

import java.util.Map;
import org.diffcert.image.ImageShape;

/**
 * What is attacked: a classifier that gives a score for each class, and perhaps the gradient of any weighted sum of
 * them. Images are real numbers in [0,1], C,H,W. A classifier that draws random numbers draws them from the keys (image
 * id, draw): draw {@link #JUDGE} is what its answer is judged by, which no attack reads if draws differ.
 */
public interface AttackTarget extends AutoCloseable {
  /** The draw by which an answer is judged. Attacks use those above it. */
  int JUDGE = 0;

  /**
   * Weights of the scores, once they are known: the gradient of a loss by the scores.
   */
  interface Cotangent {
    /**
     * The weights.
     *
     * @param logits the scores, one a class
     * @return one a class
     */
    double[] of(double[] logits);

    /**
     * Whether few classes have weights other than 0, so that it pays to compute the scores first.
     *
     * @return false if most have
     */
    boolean sparse();
  }

  /**
   * Scores and a gradient.
   *
   * @param logits one a class
   * @param gradient of sum over k of a_k logit_k by the image, a being what the cotangent made of the scores and held
   *     fixed
   */
  record Pull(double[] logits, double[] gradient) {}

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
   * What identifies it in a run's header: digests of its files, its settings, the key of its noise.
   *
   * @return an ordered map of strings, numbers, booleans, lists and maps of these
   */
  Map<String, Object> identity();

  /**
   * Whether it has gradients.
   *
   * @return false if {@link #pull} throws
   */
  boolean isDifferentiable();

  /**
   * Whether draws differ. If not, an attack is as good with one draw as with many, and knows the noise that judges it.
   *
   * @return true if scores depend on the draw
   */
  boolean isRandom();

  /**
   * The scores.
   *
   * @param x the image
   * @param imageId its index in the data set
   * @param draw at least 0
   * @return one a class; the answer is the largest, the lowest class of equals, and none if one is not finite
   */
  double[] logits(double[] x, int imageId, int draw);

  /**
   * The scores and the gradient of their weighted sum.
   *
   * @param x the image
   * @param imageId its index in the data set
   * @param draw at least 0
   * @param cotangent the weights
   * @return both, of the same noise
   * @throws UnsupportedOperationException if it has no gradients
   */
  Pull pull(double[] x, int imageId, int draw, Cotangent cotangent);

  @Override
  void close();

  /**
   * The class of scores.
   *
   * @param logits one a class
   * @return the largest, the lowest class of equals; -1 if one is not finite
   */
  static int answer(double[] logits) {
    int best = 0;
    for (int c = 0; c < logits.length; c++) {
      if (!Double.isFinite(logits[c])) {
        return -1;
      }
      if (logits[c] > logits[best]) {
        best = c;
      }
    }
    return best;
  }
}
