package org.diffcert.diffusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.model.NetworkConfig;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;

/**
 * Images that a diffusion model draws: the deterministic sampler of Karras et al. 2022 (algorithm 1 with t = sigma,
 * s = 1) on their grid of noise levels. An image is a pure function of the model, the solver, the levels, the seed, its
 * number and its label: how many are drawn with it does not show. Not part of any certificate. The model is the
 * caller's and stays open while the sampler is used. Thread-safe, as the model is.
 */
public final class ImageSampler {
  /** The most steps that are taken. */
  public static final int MOST_STEPS = 10_000;
  private static final double RHO = 7;
  private static final double LEAST = 0.002;
  private static final double MOST = 80;
  private static final double VE_LEAST = 0.02;
  private static final double VE_MOST = 100;

  private final DiffusionModel model;
  private final OdeSolver solver;
  private final double[] levels;
  private final long seed;

  /**
   * A sampler.
   *
   * @param model the model, open
   * @param solver how a step is taken
   * @param steps noise levels, 2 to {@link #MOST_STEPS}, from 80 to 0.002 where the model goes so far; 18 is the
   *     published number for 32x32 images
   * @param seed of the noise that images begin with
   * @throws DiffcertException of kind USAGE if steps is out of range
   */
  public ImageSampler(DiffusionModel model, OdeSolver solver, int steps, long seed) {
    if (steps < 2 || steps > MOST_STEPS) {
      throw DiffcertException.usage("A sampler takes 2 to " + MOST_STEPS + " steps, not " + steps + ".");
    }
    this.model = model;
    this.solver = solver;
    this.levels = levels(model.config(), steps);
    this.seed = seed;
  }

  /**
   * The noise levels of a model's sampler, falling, in EDM space: (a + i / (steps - 1) (b - a))^rho with a and b the
   * rho-th roots of both ends, rho = 7 (equation 5 there). Ends are 80 and 0.002, or those of the model's own process
   * where it does not go so far; iDDPM has its own discrete levels.
   *
   * @param config the network
   * @param steps how many, at least 2
   * @return the levels, without the final 0
   */
  static double[] levels(NetworkConfig config, int steps) {
    double[] own = config.precond() == NetworkConfig.Precond.IDDPM ? config.iddpmLevels() : null;
    double least = switch (config.precond()) {
      case EDM -> LEAST;
      case VP -> Math.max(LEAST, variancePreserving(config, config.epsilonT()));
      case VE -> VE_LEAST;
      case IDDPM -> Math.max(LEAST, own[own.length - 2]);
    };
    double most = switch (config.precond()) {
      case EDM -> MOST;
      case VP -> Math.min(MOST, variancePreserving(config, 1));
      case VE -> Math.min(MOST, VE_MOST);
      case IDDPM -> Math.min(MOST, own[0]);
    };
    double a = StrictMath.pow(most, 1 / RHO);
    double b = StrictMath.pow(least, 1 / RHO);
    double[] levels = new double[steps];
    for (int i = 0; i < steps; i++) {
      double level = StrictMath.pow(a + i * (b - a) / (steps - 1), RHO);
      levels[i] = own == null ? level : nearest(own, level);
    }
    return own == null ? levels : Arrays.stream(levels).distinct().toArray();
  }

  private static double variancePreserving(NetworkConfig config, double t) {
    return Math.sqrt(Math.expm1(0.5 * config.betaD() * t * t + config.betaMin() * t));
  }

  /** Of falling levels, the last of which is 0 and none of a network's. */
  private static double nearest(double[] own, double level) {
    double nearest = own[0];
    for (int i = 1; i < own.length - 1; i++) {
      nearest = Math.abs(own[i] - level) < Math.abs(nearest - level) ? own[i] : nearest;
    }
    return nearest;
  }

  /**
   * Network calls that an image takes.
   *
   * @return calls
   */
  public int callsPerImage() {
    return solver == OdeSolver.HEUN ? 2 * levels.length - 1 : levels.length;
  }

  /**
   * Draws images.
   *
   * @param labels the class of each, or -1 for none; image i begins with noise number i of the seed
   * @param drawn is told how many are finished, after each batch
   * @return the images, rounded to 8 bits
   * @throws DiffcertException of kind USAGE if a label is not one of the model's
   * @throws IllegalStateException if the model is closed
   */
  public List<ByteImage> draw(int[] labels, IntConsumer drawn) {
    NetworkConfig config = model.config();
    ImageShape shape = new ImageShape(config.imgChannels(), config.imgResolution(), config.imgResolution());
    List<ByteImage> images = new ArrayList<>();
    for (int from = 0; from < labels.length; from += model.maxBatch()) {
      double[] x = batch(from, Arrays.copyOfRange(labels, from, Math.min(labels.length, from + model.maxBatch())),
          shape.elements());
      for (int at = 0; at < x.length; at += shape.elements()) {
        byte[] pixels = new byte[shape.elements()];
        for (int e = 0; e < pixels.length; e++) {
          pixels[e] = (byte) Math.max(0, Math.min(255, Math.round(127.5 * (x[at + e] + 1))));
        }
        images.add(new ByteImage(shape, pixels));
      }
      drawn.accept(images.size());
    }
    return images;
  }

  /** One batch's images in EDM space; the state is float64, the network's float32. */
  private double[] batch(int first, int[] labels, int elements) {
    double[] x = new double[labels.length * elements];
    for (int row = 0; row < labels.length; row++) {
      double[] normals = new NoiseKey(seed, first + row, Phase.PREDICT, 0).normals(NoiseStream.SAMPLE, 0, elements);
      for (int e = 0; e < elements; e++) {
        x[row * elements + e] = levels[0] * normals[e];
      }
    }
    for (int i = 0; i < levels.length; i++) {
      double next = i + 1 < levels.length ? levels[i + 1] : 0;
      double[] slope = slope(x, levels[i], labels);
      double[] moved = new double[x.length];
      for (int e = 0; e < x.length; e++) {
        moved[e] = x[e] + (next - levels[i]) * slope[e];
      }
      if (solver == OdeSolver.HEUN && next > 0) {
        double[] ahead = slope(moved, next, labels);
        for (int e = 0; e < x.length; e++) {
          moved[e] = x[e] + (next - levels[i]) * (slope[e] + ahead[e]) / 2;
        }
      }
      x = moved;
    }
    return x;
  }

  /** dx / dsigma = (x - D(x; sigma)) / sigma. */
  private double[] slope(double[] x, double level, int[] labels) {
    float[] input = new float[x.length];
    for (int e = 0; e < x.length; e++) {
      input[e] = (float) x[e];
    }
    double[] sigma = new double[labels.length];
    Arrays.fill(sigma, level);
    float[] denoised = model.denoise(input, sigma, labels);
    double[] slope = new double[x.length];
    for (int e = 0; e < x.length; e++) {
      slope[e] = (x[e] - denoised[e]) / level;
    }
    return slope;
  }
}
