package org.diffcert.denoise;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.certify.Jobs;
import org.diffcert.certify.NoisyInputs;
import org.diffcert.certify.VoteSource;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.IntegerNoise;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;

/**
 * Votes of a classifier behind a diffusion model that removes the smoothing noise: diffusion denoised smoothing
 * (Carlini et al. 2023) and DensePure (Xiao et al. 2022). Image plus integer noise of exactly sigma is all that the
 * denoiser sees of the image. The noise of reverse steps is fresh for each sample, run and step, and is a part of the
 * base classifier's own randomness (S13 b); a vote is a pure function of {@link #identity()} and its keys. The tensors
 * between the stages stay rows of one array a chunk. Safe for use by several threads if denoiser and classifier are.
 */
public final class DenoisedVotes implements VoteSource {
  /** Images that are carried through the stages at a time, at most. */
  private static final int CHUNK = 256;
  /** Values that they have together at most, unless one sample's runs have more: 64 MiB an array. */
  private static final long MOST_VALUES = 1 << 24;
  /** The index of reverse noise is run * 256 + step. */
  private static final int RUN = 256;

  private final Denoiser denoiser;
  private final RealClassifier classifier;
  private final Purification how;
  private final List<Sigma> sigmas;
  private final List<double[]> levels;
  private final long seed;
  private final int threads;
  private final StageTimes times = new StageTimes();

  /**
   * Votes under Gaussian noise of one or several levels.
   *
   * @param denoiser what removes the noise; closed with this
   * @param classifier what sees the result; closed with this
   * @param how in how many runs and steps
   * @param sigmas the smoothing levels, ascending, at least one
   * @param seed key of all noise; fresh random bits unless a run is being repeated (S10)
   * @param threads how many threads draw noise and ask the classifier at a time, at least 1; no vote depends on it
   * @throws DiffcertException of kind BAD_INPUT if denoiser and classifier take images of different shapes; of kind
   *     USAGE if a sigma is beyond the denoiser's noise, or it does not go with the sampler
   * @throws IllegalArgumentException if the sigmas do not ascend or there is none, or if there is no thread
   */
  public DenoisedVotes(Denoiser denoiser, RealClassifier classifier, Purification how, List<Sigma> sigmas, long seed,
      int threads) {
    if (threads < 1 || sigmas.isEmpty()) {
      throw new IllegalArgumentException(threads + " threads, " + sigmas.size() + " sigmas");
    }
    for (int s = 1; s < sigmas.size(); s++) {
      if (sigmas.get(s - 1).compareTo(sigmas.get(s)) >= 0) {
        throw new IllegalArgumentException("the sigmas " + sigmas + " do not ascend");
      }
    }
    if (!denoiser.shape().equals(classifier.shape())) {
      throw DiffcertException.badInput("the denoiser takes images of " + denoiser.shape() + ", the classifier of "
          + classifier.shape());
    }
    if (how.sampler() == Sampler.EDM && !denoiser.takesAnyLevel()) {
      throw DiffcertException.usage("--sampler edm needs a network that takes any noise level; matched by timesteps, "
          + "this one does not");
    }
    this.denoiser = denoiser;
    this.classifier = classifier;
    this.how = how;
    this.sigmas = List.copyOf(sigmas);
    this.levels = sigmas.stream().map(sigma -> ReverseChain.levels(denoiser, sigma, how)).toList();
    this.seed = seed;
    this.threads = threads;
  }

  @Override
  public int classes() {
    return classifier.classes();
  }

  @Override
  public ImageShape shape() {
    return denoiser.shape();
  }

  @Override
  public List<Sigma> sigmas() {
    return sigmas;
  }

  @Override
  public Map<String, Object> identity() {
    Map<String, Object> own = how.identity();
    own.put("denoiser", denoiser.identity());
    List<Object> all = new ArrayList<>();
    levels.forEach(list -> all.add(Arrays.stream(list).boxed().toList()));
    own.put("levels", all);
    own.put("classifier", classifier.identity());
    Map<String, Object> identity = new LinkedHashMap<>();
    identity.put("classifier", own);
    identity.put("noise", "integer");
    identity.put("seed", Long.toUnsignedString(seed));
    return identity;
  }

  /** The denoiser's calls; those of the classifier behind it, one a run, are not in the count. */
  @Override
  public long callsPerSample() {
    return sigmas.size() * how.calls();
  }

  @Override
  public Map<String, Long> stageNanos() {
    return times.nanos();
  }

  @Override
  public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes) {
    for (int s = 0; s < sigmas.size(); s++) {
      int[][] labels = labels(image, imageId, phase, s, from, to, 0, how.votes());
      for (int j = 0; j < labels.length; j++) {
        votes[s][j] = how.ties().majority(labels[j], classes());
      }
    }
  }

  /**
   * The classes of single runs, before they are put to the vote: what shards of a run of many votes merge.
   *
   * @param image the image
   * @param imageId its index in the data set
   * @param phase what the samples are for
   * @param sigma which of the sigmas
   * @param from first sample
   * @param to one past the last
   * @param firstRun first run, 0 or more
   * @param lastRun one past the last, at most 256
   * @return {@code [sample][run]}, a class or {@link #NO_VOTE}; every run of an ambiguous sample is without a vote
   */
  public int[][] labels(ByteImage image, int imageId, Phase phase, int sigma, int from, int to, int firstRun,
      int lastRun) {
    if (firstRun < 0 || lastRun > RUN || firstRun >= lastRun) {
      throw new IllegalArgumentException("runs " + firstRun + " to " + lastRun);
    }
    int runs = lastRun - firstRun;
    int samples = samplesAtOnce(runs, shape().elements());
    int[][] labels = new int[to - from][];
    for (int start = from; start < to; start += samples) {
      int end = Math.min(to, start + samples);
      NoiseKey[] keys = new NoiseKey[end - start];
      for (int j = 0; j < keys.length; j++) {
        keys[j] = new NoiseKey(seed, imageId, phase, start + j);
      }
      int[][] chunk = chunk(image, keys, sigma, firstRun, runs);
      System.arraycopy(chunk, 0, labels, start - from, chunk.length);
    }
    return labels;
  }

  /** How many samples of so many runs, each an image of so many values, are carried through the stages at a time. */
  static int samplesAtOnce(int runs, int elements) {
    return (int) Math.max(1, Math.min(CHUNK / runs, MOST_VALUES / ((long) runs * elements)));
  }

  /** The same of a few samples, stage by stage. */
  private int[][] chunk(ByteImage image, NoiseKey[] keys, int sigma, int firstRun, int runs) {
    int elements = shape().elements();
    float[] noisy = new float[Math.multiplyExact(keys.length, elements)];
    boolean[] certain = times.timed("noise", () -> noisy(image, keys, sigmas.get(sigma), noisy));
    ReverseChain chain = new ReverseChain(denoiser, how, levels.get(sigma), threads, times);
    float[] images = chain.images(noisy, runs, (sample, run, step) ->
        keys[sample].normals(NoiseStream.REVERSE, (firstRun + run) * RUN + step, elements));
    int[] classes = times.timed("classifier", () -> classify(images, keys.length * runs));
    int[][] labels = new int[keys.length][];
    for (int j = 0; j < keys.length; j++) {
      labels[j] = Arrays.copyOfRange(classes, j * runs, (j + 1) * runs);
      if (!certain[j]) {
        Arrays.fill(labels[j], NO_VOTE);
      }
    }
    return labels;
  }

  /** Image plus integer noise as the network reads it; which samples had no ambiguous draw. */
  private boolean[] noisy(ByteImage image, NoiseKey[] keys, Sigma sigma, float[] noisy) {
    boolean[] certain = new boolean[keys.length];
    int elements = image.shape().elements();
    Jobs.run(threads, keys.length, j -> {
      NoiseKey key = keys[j];
      NoisyInputs inputs = NoisyInputs.of(NoiseLaw.GAUSSIAN, sigma, key.seed(), image, key.imageId(), key.phase(),
          key.sample(), key.sample() + 1);
      certain[j] = inputs.certain()[0];
      for (int e = 0; e < elements; e++) {
        noisy[j * elements + e] = (float) IntegerNoise.edmValue(inputs.sums()[0][e]);
      }
    });
    return certain;
  }

  private int[] classify(float[] images, int rows) {
    int[] classes = new int[rows];
    int batch = classifier.batch();
    Jobs.run(threads, (rows + batch - 1) / batch, job -> {
      int from = job * batch;
      int to = Math.min(rows, from + batch);
      classifier.classifyReal(images, from, to, classes);
      for (int row = from; row < to; row++) {
        if (!finite(images, row)) {
          classes[row] = NO_VOTE;
        }
      }
    });
    return classes;
  }

  /** A network may well make a class of a NaN. */
  private boolean finite(float[] images, int row) {
    int elements = shape().elements();
    boolean finite = true;
    for (int e = row * elements; e < (row + 1) * elements; e++) {
      finite &= Float.isFinite(images[e]);
    }
    return finite;
  }

  @Override
  public void close() {
    try {
      classifier.close();
    } finally {
      denoiser.close();
    }
  }
}
