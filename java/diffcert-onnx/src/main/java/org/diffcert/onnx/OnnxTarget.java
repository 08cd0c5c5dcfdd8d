package org.diffcert.onnx;

import java.util.Map;
import org.diffcert.attack.AttackTarget;
import org.diffcert.image.ImageShape;

/**
 * An ONNX classifier as what is attacked: by its scores alone, for ONNX Runtime gives no gradients. It draws no random
 * numbers. Thread-safe, until it is closed.
 */
public final class OnnxTarget implements AttackTarget {
  private final OnnxClassifier classifier;

  /**
   * A target.
   *
   * @param classifier the classifier; closed with this
   */
  public OnnxTarget(OnnxClassifier classifier) {
    this.classifier = classifier;
  }

  @Override
  public int classes() {
    return classifier.classes();
  }

  @Override
  public ImageShape shape() {
    return classifier.shape();
  }

  @Override
  public Map<String, Object> identity() {
    return classifier.identity();
  }

  @Override
  public boolean isDifferentiable() {
    return false;
  }

  @Override
  public boolean isRandom() {
    return false;
  }

  @Override
  public double[] logits(double[] x, int imageId, int draw) {
    float[] logits = classifier.logits(x);
    double[] scores = new double[logits.length];
    for (int k = 0; k < scores.length; k++) {
      scores[k] = logits[k];
    }
    return scores;
  }

  @Override
  public Pull pull(double[] x, int imageId, int draw, Cotangent cotangent) {
    throw new UnsupportedOperationException("ONNX Runtime gives no gradients");
  }

  @Override
  public void close() {
    classifier.close();
  }
}
