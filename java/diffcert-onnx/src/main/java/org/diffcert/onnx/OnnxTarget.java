package org.diffcert.onnx;

import java.util.Map;
import java.util.Optional;
import org.diffcert.attack.AttackTarget;
import org.diffcert.denoise.ClassifierGradient;
import org.diffcert.image.ImageShape;

/**
 * An ONNX classifier as what is attacked. ONNX Runtime judges; gradients, which it does not give, are those of {@link
 * OnnxGradients}, if the file's operators have any. It draws no random numbers. Thread-safe, until it is closed.
 */
public final class OnnxTarget implements AttackTarget {
  private final OnnxClassifier classifier;
  private final Optional<OnnxGradients> gradients;

  /**
   * A target.
   *
   * @param classifier the classifier; closed with this
   * @param gradients the same file with gradients; empty to attack scores alone
   * @throws IllegalArgumentException if that is another file
   */
  public OnnxTarget(OnnxClassifier classifier, Optional<OnnxGradients> gradients) {
    if (gradients.isPresent() && !gradients.get().digest().equals(classifier.digest())) {
      throw new IllegalArgumentException("scores and gradients of different files");
    }
    this.classifier = classifier;
    this.gradients = gradients;
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
    return gradients.isPresent();
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
    if (gradients.isEmpty()) {
      throw new UnsupportedOperationException("opened without gradients");
    }
    float[] edm = new float[x.length];
    for (int e = 0; e < x.length; e++) {
      edm[e] = (float) (2 * x[e] - 1);
    }
    ClassifierGradient.Pass pass = gradients.get().forward(edm, 0);
    double[] logits = pass.logits();
    double[] gradient = pass.back(cotangent.of(logits));
    for (int e = 0; e < gradient.length; e++) {
      gradient[e] *= 2; // a pixel's unit is two of EDM space
    }
    return new Pull(logits, gradient);
  }

  @Override
  public void close() {
    classifier.close();
  }
}
