package org.diffcert.diffusion;

import java.util.Arrays;
import org.diffcert.Named;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.schedule.Schedule;

/** At which noise levels a diffusion classifier looks at an image. */
public enum TimeSampling implements Named {
  /** At those of the schedule: evenly spaced, the same for every image and draw. */
  SYSTEMATIC("systematic"),
  /** At as many uniform random ones between its ends, for comparison: with the same weights per unit of level. */
  RANDOM("random");

  private final String cliName;

  TimeSampling(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The sampling of a name.
   *
   * @param name systematic or random
   * @return the sampling
   * @throws org.diffcert.DiffcertException of kind USAGE if there is none of that name
   */
  public static TimeSampling of(String name) {
    return Named.find(values(), name, "sampling of levels");
  }

  /**
   * Levels and weights of a draw.
   *
   * @param levels where the network is called, ascending
   * @param weights of each
   */
  record Levels(double[] levels, double[] weights) {}

  /**
   * The levels. A random one stands in for a schedule's: it is uniform between the ends of the whole schedule, and its
   * weight is that of the schedule there, linear between the levels, so that both sums estimate the same integral.
   */
  Levels of(Schedule schedule, NoiseKey key) {
    double[] upper = schedule.upper();
    double[] weights = schedule.weights();
    if (this == SYSTEMATIC) {
      return new Levels(upper, weights);
    }
    double bottom = schedule.lower()[0];
    double top = upper[upper.length - 1];
    long[] bits = key.uniforms(NoiseStream.LEVEL, NoiseKey.MAX_INDEX, upper.length);
    double[] levels = new double[upper.length];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = bottom + (top - bottom) * (((bits[i] >>> 11) + 0.5) * 0x1p-53);
    }
    Arrays.sort(levels);
    double[] density = new double[upper.length];
    for (int i = 0; i < upper.length; i++) {
      density[i] = weights[i] / (upper[i] - schedule.lower()[i]);
    }
    double[] drawn = new double[upper.length];
    for (int i = 0; i < levels.length; i++) {
      drawn[i] = interpolate(upper, density, levels[i]) * (top - bottom) / levels.length;
    }
    return new Levels(levels, drawn);
  }

  private static double interpolate(double[] at, double[] values, double x) {
    int above = Arrays.binarySearch(at, x);
    above = above < 0 ? -above - 1 : above;
    if (above == 0 || above == at.length) {
      return values[above == 0 ? 0 : at.length - 1];
    }
    double part = (x - at[above - 1]) / (at[above] - at[above - 1]);
    return values[above - 1] + part * (values[above] - values[above - 1]);
  }
}
