package org.diffcert.diffusion;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.diffcert.denoise.DdpmSchedule;
import org.diffcert.denoise.Denoiser;
import org.diffcert.image.ImageShape;
import org.diffcert.model.NetworkConfig;
import org.diffcert.noise.Sigma;

/**
 * A diffusion model as a denoiser, without a class. Matched by level it is D(x; level). Matched by timesteps the
 * network is called as a DDPM is, F(sqrt(abar_t) x, t), and what it gives is the noise (and, where it was trained to,
 * the variance of a reverse step): D = x - rho_t F.
 *
 * <p>Holds no memory of its own; the model stays the caller's to close. As thread-safe as its model.
 */
public final class DiffusionDenoiser implements Denoiser {
  private final DiffusionModel model;
  private final Matching matching;
  private final DdpmSchedule schedule;
  private final boolean clamp;
  private final ImageShape shape;

  /**
   * A denoiser of a model.
   *
   * @param model the model, open
   * @param matching how it is told the noise level; {@link Matching#of} says which goes with it
   * @param clamp whether estimates are clamped to [-1, 1], the range of images
   */
  public DiffusionDenoiser(DiffusionModel model, Matching matching, boolean clamp) {
    this.model = model;
    this.matching = matching;
    this.schedule = matching.schedule(model.config().m());
    this.clamp = clamp;
    NetworkConfig config = model.config();
    this.shape = new ImageShape(config.imgChannels(), config.imgResolution(), config.imgResolution());
  }

  @Override
  public ImageShape shape() {
    return shape;
  }

  @Override
  public Map<String, Object> identity() {
    Map<String, Object> identity = new LinkedHashMap<>();
    identity.put("model", model.digest());
    identity.put("match", matching.cliName());
    identity.put("clamp", clamp);
    return identity;
  }

  @Override
  public boolean takesAnyLevel() {
    return schedule == null;
  }

  /** Equal steps of the level, or of the timestep. */
  @Override
  public double[] levels(Sigma sigma, int steps) {
    if (schedule != null) {
      return Arrays.stream(schedule.chain(sigma.edm(), steps)).mapToDouble(schedule::level).toArray();
    }
    double[] levels = new double[steps];
    for (int i = 0; i < steps; i++) {
      levels[i] = sigma.edm() * (steps - i) / steps;
    }
    return levels;
  }

  @Override
  public Estimate denoise(float[] x, double level) {
    int elements = shape.elements();
    int rows = x.length / elements;
    float[] images = new float[x.length];
    boolean learned = schedule != null && model.config().precond() == NetworkConfig.Precond.IDDPM;
    float[] variance = learned ? new float[x.length] : null;
    int most = model.maxBatch();
    for (int from = 0; from < rows; from += most) {
      int to = Math.min(rows, from + most);
      float[] part = Arrays.copyOfRange(x, from * elements, to * elements);
      if (schedule == null) {
        double[] levels = new double[to - from];
        Arrays.fill(levels, level);
        System.arraycopy(model.denoise(part, levels, null), 0, images, from * elements, part.length);
      } else {
        byTimestep(part, level, images, variance, from * elements);
      }
    }
    for (int i = 0; i < images.length; i++) {
      images[i] = settled(images[i]);
    }
    return new Estimate(images, variance);
  }

  @Override
  public void close() {
    // The model is the caller's.
  }

  /** A part of the rows, put into the results from an element on. */
  private void byTimestep(float[] part, double level, float[] images, float[] variance, int at) {
    int elements = shape.elements();
    int rows = part.length / elements;
    double signal = 1 / Math.sqrt(1 + level * level);
    float[] scaled = new float[part.length];
    for (int i = 0; i < part.length; i++) {
      scaled[i] = (float) (signal * part[i]);
    }
    float[] steps = new float[rows];
    Arrays.fill(steps, schedule.timestep(level));
    float[] output = model.network(scaled, steps, null);
    int stride = output.length / rows;
    int first = (model.config().heads() - 1) * elements; // of the head of no class
    for (int row = 0; row < rows; row++) {
      for (int e = 0; e < elements; e++) {
        int i = row * elements + e;
        images[at + i] = (float) (part[i] - level * output[row * stride + first + e]);
      }
      if (variance != null) {
        System.arraycopy(output, row * stride + elements, variance, at + row * elements, elements);
      }
    }
  }

  /** An estimate's value as it goes on; one that is not finite must not be clamped into an image (S15). */
  private float settled(float value) {
    if (!Float.isFinite(value)) {
      return Float.NaN;
    }
    return clamp ? Math.max(-1, Math.min(1, value)) : value;
  }
}
