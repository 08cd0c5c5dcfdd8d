package org.diffcert.certify;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;

/**
 * Votes of a {@link BaseClassifier} under integer noise: image plus noise is an integer sum, clipped, and that sum is
 * all that the classifier sees (S3 to S8). All sigmas read the same uniforms. Several threads may cast the votes, which
 * changes none. As thread-safe as its classifier.
 */
public final class NoisyVotes implements VoteSource {
  private final BaseClassifier classifier;
  private final NoiseLaw law;
  private final List<Sigma> sigmas;
  private final long seed;
  private final int threads;

  /**
   * Votes of a classifier under Gaussian noise of one or several levels.
   *
   * @param classifier the classifier; closed with this
   * @param sigmas the levels, ascending, at least one
   * @param seed key of the noise; fresh random bits unless a run is being repeated (S10)
   * @throws IllegalArgumentException if the sigmas do not ascend or there is none
   */
  public NoisyVotes(BaseClassifier classifier, List<Sigma> sigmas, long seed) {
    this(classifier, NoiseLaw.GAUSSIAN, sigmas, seed);
  }

  /**
   * Votes of a classifier under noise of any law; {@link NormCertifier} certifies them.
   *
   * @param classifier the classifier; closed with this
   * @param law the law of the noise
   * @param sigmas its standard deviations, ascending, at least one
   * @param seed key of the noise; fresh random bits unless a run is being repeated (S10)
   * @throws IllegalArgumentException if the sigmas do not ascend or there is none
   */
  public NoisyVotes(BaseClassifier classifier, NoiseLaw law, List<Sigma> sigmas, long seed) {
    this(classifier, law, sigmas, seed, 1);
  }

  /**
   * Votes of a classifier under noise of any law, cast by several threads.
   *
   * @param classifier the classifier, safe for use by several threads if there are several; closed with this
   * @param law the law of the noise
   * @param sigmas its standard deviations, ascending, at least one
   * @param seed key of the noise; fresh random bits unless a run is being repeated (S10)
   * @param threads how many threads draw noise and ask the classifier at a time, at least 1
   * @throws IllegalArgumentException if the sigmas do not ascend or there is none, or if there is no thread
   */
  public NoisyVotes(BaseClassifier classifier, NoiseLaw law, List<Sigma> sigmas, long seed, int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException(threads + " threads");
    }
    for (int s = 1; s < sigmas.size(); s++) {
      if (sigmas.get(s - 1).compareTo(sigmas.get(s)) >= 0) {
        throw new IllegalArgumentException("the sigmas " + sigmas + " do not ascend");
      }
    }
    if (sigmas.isEmpty()) {
      throw new IllegalArgumentException("no sigma");
    }
    this.classifier = classifier;
    this.law = law;
    this.sigmas = List.copyOf(sigmas);
    this.seed = seed;
    this.threads = threads;
  }

  @Override
  public int classes() {
    return classifier.classes();
  }

  @Override
  public ImageShape shape() {
    return classifier.shape();
  }

  @Override
  public List<Sigma> sigmas() {
    return sigmas;
  }

  @Override
  public NoiseLaw law() {
    return law;
  }

  @Override
  public Map<String, Object> identity() {
    Map<String, Object> identity = new LinkedHashMap<>();
    identity.put("classifier", classifier.identity());
    identity.put("noise", law == NoiseLaw.GAUSSIAN ? "integer" : "integer " + law.cliName());
    identity.put("seed", Long.toUnsignedString(seed));
    return identity;
  }

  @Override
  public long callsPerSample() {
    return sigmas.size();
  }

  @Override
  public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes) {
    int batches = (to - from + NoisyInputs.BATCH - 1) / NoisyInputs.BATCH;
    Jobs.run(threads, batches * sigmas.size(), job -> {
      int s = job / batches;
      int start = from + job % batches * NoisyInputs.BATCH;
      int end = Math.min(to, start + NoisyInputs.BATCH);
      NoisyInputs inputs = NoisyInputs.of(law, sigmas.get(s), seed, image, imageId, phase, start, end);
      int[] classes = new int[end - start];
      Arrays.fill(classes, NO_VOTE);
      classifier.classify(inputs.sums(), classes);
      for (int j = 0; j < classes.length; j++) {
        votes[s][start - from + j] = inputs.certain()[j] ? classes[j] : NO_VOTE;
      }
    });
  }

  @Override
  public void close() {
    classifier.close();
  }
}
