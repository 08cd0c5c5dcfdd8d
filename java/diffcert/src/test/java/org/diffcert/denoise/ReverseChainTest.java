package org.diffcert.denoise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.diffcert.denoise.Toys.Values;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Reverse chains against what they are to draw: the textbook's posterior in DDPM's own units, and Gaussian data, whose
 * denoiser, posterior and flow are formulas.
 */
class ReverseChainTest {
  private static final long SEED = 20261121;
  private static final Sigma SIGMA = new Sigma(0.5);
  /** Standard deviation of the Gaussian data. */
  private static final double DATA = 0.6;

  private static ReverseChain chain(Denoiser denoiser, Purification how, double... levels) {
    return new ReverseChain(denoiser, how, levels, 2, new StageTimes());
  }

  private static Purification ancestral(int steps) {
    return new Purification(1, steps, Sampler.ANCESTRAL, 0, TieRule.LOWEST);
  }

  private static double[] normals(Random random, int count) {
    return random.doubles(count).map(u -> random.nextGaussian()).toArray();
  }

  /** z_(t-1) of Ho et al. and Nichol and Dhariwal, for one value, from signals abar of the rebuilt schedule. */
  private static double textbook(double z, double estimate, double signal, double next, Double where, double normal) {
    double beta = 1 - signal / next;
    double alpha = 1 - beta;
    double mean = Math.sqrt(next) * beta / (1 - signal) * estimate
        + Math.sqrt(alpha) * (1 - next) / (1 - signal) * z;
    double least = beta * (1 - next) / (1 - signal);
    double share = where == null ? 0 : (where + 1) / 2;
    double variance = Math.exp(share * Math.log(beta) + (1 - share) * Math.log(least));
    return mean + Math.sqrt(variance) * normal;
  }

  @ParameterizedTest
  @ValueSource(doubles = {-2, -1, -0.3, 0.8, 1})
  void aStepIsTheTextbooksPosterior(double where) {
    DdpmSchedule schedule = DdpmSchedule.cosine(1000);
    double[] levels = Arrays.stream(schedule.chain(SIGMA.edm(), 3)).mapToDouble(schedule::level).toArray();
    Double variance = where < -1 ? null : where;
    Values denoiser = new Values(new ImageShape(1, 3, 3), (x, level) -> Math.tanh(x / (1 + level)), variance, true);
    Random random = new Random(SEED);
    float[] noisy = new float[9];
    double[][] normals = {normals(random, 9), normals(random, 9)};
    for (int e = 0; e < 9; e++) {
      noisy[e] = (float) random.nextGaussian();
    }
    float[] images = chain(denoiser, ancestral(3), levels).images(noisy, 1, (sample, run, step) -> normals[step]);
    for (int e = 0; e < 9; e++) {
      double z = noisy[e] / Math.sqrt(1 + levels[0] * levels[0]);
      for (int i = 0; i < 2; i++) {
        double signal = 1 / (1 + levels[i] * levels[i]);
        double next = 1 / (1 + levels[i + 1] * levels[i + 1]);
        double estimate = Math.tanh(z / Math.sqrt(signal) / (1 + levels[i]));
        z = textbook(z, estimate, signal, next, variance, normals[i][e]);
      }
      double last = Math.sqrt(1 + levels[2] * levels[2]) * z;
      assertEquals(Math.tanh(last / (1 + levels[2])), images[e], 1e-6, "element " + e + ", seed " + SEED);
    }
  }

  /** The optimal denoiser of data N(0, DATA^2). */
  private static Values gaussian(int side) {
    return Values.of(side, (x, level) -> x * DATA * DATA / (DATA * DATA + level * level));
  }

  /** Mean and variance of what comes of one noisy value, over many runs and elements. */
  private static double[] moments(float[] images) {
    double mean = 0;
    double square = 0;
    for (float value : images) {
      mean += value;
      square += (double) value * value;
    }
    mean /= images.length;
    return new double[] {mean, square / images.length - mean * mean};
  }

  @Test
  void manyAncestralStepsDrawFromThePosterior() {
    int side = 20;
    int runs = 25;
    double noisyValue = 0.7;
    float[] noisy = new float[side * side];
    Arrays.fill(noisy, (float) noisyValue);
    double[] levels = gaussian(side).levels(SIGMA, 100);
    float[] images = chain(gaussian(side), ancestral(100), levels).images(noisy, runs, (sample, run, step) ->
        normals(new Random(SEED + run * 1000L + step), side * side));
    double level = SIGMA.edm();
    double total = DATA * DATA + level * level;
    double variance = DATA * DATA * level * level / total;
    double[] found = moments(images);
    // 10,000 draws: five standard errors, and 2% for the width of the steps.
    assertEquals(noisyValue * DATA * DATA / total, found[0], 5 * Math.sqrt(variance / images.length), "seed " + SEED);
    assertEquals(variance, found[1], variance * (5 * Math.sqrt(2.0 / images.length) + 0.02), "seed " + SEED);
  }

  @Test
  void heunsStepsWithoutChurnFollowTheFlow() {
    float[] noisy = {0.7f, -1.3f, 0.02f, 2};
    Purification how = new Purification(1, 40, Sampler.EDM, 0, TieRule.LOWEST);
    double[] levels = ReverseChain.levels(gaussian(2), SIGMA, how);
    assertEquals(40, levels.length);
    assertEquals(SIGMA.edm(), levels[0]);
    assertEquals(0.002, levels[39], 1e-12);
    float[] images = chain(gaussian(2), how, levels).images(noisy, 1, (sample, run, step) -> {
      throw new AssertionError("noise without churn");
    });
    for (int e = 0; e < noisy.length; e++) {
      double flow = noisy[e] * DATA / Math.sqrt(DATA * DATA + SIGMA.edm() * SIGMA.edm());
      assertEquals(flow, images[e], 2e-3 * Math.abs(flow) + 1e-6);
    }
  }

  /** Noise put back and removed again leaves data with the law of the data. */
  @Test
  void churnKeepsTheLaw() {
    int side = 100;
    Random random = new Random(SEED);
    float[] noisy = new float[side * side];
    for (int e = 0; e < noisy.length; e++) {
      noisy[e] = (float) (random.nextGaussian() * Math.sqrt(DATA * DATA + SIGMA.edm() * SIGMA.edm()));
    }
    Purification how = new Purification(1, 40, Sampler.EDM, 8, TieRule.LOWEST);
    double[] levels = ReverseChain.levels(gaussian(side), SIGMA, how);
    float[] images = chain(gaussian(side), how, levels).images(noisy, 1, (sample, run, step) ->
        normals(new Random(SEED + 1 + step), side * side));
    double[] found = moments(images);
    assertEquals(0, found[0], 5 * DATA / side, "seed " + SEED);
    assertEquals(DATA * DATA, found[1], DATA * DATA * (5 * Math.sqrt(2) / side + 0.02), "seed " + SEED);
    float[] flow = chain(gaussian(side), new Purification(1, 40, Sampler.EDM, 0, TieRule.LOWEST), levels)
        .images(noisy, 1, (sample, run, step) -> null);
    double difference = 0;
    for (int e = 0; e < flow.length; e++) {
      difference += Math.abs(flow[e] - images[e]) / flow.length;
    }
    assertTrue(difference > 0.05, "the churn did nothing: " + difference);
  }

  /** A chain of one step is one call, and draws nothing. */
  @Test
  void oneStepIsOneShot() {
    float[] noisy = {0.5f, -0.25f, 1, 0};
    float[] images = chain(gaussian(2), ancestral(1), 1.0).images(noisy, 2, (sample, run, step) -> {
      throw new AssertionError("noise after the last step");
    });
    float[] once = gaussian(2).denoise(noisy, 1).images();
    assertArrayEquals(once, Arrays.copyOfRange(images, 0, 4));
    assertArrayEquals(once, Arrays.copyOfRange(images, 4, 8));
  }
}
