package org.diffcert.denoise;

import org.diffcert.certify.Jobs;
import org.diffcert.denoise.Denoiser.Estimate;
import org.diffcert.noise.Sigma;

/**
 * Carries noisy images back to images, in some runs that differ in their noise (docs/spec/denoised.md). States are in
 * EDM space at their level, for networks of the DDPM kind, too: z_t / sqrt(abar_t). They are kept in float32 and
 * stepped in float64; the noise of a step is asked for by sample, run and step, so a run's image does not depend on
 * which runs and samples are computed with it. Ancestral sampling makes its first call once for all runs of a sample.
 */
final class ReverseChain {
  private static final double KARRAS_RHO = 7;
  private static final double KARRAS_LEAST = 0.002;

  private final Denoiser denoiser;
  private final Purification how;
  private final double[] levels;
  private final int elements;
  private final int threads;
  private final StageTimes times;

  /** The standard normals of a step, of one sample's one run; 0 is the first run asked for. */
  interface StepNoise {
    double[] normals(int sample, int run, int step);
  }

  /** A change of one row, given its index. */
  private interface RowStep {
    void apply(int row, double[] normals);
  }

  ReverseChain(Denoiser denoiser, Purification how, double[] levels, int threads, StageTimes times) {
    this.denoiser = denoiser;
    this.how = how;
    this.levels = levels;
    this.elements = denoiser.shape().elements();
    this.threads = threads;
    this.times = times;
  }

  /** The levels of a chain that begins at a level: the denoiser's own, or the grid of Karras et al. */
  static double[] levels(Denoiser denoiser, Sigma sigma, Purification how) {
    if (how.sampler() == Sampler.ANCESTRAL) {
      return denoiser.levels(sigma, how.steps());
    }
    double[] levels = new double[how.steps()];
    levels[0] = denoiser.levels(sigma, 1)[0];
    double from = StrictMath.pow(levels[0], 1 / KARRAS_RHO);
    double to = StrictMath.pow(Math.min(levels[0] / 2, KARRAS_LEAST), 1 / KARRAS_RHO);
    for (int i = 1; i < levels.length; i++) {
      levels[i] = StrictMath.pow(from + i * (to - from) / (levels.length - 1), KARRAS_RHO);
    }
    return levels;
  }

  /** The images of all runs of all samples, {@code [sample][run][element]}, in EDM space. */
  float[] images(float[] noisy, int runs, StepNoise noise) {
    return how.sampler() == Sampler.EDM ? edm(repeat(noisy, runs), runs, noise) : ancestral(noisy, runs, noise);
  }

  private float[] ancestral(float[] noisy, int runs, StepNoise noise) {
    Estimate estimate = denoise(noisy, levels[0]);
    float[] state = repeat(noisy, runs);
    Estimate all = new Estimate(repeat(estimate.images(), runs),
        estimate.variance() == null ? null : repeat(estimate.variance(), runs));
    for (int i = 1; i < levels.length; i++) {
      Estimate last = all;
      Posterior posterior = new Posterior(levels[i - 1], levels[i]);
      stepRows(state, runs, i - 1, noise, (row, normals) -> posterior.draw(state, last, row * elements, normals));
      all = denoise(state, levels[i]);
    }
    return all.images();
  }

  private float[] edm(float[] state, int runs, StepNoise noise) {
    double churn = Math.min(how.churn() / levels.length, Math.sqrt(2) - 1);
    for (int i = 0; i < levels.length; i++) {
      double level = levels[i];
      double up = level * (1 + churn);
      double added = Math.sqrt(up * up - level * level);
      double next = i + 1 < levels.length ? levels[i + 1] : 0;
      if (churn > 0) {
        stepRows(state, runs, i, noise, (row, normals) -> {
          for (int e = 0; e < elements; e++) {
            state[row * elements + e] = (float) (state[row * elements + e] + added * normals[e]);
          }
        });
      }
      float[] from = state.clone();
      float[] first = denoise(from, up).images();
      for (int e = 0; e < state.length; e++) {
        state[e] = (float) (from[e] + (next - up) * ((double) from[e] - first[e]) / up);
      }
      if (next > 0) {
        float[] second = denoise(state, next).images();
        for (int e = 0; e < state.length; e++) {
          double slopes = ((double) from[e] - first[e]) / up + ((double) state[e] - second[e]) / next;
          state[e] = (float) (from[e] + (next - up) * slopes / 2);
        }
      }
    }
    return state;
  }

  private Estimate denoise(float[] x, double level) {
    return times.timed("denoiser", () -> denoiser.denoise(x, level));
  }

  private void stepRows(float[] state, int runs, int step, StepNoise noise, RowStep rowStep) {
    times.timed("noise", () -> {
      Jobs.run(threads, state.length / elements,
          row -> rowStep.apply(row, noise.normals(row / runs, row % runs, step)));
      return null;
    });
  }

  /** Each row as often as there are runs. */
  private float[] repeat(float[] rows, int runs) {
    if (runs == 1) {
      return rows.clone();
    }
    float[] repeated = new float[Math.multiplyExact(rows.length, runs)];
    for (int row = 0; row < rows.length / elements; row++) {
      for (int run = 0; run < runs; run++) {
        System.arraycopy(rows, row * elements, repeated, (row * runs + run) * elements, elements);
      }
    }
    return repeated;
  }

  /**
   * The posterior of the state at a lower level, given the state and its denoised estimate: q(x_next | x, D) of the
   * rebuilt schedule (Ho et al. 2020, equation 7), with every state divided by its sqrt(abar).
   */
  private final class Posterior {
    private final double kept;
    private final double least;
    private final double most;

    Posterior(double level, double next) {
      double ratio = next / level;
      this.kept = ratio * ratio;
      double difference = (level - next) * (level + next);
      this.least = difference * kept;
      this.most = difference * (1 + next * next) / (1 + level * level);
    }

    /** Replaces one row of the state. */
    void draw(float[] state, Estimate estimate, int at, double[] normals) {
      double fixed = Math.sqrt(least);
      for (int e = 0; e < normals.length; e++) {
        double mean = kept * state[at + e] + (1 - kept) * estimate.images()[at + e];
        double deviation = estimate.variance() == null ? fixed : learned(estimate.variance()[at + e]);
        state[at + e] = (float) (mean + deviation * normals[e]);
      }
    }

    /** The deviation of a network that says where the variance lies between the least and the most. */
    private double learned(double where) {
      double share = (where + 1) / 2;
      return StrictMath.exp((share * StrictMath.log(most) + (1 - share) * StrictMath.log(least)) / 2);
    }
  }
}
