package org.diffcert.certify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.diffcert.Closing;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;

/**
 * Votes at several smoothing levels, each from a source of its own: the stages of a cascade, which {@link
 * CascadeCertifier} asks one by one. Asked as a whole it is a source like any other, so the same scales can be
 * certified each for itself. As thread-safe as its sources.
 */
public final class CascadeVotes implements VoteSource {
  private final List<VoteSource> scales;

  /**
   * Puts sources together.
   *
   * @param scales one a level, each with one sigma, in any order; closed with this
   * @throws IllegalArgumentException if there is none, one has several sigmas or noise that is not Gaussian, two have
   *     the same, or they differ in classes or shape
   */
  public CascadeVotes(List<? extends VoteSource> scales) {
    List<VoteSource> ascending = new ArrayList<>(scales);
    boolean fit = !ascending.isEmpty();
    for (VoteSource scale : ascending) {
      fit &= scale.sigmas().size() == 1 && scale.law() == NoiseLaw.GAUSSIAN
          && scale.classes() == ascending.get(0).classes() && scale.shape().equals(ascending.get(0).shape());
    }
    ascending.sort(Comparator.comparing(scale -> scale.sigmas().get(0)));
    for (int s = 1; s < ascending.size(); s++) {
      fit &= !ascending.get(s).sigmas().equals(ascending.get(s - 1).sigmas());
    }
    if (!fit) {
      throw new IllegalArgumentException("the scales of a cascade have one sigma each, all different, Gaussian noise, "
          + "and the same classes and shape");
    }
    this.scales = List.copyOf(ascending);
  }

  /**
   * How many stages there are.
   *
   * @return at least 1
   */
  public int stages() {
    return scales.size();
  }

  /**
   * The votes of a stage.
   *
   * @param stage 0 for the largest sigma
   * @return its source
   */
  public VoteSource stage(int stage) {
    return scales.get(scales.size() - 1 - stage);
  }

  /**
   * The level of a stage.
   *
   * @param stage 0 for the largest sigma
   * @return its sigma
   */
  public Sigma sigma(int stage) {
    return stage(stage).sigmas().get(0);
  }

  @Override
  public int classes() {
    return scales.get(0).classes();
  }

  @Override
  public ImageShape shape() {
    return scales.get(0).shape();
  }

  @Override
  public List<Sigma> sigmas() {
    return scales.stream().map(scale -> scale.sigmas().get(0)).toList();
  }

  /** What all scales have in common, and under {@code scales}, by ascending sigma, what each has of its own. */
  @Override
  public Map<String, Object> identity() {
    List<Map<String, Object>> each = new ArrayList<>();
    scales.forEach(scale -> each.add(new LinkedHashMap<>(scale.identity())));
    Map<String, Object> common = new LinkedHashMap<>(each.get(0));
    common.entrySet().removeIf(entry ->
        each.stream().anyMatch(other -> !Objects.equals(other.get(entry.getKey()), entry.getValue())));
    each.forEach(own -> own.keySet().removeAll(common.keySet()));
    common.put("scales", each);
    return common;
  }

  @Override
  public long callsPerSample() {
    return scales.stream().mapToLong(VoteSource::callsPerSample).sum();
  }

  @Override
  public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes) {
    votes(image, imageId, phase, from, to, votes, new long[to - from]);
  }

  @Override
  public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes, long[] calls) {
    Arrays.fill(calls, 0, to - from, 0);
    long[] each = new long[to - from];
    for (int s = 0; s < votes.length; s++) {
      scales.get(s).votes(image, imageId, phase, from, to, new int[][] {votes[s]}, each);
      for (int j = 0; j < each.length; j++) {
        calls[j] += each[j];
      }
    }
  }

  @Override
  public Map<String, Long> stageNanos() {
    Map<String, Long> sum = new LinkedHashMap<>();
    scales.forEach(scale -> scale.stageNanos().forEach((name, nanos) -> sum.merge(name, nanos, Long::sum)));
    return sum;
  }

  @Override
  public void close() {
    Closing.all(scales);
  }
}
