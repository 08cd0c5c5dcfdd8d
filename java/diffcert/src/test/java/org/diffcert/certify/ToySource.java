package org.diffcert.certify;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;

/**
 * Votes of known law, a pure function of their keys: what a sample votes is decided by a standard normal number of its
 * own.
 */
public class ToySource implements VoteSource {
  /** Turns a sample's normal number into a vote. */
  public interface Rule {
    int vote(Sigma sigma, double normal);
  }

  private final long seed;
  private final int classes;
  private final List<Sigma> sigmas;
  private final Rule rule;

  public ToySource(long seed, int classes, List<Sigma> sigmas, Rule rule) {
    this.seed = seed;
    this.classes = classes;
    this.sigmas = sigmas;
    this.rule = rule;
  }

  /**
   * A half-space at a distance: class 0 on this side of it, class 1 beyond. The exact radius of the smoothed classifier
   * is the distance.
   */
  public static ToySource halfSpace(long seed, double distance, Sigma... sigmas) {
    return new ToySource(seed, 2, List.of(sigmas), (sigma, normal) -> sigma.unit() * normal <= distance ? 0 : 1);
  }

  public static ByteImage image() {
    return new ByteImage(new ImageShape(1, 1, 1), new byte[1]);
  }

  @Override
  public int classes() {
    return classes;
  }

  @Override
  public ImageShape shape() {
    return new ImageShape(1, 1, 1);
  }

  @Override
  public List<Sigma> sigmas() {
    return sigmas;
  }

  @Override
  public Map<String, Object> identity() {
    Map<String, Object> identity = new LinkedHashMap<>();
    identity.put("classifier", "toy");
    identity.put("noise", "none");
    identity.put("seed", Long.toUnsignedString(seed));
    return identity;
  }

  @Override
  public long callsPerSample() {
    return 1;
  }

  @Override
  public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes) {
    for (int sample = from; sample < to; sample++) {
      long key = (seed * 31 + imageId) * 0x9e3779b97f4a7c15L ^ ((long) sample << 8) ^ phase.code();
      double normal = new SplittableRandom(key).split().nextGaussian();
      for (int s = 0; s < sigmas.size(); s++) {
        votes[s][sample - from] = rule.vote(sigmas.get(s), normal);
      }
    }
  }

  @Override
  public void close() {}
}
