package org.diffcert.diffusion;

import java.util.Arrays;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.jni.DiffcertAbi;
import org.diffcert.noise.Sigma;
import org.diffcert.schedule.ClassifierKind;

/**
 * The objective of the diffusion classifiers with explicit noise, and its gradient (docs/spec/classifiers.md,
 * docs/spec/gradients.md).
 */
public final class Elbo {
  private Elbo() {}

  /**
   * The residuals: for each class and level the mean over the elements of the squared difference, before weights. All
   * arrays are in EDM space, images [channels, R, R]. On a float32 device they are as exact as its network; the
   * difference itself is computed in float64.
   *
   * @param model a class-conditional model
   * @param unconditional the model of the unconditional estimate; null = the model itself without a label
   * @param kind which classifier
   * @param clamp whether the network's output is clamped to [-1, 1]
   * @param sigma the smoothing level of x; {@link ClassifierKind#DC} does not read it
   * @param x the noisy image, or the clean one for {@link ClassifierKind#DC}
   * @param lower {@code [levels]}; {@link ClassifierKind#EPNDC} alone reads them, each at sigma's level or above
   * @param upper {@code [levels]}, where the network is called; above sigma's level except for dc and apndc-ensemble
   * @param levelNoise {@code [levels, channels, R, R]}, standard normal numbers
   * @return {@code [classes][levels]}
   * @throws DiffcertException of kind USAGE if lengths, levels or values do not fit
   * @throws IllegalStateException if a model is closed
   */
  public static double[][] residuals(DiffusionModel model, DiffusionModel unconditional, ClassifierKind kind,
      boolean clamp, Sigma sigma, double[] x, double[] lower, double[] upper, double[] levelNoise) {
    int levels = upper.length;
    long elements = elements(model);
    if (x.length != elements || levelNoise.length != levels * elements || lower.length != levels) {
      throw DiffcertException.usage("The objective got " + x.length + " image values, " + lower.length + " lower and "
          + levels
          + " upper ends and " + levelNoise.length + " noise values; an image of this model has " + elements
          + " values, each level as many.");
    }
    int classes = model.config().classes();
    double[] flat = new double[classes * levels];
    ModelPair models = new ModelPair(model, unconditional);
    try {
      models.call((m, u) -> {
        NativeLibrary.check(DiffcertAbi.dc_elbo(m, u, kind.code(), clamp ? 1 : 0, sigma.edm(), x, levels, lower, upper,
            levelNoise, flat),
            "dc_elbo");
        return null;
      });
    } finally {
      models.release();
    }
    double[][] residuals = new double[classes][levels];
    for (int c = 0; c < classes; c++) {
      System.arraycopy(flat, c * levels, residuals[c], 0, levels);
    }
    return residuals;
  }

  /**
   * The loss of some classes and its gradient by the image.
   *
   * @param loss {@code [labels]}: the sum over levels of weight x residual
   * @param gradient {@code [labels][channels * R * R]} of each loss by x
   */
  public record Gradient(double[] loss, double[][] gradient) {}

  /**
   * The loss of {@link ClassifierKind#DC} for each label, and its gradient by x, both through the network and through
   * the target, which is x itself. Labels go through the network one after the other, so that memory does not grow with
   * their number. Where clamping cuts a value of the network's output, nothing comes back through it.
   *
   * @param model a model opened for {@link Gradients#IMAGE} (or WEIGHTS, whose gradients by the weights then grow, too)
   * @param clamp whether the network's output is clamped to [-1, 1]
   * @param x the image {@code [channels, R, R]} in EDM space
   * @param levels {@code [levels]}, where the network is called, in EDM space
   * @param weights {@code [levels]}
   * @param levelNoise {@code [levels, channels, R, R]}, standard normal numbers
   * @param labels the classes, -1 for unconditional
   * @return losses and gradients, in the order of labels
   * @throws DiffcertException of kind USAGE if lengths, levels, labels or values do not fit, or the model was not
   *     opened for gradients
   * @throws IllegalStateException if the model is closed
   */
  public static Gradient gradient(DiffusionModel model, boolean clamp, double[] x, double[] levels, double[] weights,
      double[] levelNoise, int... labels) {
    checkLengths(model, x, levels, weights, levelNoise);
    double[] loss = new double[labels.length];
    double[] flat = new double[Math.multiplyExact(labels.length, x.length)];
    model.call(m -> {
      NativeLibrary.check(DiffcertAbi.dc_elbo_gradient(m, clamp ? 1 : 0, x, levels.length, levels, weights, levelNoise,
          labels.length, labels, loss, flat), "dc_elbo_gradient");
      return null;
    });
    double[][] gradient = new double[labels.length][];
    for (int i = 0; i < labels.length; i++) {
      gradient[i] = Arrays.copyOfRange(flat, i * x.length, (i + 1) * x.length);
    }
    return new Gradient(loss, gradient);
  }

  /**
   * The losses of {@link ClassifierKind#DC} of all classes: one row of the network a level for a multi-head model, one
   * a level and class for another.
   *
   * @param model a model of at least two classes
   * @param clamp whether the network's output is clamped to [-1, 1]
   * @param x the image {@code [channels, R, R]} in EDM space
   * @param levels {@code [levels]}, where the network is called, in EDM space
   * @param weights {@code [levels]}
   * @param levelNoise {@code [levels, channels, R, R]}, standard normal numbers, the same for all classes
   * @return {@code [classes]}: the sum over levels of weight x residual
   * @throws DiffcertException of kind USAGE if lengths, levels or values do not fit
   * @throws IllegalStateException if the model is closed
   */
  public static double[] losses(DiffusionModel model, boolean clamp, double[] x, double[] levels, double[] weights,
      double[] levelNoise) {
    checkLengths(model, x, levels, weights, levelNoise);
    double[] losses = new double[model.config().classes()];
    model.call(m -> {
      NativeLibrary.check(DiffcertAbi.dc_elbo_pull(m, clamp ? 1 : 0, x, levels.length, levels, weights, levelNoise,
          (double[]) null, losses, (double[]) null), "dc_elbo_pull");
      return null;
    });
    return losses;
  }

  /**
   * What {@link #pull} gives.
   *
   * @param losses {@code [classes]}; NaN for a class that was left out
   * @param gradient {@code [channels * R * R]}: of the sum over classes of coefficient x loss, by x
   */
  public record Pull(double[] losses, double[] gradient) {}

  /**
   * The gradient by x of the sum over classes of coefficient x loss of {@link ClassifierKind#DC}, both through the
   * network and through the target, which is x itself: what an attack on the classifier asks for, whatever it makes of
   * the losses (chain rule). A multi-head model takes one row a level, there and back, for all classes. Another goes
   * class by class and leaves those of coefficient 0 out.
   *
   * @param model a model of at least two classes, opened for {@link Gradients#IMAGE} (or WEIGHTS, whose gradients by
   *     the weights then grow, too)
   * @param clamp whether the network's output is clamped to [-1, 1]; where that cuts a value, nothing comes back
   *     through it
   * @param x the image {@code [channels, R, R]} in EDM space
   * @param levels {@code [levels]}, where the network is called, in EDM space
   * @param weights {@code [levels]}
   * @param levelNoise {@code [levels, channels, R, R]}, standard normal numbers, the same for all classes
   * @param coefficients {@code [classes]}, finite
   * @return losses and gradient
   * @throws DiffcertException of kind USAGE if lengths, levels or values do not fit, or the model was not opened for
   *     gradients
   * @throws IllegalStateException if the model is closed
   */
  public static Pull pull(DiffusionModel model, boolean clamp, double[] x, double[] levels, double[] weights,
      double[] levelNoise, double[] coefficients) {
    checkLengths(model, x, levels, weights, levelNoise);
    int classes = model.config().classes();
    if (coefficients.length != classes) {
      throw DiffcertException.usage("The objective got " + coefficients.length + " coefficients, the model has "
          + classes + " classes.");
    }
    double[] losses = new double[classes];
    double[] gradient = new double[x.length];
    model.call(m -> {
      NativeLibrary.check(DiffcertAbi.dc_elbo_pull(m, clamp ? 1 : 0, x, levels.length, levels, weights, levelNoise,
          coefficients, losses, gradient), "dc_elbo_pull");
      return null;
    });
    return new Pull(losses, gradient);
  }

  private static void checkLengths(DiffusionModel model, double[] x, double[] levels, double[] weights,
      double[] levelNoise) {
    long elements = elements(model);
    if (x.length != elements || levelNoise.length != levels.length * elements || weights.length != levels.length) {
      throw DiffcertException.usage("The objective got " + x.length + " image values, " + levels.length + " levels, "
          + weights.length + " weights and " + levelNoise.length + " noise values; an image of this model has "
          + elements
          + " values, each level as many.");
    }
  }

  /** Of an image. */
  private static long elements(DiffusionModel model) {
    long side = model.config().imgResolution();
    return model.config().imgChannels() * side * side;
  }
}
