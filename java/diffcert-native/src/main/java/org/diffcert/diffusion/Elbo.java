package org.diffcert.diffusion;

import org.diffcert.DiffcertException;
import org.diffcert.diffusion.jni.DiffcertAbi;
import org.diffcert.noise.Sigma;
import org.diffcert.schedule.ClassifierKind;

/** The objective of the diffusion classifiers with explicit noise, for comparison with other implementations (docs/spec/classifiers.md). */
public final class Elbo {
  private Elbo() {}

  /**
   * The residuals: for each class and level the mean over the elements of the squared difference, before weights. All arrays are in EDM
   * space, images [channels, R, R]. On a float32 device they are as exact as its network; the difference itself is computed in float64.
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
  public static double[][] residuals(DiffusionModel model, DiffusionModel unconditional, ClassifierKind kind, boolean clamp, Sigma sigma,
      double[] x, double[] lower, double[] upper, double[] levelNoise) {
    int levels = upper.length;
    long elements = (long) model.config().imgChannels() * model.config().imgResolution() * model.config().imgResolution();
    if (x.length != elements || levelNoise.length != levels * elements || lower.length != levels) {
      throw DiffcertException.usage("The objective got " + x.length + " image values, " + lower.length + " lower and " + levels
          + " upper ends and " + levelNoise.length + " noise values; an image of this model has " + elements + " values, each level as many.");
    }
    int classes = model.config().labelDim();
    double[] flat = new double[classes * levels];
    ModelPair models = new ModelPair(model, unconditional);
    try {
      models.call((m, u) -> {
        NativeLibrary.check(DiffcertAbi.dc_elbo(m, u, kind.code(), clamp ? 1 : 0, sigma.edm(), x, levels, lower, upper, levelNoise, flat),
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
}
