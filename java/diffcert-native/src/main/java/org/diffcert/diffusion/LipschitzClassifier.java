package org.diffcert.diffusion;

import java.util.Arrays;
import org.diffcert.DiffcertException;
import org.diffcert.certify.LipschitzCertificate;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.model.NetworkConfig;
import org.diffcert.noise.IntegerNoise;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.diffcert.schedule.ClassifierKind;
import org.diffcert.stats.LossLipschitz;
import org.diffcert.stats.MeanBound;

/**
 * The diffusion classifier with the direct certificate: the class of least expected loss at the image itself, without
 * smoothing noise (docs/spec/lipschitz.md). The network's output is clamped, for the certificate needs it. What a
 * certificate states, and that it is real-arithmetic and not float-sound, is said at {@link LipschitzCertificate}. As
 * thread-safe as its model, which stays the caller's to close.
 */
public final class LipschitzClassifier {
  /** {@link ClassifierKind#DC} reads the image and not a smoothing level; the boundary wants one all the same. */
  private static final Sigma UNREAD = new Sigma(1);

  private final DiffusionModel model;
  private final double[] levels;
  private final double[] weights;
  private final long seed;
  private final ImageShape shape;
  private final LossLipschitz constants;

  /**
   * A classifier.
   *
   * @param model a class-conditional model, open
   * @param levels noise levels in EDM space, each above 0; the constant grows with their reciprocals, so the published
   *     scripts begin at 0.5
   * @param weights their weights, each 0 or more, not all 0
   * @param seed key of the noise; fresh random bits unless a run is being repeated (S10)
   * @throws DiffcertException of kind USAGE if the model has fewer than two classes
   * @throws IllegalArgumentException if levels or weights are out of range
   */
  public LipschitzClassifier(DiffusionModel model, double[] levels, double[] weights, long seed) {
    NetworkConfig config = model.config();
    if (config.classes() < 2) {
      throw DiffcertException.usage("a diffusion classifier needs a class-conditional model; this one has "
          + config.classes() + " classes");
    }
    this.model = model;
    this.levels = levels.clone();
    this.weights = weights.clone();
    this.seed = seed;
    this.shape = new ImageShape(config.imgChannels(), config.imgResolution(), config.imgResolution());
    this.constants = new LossLipschitz(levels, weights, shape.elements());
  }

  /**
   * The constants of its loss.
   *
   * @return range and Lipschitz constants
   */
  public LossLipschitz constants() {
    return constants;
  }

  /**
   * Losses of one image. A draw has noise of its own at every level, shared by the classes, and is a pure function of
   * its keys.
   *
   * @param image the image, of the model's shape
   * @param imageId its index in the data set, part of the noise key
   * @param phase what the draws are for
   * @param from first draw
   * @param to one past the last
   * @return {@code [draw][class]}, each in [0, {@link LossLipschitz#largestLoss()}] up to rounding
   * @throws DiffcertException of kind USAGE if the image has another shape
   * @throws IllegalStateException if the model is closed
   */
  public double[][] losses(ByteImage image, int imageId, Phase phase, int from, int to) {
    if (!image.shape().equals(shape)) {
      throw DiffcertException.usage("The classifier takes images of " + shape + ", not of " + image.shape() + ".");
    }
    int elements = shape.elements();
    double[] x = new double[elements];
    for (int e = 0; e < elements; e++) {
      x[e] = IntegerNoise.edmValue(image.get(e));
    }
    double[][] losses = new double[to - from][];
    double[] noise = new double[levels.length * elements];
    for (int draw = from; draw < to; draw++) {
      NoiseKey key = new NoiseKey(seed, imageId, phase, draw);
      for (int t = 0; t < levels.length; t++) {
        System.arraycopy(key.normals(NoiseStream.LEVEL, t, elements), 0, noise, t * elements, elements);
      }
      double[][] residuals = Elbo.residuals(model, null, ClassifierKind.DC, true, UNREAD, x, levels, levels, noise);
      losses[draw - from] = Arrays.stream(residuals).mapToDouble(this::loss).toArray();
    }
    return losses;
  }

  private double loss(double[] residuals) {
    double loss = 0;
    for (int t = 0; t < levels.length; t++) {
      loss += weights[t] * residuals[t];
    }
    return loss;
  }

  /**
   * Certifies one image: n0 draws choose the class, n others bound its margin.
   *
   * @param image the image, of the model's shape
   * @param imageId its index in the data set, part of the noise key
   * @param n0 draws that choose the class, at least 1
   * @param n draws that bound the margin, at least 1, fixed before any is looked at
   * @param bound how means are bounded
   * @param alpha probability of error, at least 1e-300 and below 1/2
   * @return the certificate
   * @throws DiffcertException of kind USAGE if the image has another shape
   * @throws IllegalStateException if the model is closed
   */
  public LipschitzCertificate certify(ByteImage image, int imageId, int n0, int n, MeanBound bound, double alpha) {
    return LipschitzCertificate.of(constants, losses(image, imageId, Phase.SELECT, 0, n0),
        losses(image, imageId, Phase.ESTIMATE, 0, n), bound,
        alpha);
  }
}
