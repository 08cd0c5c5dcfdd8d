package org.diffcert.attack;

import java.util.LinkedHashMap;
import java.util.Map;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;

/**
 * A classifier under smoothing noise as what is attacked: every draw has Gaussian noise of its own, so that an attack
 * whose losses are means over draws goes for the smoothed classifier (Salman et al. 2019), the one that certificates
 * are about. Thread-safe if what it smooths is.
 */
public final class SmoothedTarget implements AttackTarget {
  private final AttackTarget target;
  private final Sigma sigma;
  private final long seed;

  /**
   * A smoothed classifier.
   *
   * @param target what is smoothed; closed with this
   * @param sigma the smoothing level
   * @param seed key of the noise
   */
  public SmoothedTarget(AttackTarget target, Sigma sigma, long seed) {
    this.target = target;
    this.sigma = sigma;
    this.seed = seed;
  }

  @Override
  public int classes() {
    return target.classes();
  }

  @Override
  public ImageShape shape() {
    return target.shape();
  }

  @Override
  public Map<String, Object> identity() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("kind", "smoothed");
    map.put("sigma", sigma.unit());
    map.put("seed", Long.toUnsignedString(seed));
    map.put("classifier", target.identity());
    return map;
  }

  @Override
  public boolean isDifferentiable() {
    return target.isDifferentiable();
  }

  @Override
  public boolean isRandom() {
    return true;
  }

  @Override
  public double[] logits(double[] x, int imageId, int draw) {
    return target.logits(noisy(x, imageId, draw), imageId, draw);
  }

  @Override
  public Pull pull(double[] x, int imageId, int draw, Cotangent cotangent) {
    return target.pull(noisy(x, imageId, draw), imageId, draw, cotangent);
  }

  @Override
  public void close() {
    target.close();
  }

  private double[] noisy(double[] x, int imageId, int draw) {
    double[] normals = new NoiseKey(seed, imageId, Phase.PREDICT, draw).normals(NoiseStream.SMOOTHING, 0, x.length);
    double[] noisy = x.clone();
    for (int e = 0; e < x.length; e++) {
      noisy[e] += sigma.unit() * normals[e];
    }
    return noisy;
  }
}
