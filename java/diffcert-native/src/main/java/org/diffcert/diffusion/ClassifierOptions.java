package org.diffcert.diffusion;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.noise.PathNoise;
import org.diffcert.noise.Sigma;
import org.diffcert.schedule.ClassifierKind;
import org.diffcert.schedule.GridKind;
import org.diffcert.schedule.Schedule;
import org.diffcert.schedule.Weighting;

/**
 * What a diffusion classifier is, apart from its models. All but the batch is part of its identity. Immutable.
 *
 * @param kind which classifier
 * @param sigmas the smoothing levels that one call serves, strictly ascending, at least one
 * @param levels the number of grid points, as {@link Schedule} counts them
 * @param grid their spacing
 * @param weighting their weights
 * @param clamp whether the network's output is clamped to [-1, 1] in EDM space, as the authors state; their released
 *     code does not
 * @param noise the smoothing noise
 * @param seed the key of all noise
 * @param batch rows of one network call; 0 = the largest that the model was opened for. Votes do not depend on it.
 * @param pruning how classes are dropped while a vote is made
 */
public record ClassifierOptions(ClassifierKind kind, List<Sigma> sigmas, int levels, GridKind grid, Weighting weighting,
    boolean clamp, NoiseMode noise, long seed, int batch, Pruning pruning) {
  /**
   * Checks what can be checked without a model.
   *
   * @param kind which classifier
   * @param sigmas the smoothing levels that one call serves, strictly ascending, at least one
   * @param levels the number of grid points, as {@link Schedule} counts them
   * @param grid their spacing
   * @param weighting their weights
   * @param clamp whether the network's output is clamped to [-1, 1] in EDM space
   * @param noise the smoothing noise
   * @param seed the key of all noise
   * @param batch rows of one network call; 0 = the largest that the model was opened for
   * @param pruning how classes are dropped while a vote is made
   * @throws DiffcertException of kind USAGE if sigmas do not ascend, the batch is not in 0..65536, or path noise is
   *     asked of a classifier other than {@code epndc} or for sigmas that it does not serve
   */
  public ClassifierOptions {
    sigmas = List.copyOf(sigmas);
    if (sigmas.isEmpty()) {
      throw DiffcertException.usage("A classifier needs at least one sigma.");
    }
    for (int s = 1; s < sigmas.size(); s++) {
      if (sigmas.get(s).compareTo(sigmas.get(s - 1)) <= 0) {
        throw DiffcertException.usage("Sigmas must ascend, but " + sigmas.get(s - 1) + " comes before " + sigmas.get(s)
            + ".");
      }
    }
    if (batch < 0 || batch > 65536) {
      throw DiffcertException.usage("The batch must be 1 to 65536, or 0 for the largest that the model takes, not "
          + batch + ".");
    }
    if (noise == NoiseMode.PATH) {
      if (kind != ClassifierKind.EPNDC) {
        throw DiffcertException.usage("Path noise serves epndc alone; " + kind.cliName()
            + " takes integer noise, one pass for each sigma.");
      }
      if (sigmas.size() > PathNoise.MAX_SIGMAS || sigmas.get(sigmas.size() - 1).unit() > PathNoise.MAX_SIGMA) {
        throw DiffcertException.usage("Path noise takes at most " + PathNoise.MAX_SIGMAS + " sigmas of at most "
            + PathNoise.MAX_SIGMA + ".");
      }
    }
  }

  /**
   * The same that drops no class.
   *
   * @param kind which classifier
   * @param sigmas the smoothing levels that one call serves, strictly ascending, at least one
   * @param levels the number of grid points, as {@link Schedule} counts them
   * @param grid their spacing
   * @param weighting their weights
   * @param clamp whether the network's output is clamped to [-1, 1] in EDM space
   * @param noise the smoothing noise
   * @param seed the key of all noise
   * @param batch rows of one network call; 0 = the largest that the model was opened for
   * @throws DiffcertException of kind USAGE as the other constructor
   */
  public ClassifierOptions(ClassifierKind kind, List<Sigma> sigmas, int levels, GridKind grid, Weighting weighting,
      boolean clamp, NoiseMode noise, long seed, int batch) {
    this(kind, sigmas, levels, grid, weighting, clamp, noise, seed, batch, Pruning.NONE);
  }

  /**
   * A classifier as the command line makes it when nothing else is said: 126 linear grid points, the intended
   * log-normal weights, output clamped, integer noise (along one path for {@code epndc} with several sigmas), 64 fresh
   * random bits as seed (S10), no pruning.
   *
   * @param kind which classifier
   * @param sigmas the smoothing levels, strictly ascending, at least one
   * @return the options
   * @throws DiffcertException of kind USAGE as the constructor
   */
  public static ClassifierOptions of(ClassifierKind kind, Sigma... sigmas) {
    NoiseMode noise = kind == ClassifierKind.EPNDC && sigmas.length > 1 ? NoiseMode.PATH : NoiseMode.INTEGER;
    return new ClassifierOptions(kind, Arrays.asList(sigmas), 126, GridKind.LINEAR, Weighting.EDM, true, noise,
        new SecureRandom().nextLong(), 0);
  }

  /**
   * The levels and weights, one schedule a sigma; on path noise they share their levels.
   *
   * @return as many as there are sigmas
   * @throws DiffcertException of kind USAGE if the grid does not fit the sigmas, as {@link Schedule} says
   */
  public List<Schedule> schedules() {
    return schedules(levels);
  }

  private List<Schedule> schedules(int points) {
    return noise == NoiseMode.PATH ? Schedule.shared(sigmas, points, grid, weighting)
        : sigmas.stream().map(sigma -> Schedule.of(kind, sigma, points, grid, weighting)).toList();
  }

  /**
   * The levels that sift, and their weights: the same schedules on a grid of {@link Pruning#siftLevels()} points, each
   * weighed as if it were a level of the full grid, since the released code takes one step for both.
   *
   * @return one a sigma; none unless the pruning is {@link Pruning.Kind#PUBLISHED}
   * @throws DiffcertException of kind USAGE if the grid does not fit the sigmas, as {@link Schedule} says
   */
  public List<Schedule> siftSchedules() {
    if (pruning.kind() != Pruning.Kind.PUBLISHED) {
      return List.of();
    }
    try {
      double step = (pruning.siftLevels() - 1.0) / (levels - 1);
      return schedules(pruning.siftLevels()).stream().map(schedule -> schedule.weighted(step)).toList();
    } catch (DiffcertException e) {
      throw new DiffcertException(e.kind(), "the levels that sift: " + e.getMessage(), e);
    }
  }

  /**
   * The same on another grid of noise levels.
   *
   * @param points the number of grid points
   * @param spacing how they are spaced
   * @return the options
   */
  public ClassifierOptions withLevels(int points, GridKind spacing) {
    return new ClassifierOptions(kind, sigmas, points, spacing, weighting, clamp, noise, seed, batch, pruning);
  }

  /**
   * The same at other smoothing levels, in the same noise mode.
   *
   * @param others strictly ascending, at least one
   * @return the options
   */
  public ClassifierOptions withSigmas(List<Sigma> others) {
    return new ClassifierOptions(kind, others, levels, grid, weighting, clamp, noise, seed, batch, pruning);
  }

  /**
   * The same that drops classes by another rule.
   *
   * @param rule how classes are dropped while a vote is made
   * @return the options
   */
  public ClassifierOptions withPruning(Pruning rule) {
    return new ClassifierOptions(kind, sigmas, levels, grid, weighting, clamp, noise, seed, batch, rule);
  }

  /**
   * The same with another batch.
   *
   * @param rows rows of one network call; 0 = the largest that the model was opened for
   * @return the options
   */
  public ClassifierOptions withBatch(int rows) {
    return new ClassifierOptions(kind, sigmas, levels, grid, weighting, clamp, noise, seed, rows, pruning);
  }

  /**
   * The same with another seed.
   *
   * @param key the key of all noise
   * @return the options
   */
  public ClassifierOptions withSeed(long key) {
    return new ClassifierOptions(kind, sigmas, levels, grid, weighting, clamp, noise, key, batch, pruning);
  }
}
