package org.diffcert.denoise;

import java.util.Arrays;
import org.diffcert.DiffcertException;

/**
 * The timesteps t = 0..T-1 of a DDPM: z_t = sqrt(abar_t) z_0 + sqrt(1 - abar_t) e, with abar_t the product of 1 -
 * beta_i over i up to t. Divided by sqrt(abar_t), the noise of z_t has the level rho_t = sqrt((1 - abar_t) / abar_t) in
 * EDM space, by which smoothing noise and timestep are matched (Carlini et al. 2023; Ho et al. 2020; Nichol and
 * Dhariwal 2021). Computed in float64 with StrictMath: the same bits everywhere. Immutable.
 */
public final class DdpmSchedule {
  /** The most timesteps. */
  public static final int MOST_STEPS = 1_000_000;

  private final double[] levels;

  private DdpmSchedule(double[] betas) {
    levels = new double[betas.length];
    double kept = 1;
    for (int t = 0; t < betas.length; t++) {
      kept *= 1 - betas[t];
      levels[t] = Math.sqrt((1 - kept) / kept);
    }
  }

  /**
   * The linear schedule: T betas in equal steps from 1e-4 * 1000/T to 0.02 * 1000/T.
   *
   * @param steps T, 2 to {@link #MOST_STEPS}
   * @return the schedule
   */
  public static DdpmSchedule linear(int steps) {
    double[] betas = new double[checked(steps)];
    double scale = 1000.0 / steps;
    for (int t = 0; t < steps; t++) {
      betas[t] = Math.min(scale * (1e-4 + t * (0.02 - 1e-4) / (steps - 1)), 0.999);
    }
    return new DdpmSchedule(betas);
  }

  /**
   * The cosine schedule: beta_t = min(1 - a((t+1)/T) / a(t/T), 0.999) with a(u) = cos^2((u + 0.008) / 1.008 * pi/2).
   *
   * @param steps T, 2 to {@link #MOST_STEPS}
   * @return the schedule
   */
  public static DdpmSchedule cosine(int steps) {
    double[] betas = new double[checked(steps)];
    for (int t = 0; t < steps; t++) {
      betas[t] = Math.min(1 - signal((t + 1.0) / steps) / signal((double) t / steps), 0.999);
    }
    return new DdpmSchedule(betas);
  }

  private static int checked(int steps) {
    if (steps < 2 || steps > MOST_STEPS) {
      throw new IllegalArgumentException("a schedule of " + steps + " timesteps");
    }
    return steps;
  }

  private static double signal(double u) {
    double cosine = StrictMath.cos((u + 0.008) / 1.008 * Math.PI / 2);
    return cosine * cosine;
  }

  /**
   * The number of timesteps.
   *
   * @return T
   */
  public int steps() {
    return levels.length;
  }

  /**
   * The noise level of a timestep.
   *
   * @param t the timestep, 0 to T - 1
   * @return rho_t, in EDM space
   */
  public double level(int t) {
    return levels[t];
  }

  /**
   * What noise of a level is matched with.
   *
   * @param level a noise level in EDM space, twice a sigma
   * @return the smallest t with rho_t at or above the level
   * @throws DiffcertException of kind USAGE if there is none
   */
  public int match(double level) {
    int at = Arrays.binarySearch(levels, level);
    int t = at >= 0 ? at : -at - 1;
    if (t == levels.length) {
      throw DiffcertException.usage("the network's noise ends at " + levels[t - 1] / 2 + " in [0,1] pixel units, sigma "
          + level / 2 + " is beyond it");
    }
    return t;
  }

  /**
   * The timestep of one of the levels.
   *
   * @param level a value of {@link #level(int)}
   * @return its t
   * @throws IllegalArgumentException if it is none
   */
  public int timestep(double level) {
    int t = Arrays.binarySearch(levels, level);
    if (t < 0) {
      throw new IllegalArgumentException(level + " is the level of no timestep");
    }
    return t;
  }

  /**
   * The timesteps of a shortened reverse chain that begins where noise of a level is matched: round(t* - i t* / b) for
   * i = 0..b-1, descending, halves rounded up (Xiao et al. 2022).
   *
   * @param level the noise level in EDM space
   * @param steps b, at least 1
   * @return b timesteps; after the last comes the clean image
   * @throws DiffcertException of kind USAGE if there are more steps than timesteps
   */
  public int[] chain(double level, int steps) {
    int first = match(level);
    if (steps > Math.max(1, first)) {
      throw DiffcertException.usage("--steps is " + steps + ", but from the noise of sigma " + level / 2
          + " there are " + first + " timesteps to the image");
    }
    int[] chain = new int[steps];
    for (int i = 0; i < steps; i++) {
      chain[i] = (int) Math.floor(first - (double) i * first / steps + 0.5);
    }
    return chain;
  }
}
