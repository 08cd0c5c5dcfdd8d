package org.diffcert.diffusion;

import java.util.LinkedHashMap;
import java.util.Map;
import org.diffcert.attack.AttackNorm;
import org.diffcert.attack.LikelihoodMaximization;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;

/**
 * The first half of RDC: likelihood maximisation under a diffusion model (docs/spec/rdc.md). A step has a level s,
 * uniform in [0.4, 0.6] of EDM space, and noise e, and descends the mean over the elements of |D(z + s e; s) - z|^2,
 * without a class and without clamping. As thread-safe as its model, which stays the caller's to close.
 *
 * @param model the unconditional model, or one that works without a label; opened for gradients
 * @param form whose noise
 * @param settings steps, rate and ball
 * @param seed key of the corrected form's noise; the published form has its own
 */
public record Maximizer(DiffusionModel model, MaximizerForm form, LikelihoodMaximization settings, long seed) {
  private static final double LOWEST = 0.4;
  private static final double HIGHEST = 0.6;
  /** What the released code sets before every call. */
  private static final long PUBLISHED_SEED = 1;

  /** A maximisation with the noise of one image and draw. */
  final class Purification {
    private final NoiseKey key;

    private Purification(NoiseKey key) {
      this.key = key;
    }

    LikelihoodMaximization.Trace run(double[] z) {
      return settings.run(z, this::gradient);
    }

    double[] pullback(LikelihoodMaximization.Trace trace, double[] cotangent) {
      return settings.pullback(trace, this::gradient, cotangent);
    }

    private double[] gradient(int step, double[] z) {
      long uniform = key.uniforms(NoiseStream.MAXIMIZATION, 2 * step, 1)[0];
      double level = LOWEST + (HIGHEST - LOWEST) * ((uniform >>> 11) * 0x1p-53);
      double[] noise = key.normals(NoiseStream.MAXIMIZATION, 2 * step + 1, z.length);
      return Elbo.gradient(model, false, z, new double[] {level}, new double[] {1}, noise, -1).gradient()[0];
    }
  }

  /** The maximisation of an image and a draw. */
  Purification of(int imageId, int draw) {
    return new Purification(key(form, seed, imageId, draw));
  }

  /**
   * The key of RDC's noise. The released code sets its generators to seed 1 at every call: an image alone in its batch
   * has the same noise as every other, at every call, and so has the classifier behind.
   */
  static NoiseKey key(MaximizerForm form, long seed, int imageId, int draw) {
    return form == MaximizerForm.PUBLISHED ? new NoiseKey(PUBLISHED_SEED, 0, Phase.PREDICT, 0)
        : new NoiseKey(seed, imageId, Phase.PREDICT, draw);
  }

  /** Whether draws differ. */
  boolean isRandom() {
    return form != MaximizerForm.PUBLISHED;
  }

  /** The settings as a run's header has them. */
  Map<String, Object> identity() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("model", model.digest());
    map.put("form", form.cliName());
    map.put("steps", (long) settings.steps());
    map.put("rate", settings.rate());
    map.put("norm", settings.norm().cliName());
    map.put("radius", settings.bound().map(String::valueOf).orElse("unbounded"));
    return map;
  }

  /**
   * The settings of a form.
   *
   * @param form which
   * @param norm how the corrected form measures distance
   * @param radius the corrected form's ball in [0,1] pixel units, twice as large in EDM space
   * @return the published settings, or theirs with that ball
   */
  public static LikelihoodMaximization settings(MaximizerForm form, AttackNorm norm, double radius) {
    LikelihoodMaximization published = LikelihoodMaximization.PUBLISHED;
    return form == MaximizerForm.PUBLISHED ? published : new LikelihoodMaximization(published.steps(),
        published.rate(), norm, 2 * radius);
  }
}
