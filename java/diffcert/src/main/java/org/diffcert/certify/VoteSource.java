package org.diffcert.certify;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;

/**
 * Votes of a base classifier under smoothing noise: the seam between certification (Java) and whatever casts the votes,
 * native or not. A vote is a pure function of (identity, image, image id, phase, sample): the same in every range,
 * order, batch and thread count (S12). Noise is drawn inside, from the keys of docs/spec/noise.md.
 */
public interface VoteSource extends AutoCloseable {
  /** The vote of a sample that counts for no class: an ambiguous draw, a value that is not finite (S5, S15). */
  int NO_VOTE = -1;

  /**
   * The number of classes.
   *
   * @return at least 2
   */
  int classes();

  /**
   * The shape of the images it takes.
   *
   * @return the shape
   */
  ImageShape shape();

  /**
   * The smoothing levels that one call serves, ascending.
   *
   * @return at least one
   */
  List<Sigma> sigmas();

  /**
   * The law of the smoothing noise; which radii follow depends on it. A source that wraps another must pass it on.
   *
   * @return the law, Gaussian unless said otherwise
   */
  default NoiseLaw law() {
    return NoiseLaw.GAUSSIAN;
  }

  /**
   * Everything that the votes depend on, for the run's header: model digests, classifier, levels, weights, noise mode,
   * seed. Values are strings, numbers, booleans, lists or maps of these. Devices and thread counts are not in it.
   *
   * @return an ordered map
   */
  Map<String, Object> identity();

  /**
   * Network calls that one sample costs, at all its sigmas together; the most, where samples cost different numbers.
   *
   * @return at least 1
   */
  long callsPerSample();

  /**
   * Casts the votes of samples from (inclusive) to to (exclusive).
   *
   * @param image the image
   * @param imageId its index in the data set, part of the noise key
   * @param phase what the samples are for
   * @param from first sample
   * @param to one past the last
   * @param votes {@code votes[s][j]} receives the class voted at sigma s by sample from + j, or {@link #NO_VOTE}
   */
  void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes);

  /**
   * Casts the same votes and says what they cost. A sample's cost is a pure function of what its vote is one of.
   * Sources whose samples cost different numbers of network calls override it.
   *
   * @param image the image
   * @param imageId its index in the data set, part of the noise key
   * @param phase what the samples are for
   * @param from first sample
   * @param to one past the last
   * @param votes {@code votes[s][j]} receives the class voted at sigma s by sample from + j, or {@link #NO_VOTE}
   * @param calls {@code calls[j]} receives the network calls that sample from + j took at all sigmas together, at most
   *     {@link #callsPerSample()}
   */
  default void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes, long[] calls) {
    votes(image, imageId, phase, from, to, votes);
    Arrays.fill(calls, 0, to - from, callsPerSample());
  }

  /**
   * Where the wall time of the votes so far went, by the name of a stage, for sources that know; no vote depends on it.
   *
   * @return nanoseconds, in the order of the stages; empty unless a source says
   */
  default Map<String, Long> stageNanos() {
    return Map.of();
  }

  @Override
  void close();
}
