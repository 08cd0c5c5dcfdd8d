package org.diffcert.noise;

import java.util.List;

/**
 * Rounded Gaussian noise of several sigmas along one Brownian path, for classifiers that serve all of them in one pass
 * (G.5): position B_k = B_(k-1) + a_k Z_k in 8-bit units with a_k = 255 sqrt(sigma_k^2 - sigma_(k-1)^2), and what
 * leaves this class is the integer nearest to B_k. The law of each is that of {@link IntegerNoise}; the increments
 * after k are independent of the past, so a function of the positions from k on is a function of image + N(0,
 * sigma_k^2) and independent randomness, and its certificate at sigma_k is sound.
 *
 * <p>Positions are computed in float64. Where one lies so near a half-integer that its error could move it across, or a
 * Z lies beyond 7, the draw is ambiguous and the sample counts for no class at any sigma. The error window and the
 * proof are in docs/spec/noise.md. Immutable, thread-safe.
 */
public final class PathNoise {
  /** The largest sigma that the error window is proven for, in [0,1] pixel units. */
  public static final double MAX_SIGMA = 2.0;

  /** The largest number of sigmas that the error window is proven for. */
  public static final int MAX_SIGMAS = 16;

  /** Error charged to one step of the sum: its two roundings and the rounding of the step's scale. */
  private static final double STEP_ERROR = 0x1p-38;

  private final double[] scales;

  /**
   * Creates the noise.
   *
   * @param sigmas the smoothing levels, strictly ascending, 1 to {@link #MAX_SIGMAS}, at most {@link #MAX_SIGMA} each
   */
  public PathNoise(List<Sigma> sigmas) {
    if (sigmas.isEmpty() || sigmas.size() > MAX_SIGMAS) {
      throw new IllegalArgumentException("path noise takes 1 to " + MAX_SIGMAS + " sigmas, not " + sigmas.size());
    }
    scales = new double[sigmas.size()];
    double before = 0;
    for (int k = 0; k < scales.length; k++) {
      double sigma = sigmas.get(k).unit();
      if (!(sigma > before && sigma <= MAX_SIGMA)) {
        throw new IllegalArgumentException("path noise takes ascending sigmas of at most " + MAX_SIGMA + ", not "
            + sigmas);
      }
      scales[k] = 255.0 * Math.sqrt((sigma - before) * (sigma + before));
      before = sigma;
    }
  }

  /**
   * The noise of elements [0, count) of one sample at each sigma, before the clip.
   *
   * @param key the sample
   * @param count how many
   * @param noise {@code noise[k][e]} receives the noise at sigma k in 1/255 units
   * @return whether no draw was ambiguous; if false, the sample counts for no class at any sigma
   */
  public boolean draw(NoiseKey key, int count, int[][] noise) {
    double[] position = new double[count];
    double[] error = new double[count];
    boolean certain = true;
    for (int k = 0; k < scales.length; k++) {
      certain &= step(k, key.normals(NoiseStream.PATH, k, count), position, error, noise[k]);
    }
    return certain;
  }

  /** One increment for every element; whether each position is surely nearest to the integer that it is rounded to. */
  boolean step(int k, double[] normals, double[] position, double[] error, int[] noise) {
    boolean certain = true;
    for (int e = 0; e < normals.length; e++) {
      position[e] = position[e] + scales[k] * normals[e];
      error[e] = error[e] + (scales[k] * normalError(Math.abs(normals[e])) + STEP_ERROR);
      double nearest = Math.floor(position[e] + 0.5);
      noise[e] = (int) nearest;
      // Distance from the middle of the integer's cell; the cell's ends are half-integers.
      certain &= Math.abs(position[e] - nearest) + error[e] < 0.5;
    }
    return certain;
  }

  /**
   * Bound on |computed - real| of a standard normal: {@link InverseNormal#EVALUATION_ERROR} and the width of the
   * uniform's cell, 2^-64 / phi(z). Beyond 7 nothing is proven and the answer makes every draw ambiguous.
   */
  static double normalError(double z) {
    if (z <= 5.0) {
      return 0x1p-43;
    }
    if (z <= 6.0) {
      return 0x1p-36;
    }
    return z <= 7.0 ? 0x1p-27 : 1.0;
  }
}
