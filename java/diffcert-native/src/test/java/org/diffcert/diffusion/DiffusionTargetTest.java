package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.diffcert.attack.AttackNorm;
import org.diffcert.attack.AttackTarget;
import org.diffcert.attack.LikelihoodMaximization;
import org.diffcert.noise.Sigma;
import org.diffcert.schedule.ClassifierKind;
import org.diffcert.schedule.GridKind;
import org.diffcert.schedule.Schedule;
import org.diffcert.schedule.Weighting;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Scores and gradients of the diffusion classifier and of RDC on a small random network in float64, against
 * differences.
 */
class DiffusionTargetTest {
  private static final Schedule SCHEDULE = Schedule.of(ClassifierKind.DC, new Sigma(1), 4, GridKind.LOG, Weighting.EDM);
  private static DiffusionModel model;

  @BeforeAll
  static void open() {
    model = DiffusionModel.open(SmallModel.make(), DeviceOptions.on(Device.of("reference")).withMaxBatch(4)
        .withGradients(Gradients.IMAGE));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static DiffusionTarget target(MaximizerForm form, TimeSampling sampling, boolean fresh,
      DiffusionTarget.Through through) {
    Optional<Maximizer> maximizer = Optional.ofNullable(form).map(
        f -> new Maximizer(model, f, Maximizer.settings(f, AttackNorm.LINF, 0.15), 5));
    return new DiffusionTarget(model, maximizer, new DiffusionTarget.Options(SCHEDULE, sampling, true, fresh, 5,
        through));
  }

  private static double[] image(int seed) {
    return new Random(seed).doubles(SmallModel.VALUES, 0.1, 0.9).toArray();
  }

  private static AttackTarget.Cotangent weights(double... a) {
    return new AttackTarget.Cotangent() {
      @Override
      public double[] of(double[] logits) {
        return a;
      }

      @Override
      public boolean sparse() {
        return Arrays.stream(a).anyMatch(value -> value == 0);
      }
    };
  }

  /** Error of the gradient along a random direction, relative to the gradient's length times the direction's. */
  private static double error(DiffusionTarget target, double[] x, double h, double... a) {
    double[] gradient = target.pull(x, 3, 2, weights(a)).gradient();
    double[] direction = AttackNorm.L2.steepest(new Random(8).doubles(x.length, -1, 1).toArray());
    double[] up = x.clone();
    double[] down = x.clone();
    double along = 0;
    for (int e = 0; e < x.length; e++) {
      up[e] += h * direction[e];
      down[e] -= h * direction[e];
      along += gradient[e] * direction[e];
    }
    double[] above = target.logits(up, 3, 2);
    double[] below = target.logits(down, 3, 2);
    double difference = 0;
    for (int k = 0; k < a.length; k++) {
      difference += a[k] * (above[k] - below[k]) / (2 * h);
    }
    return Math.abs(difference - along) / AttackNorm.L2.of(gradient);
  }

  @Test
  void gradientsOfTheDiffusionClassifier() {
    for (TimeSampling sampling : TimeSampling.values()) {
      DiffusionTarget target = target(null, sampling, true, DiffusionTarget.Through.IDENTITY);
      assertTrue(error(target, image(1), 1e-5, 0.5, -1, 0.25) < 1e-7);
      assertTrue(error(target, image(2), 1e-5, 0, -1, 1) < 1e-7);
    }
  }

  @Test
  void theFullGradientGoesBackThroughEveryStep() {
    DiffusionTarget full = target(MaximizerForm.CORRECTED, TimeSampling.SYSTEMATIC, false,
        DiffusionTarget.Through.STEPS);
    double worst = 0;
    for (int seed = 1; seed < 4; seed++) {
      worst = Math.max(worst, error(full, image(seed), 1e-6, 0.5, -1, 0.25));
    }
    System.out.println("full gradient through likelihood maximisation: worst error " + worst);
    assertTrue(worst < 1e-3, "worst " + worst);
    DiffusionTarget passed = target(MaximizerForm.CORRECTED, TimeSampling.SYSTEMATIC, false,
        DiffusionTarget.Through.IDENTITY);
    assertTrue(error(passed, image(1), 1e-6, 0.5, -1, 0.25) > 0.01, "passing it over is another gradient");
    assertArrayEquals(full.logits(image(1), 3, 0), passed.logits(image(1), 3, 0));
  }

  @Test
  void sparseAndDenseWeightsGiveTheSame() {
    DiffusionTarget target = target(null, TimeSampling.SYSTEMATIC, false, DiffusionTarget.Through.IDENTITY);
    double[] dense = target.pull(image(1), 3, 0, weights(1e-300, -1, 1)).gradient();
    AttackTarget.Pull sparse = target.pull(image(1), 3, 0, weights(0, -1, 1));
    assertArrayEquals(dense, sparse.gradient(), 1e-9 * AttackNorm.LINF.of(dense));
    assertArrayEquals(target.logits(image(1), 3, 0), sparse.logits());
  }

  @Test
  void noiseIsThatOfItsKeys() {
    DiffusionTarget fixed = target(MaximizerForm.CORRECTED, TimeSampling.RANDOM, false,
        DiffusionTarget.Through.IDENTITY);
    assertFalse(fixed.isRandom());
    assertArrayEquals(fixed.logits(image(1), 3, 0), fixed.logits(image(1), 3, 9));
    assertFalse(Arrays.equals(fixed.logits(image(1), 3, 0), fixed.logits(image(1), 4, 0)),
        "another image has other noise");
    DiffusionTarget fresh = target(MaximizerForm.CORRECTED, TimeSampling.SYSTEMATIC, true,
        DiffusionTarget.Through.IDENTITY);
    assertTrue(fresh.isRandom());
    assertFalse(Arrays.equals(fresh.logits(image(1), 3, 0), fresh.logits(image(1), 3, 9)));
    DiffusionTarget published = target(MaximizerForm.PUBLISHED, TimeSampling.SYSTEMATIC, true,
        DiffusionTarget.Through.IDENTITY);
    assertFalse(published.isRandom(), "the released code sets seed 1 before every call");
    assertArrayEquals(published.logits(image(1), 3, 0), published.logits(image(1), 4, 7));
  }

  /**
   * A step's objective is the mean of |D(z + s e; s) - z|^2: its gradient is that of the vector-Jacobian product, less
   * the direct part.
   */
  @Test
  void maximisationDescendsTheUnconditionalLoss() {
    Maximizer maximizer = new Maximizer(model, MaximizerForm.CORRECTED, LikelihoodMaximization.PUBLISHED, 5);
    double[] z = Arrays.stream(image(1)).map(value -> 2 * value - 1).toArray();
    LikelihoodMaximization.Trace trace = maximizer.of(3, 0).run(z);
    double[] first = trace.gradients().get(0);
    org.diffcert.noise.NoiseKey key = new org.diffcert.noise.NoiseKey(5, 3, org.diffcert.noise.Phase.PREDICT, 0);
    double s = 0.4 + 0.2 * (key.uniforms(org.diffcert.noise.NoiseStream.MAXIMIZATION, 0, 1)[0] >>> 11) * 0x1p-53;
    double[] e = key.normals(org.diffcert.noise.NoiseStream.MAXIMIZATION, 1, z.length);
    float[] noisy = new float[z.length];
    for (int i = 0; i < z.length; i++) {
      noisy[i] = (float) (z[i] + s * e[i]);
    }
    float[] denoised = model.denoise(noisy, new double[] {s}, null);
    float[] residual = new float[z.length];
    for (int i = 0; i < z.length; i++) {
      residual[i] = (float) (denoised[i] - z[i]);
    }
    float[] pulled = model.vectorJacobian(noisy, new double[] {s}, null, residual).gradient();
    double size = AttackNorm.LINF.of(first);
    for (int i = 0; i < z.length; i++) {
      assertEquals(2.0 / z.length * (pulled[i] - residual[i]), first[i], 1e-5 * size);
    }
  }

  /** Both samplings estimate the same integral: their mean losses over many draws agree. */
  @Test
  void randomLevelsEstimateWhatEvenlySpacedOnesDo() {
    Schedule fine = Schedule.of(ClassifierKind.DC, new Sigma(1), 40, GridKind.LINEAR, Weighting.EDM);
    double[] means = new double[2];
    for (TimeSampling sampling : TimeSampling.values()) {
      double sum = 0;
      for (int draw = 0; draw < 400; draw++) {
        TimeSampling.Levels levels = sampling.of(fine, new org.diffcert.noise.NoiseKey(1, 0,
            org.diffcert.noise.Phase.PREDICT, draw));
        for (int i = 0; i < levels.levels().length; i++) {
          sum += levels.weights()[i] * levels.levels()[i] / 400;
        }
      }
      means[sampling.ordinal()] = sum;
    }
    assertEquals(1, means[1] / means[0], 0.1, Arrays.toString(means));
  }
}
