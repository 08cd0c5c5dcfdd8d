package org.diffcert.noise;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Noise rounded to the grid of 8-bit values, drawn as integers from integers by a table of thresholds (S3 to S7): for
 * a law of standard deviation 1, such as that of a normal Z, and a sigma of s in [0,1] pixel units, the noise m is the
 * integer nearest to 255 s Z, in 1/255 units. Image plus noise is then exactly the rounding of image plus real noise,
 * so a certificate about the one is a certificate about the other.
 *
 * <p>The table holds floor(2^64 F((2j+1) / (510 s))), F the distribution function of Z, the boundary between noise j
 * and j + 1; a uniform equal to an entry lies in a cell that the real boundary cuts: the draw is ambiguous and its
 * sample counts for no class (S5). The table spans what can matter: the sum image + noise is clipped to [{@link
 * #clipLow}, {@link #clipHigh}] = [-255 k, 255 (k + 1)] with k = max(1, floor(6 s)) (S6), so noise beyond 255 (k + 1)
 * either way lands on the clip whatever the image is. Immutable, thread-safe. docs/spec/noise.md is the contract with
 * C++.
 */
public final class IntegerNoise {
  /** What {@link #of(long)} answers for an ambiguous draw. */
  public static final int AMBIGUOUS = Integer.MIN_VALUE;

  private static final int CACHED = 16;
  /** Bits of a uniform that choose a bin of the table's guide. */
  private static final int BIN_BITS = 12;
  private static final int SHIFT = Long.SIZE - BIN_BITS;
  private static final Map<Table, IntegerNoise> CACHE =
      new LinkedHashMap<>(CACHED, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Table, IntegerNoise> eldest) {
          return size() > CACHED;
        }
      };

  /** What a table belongs to. */
  private record Table(NoiseLaw law, Sigma sigma) {}

  private final NoiseLaw law;
  private final Sigma sigma;
  private final long[] thresholds;
  /** For each bin how many thresholds are below its first uniform; then how many there are. */
  private final int[] start = new int[(1 << BIN_BITS) + 1];
  private final int k;

  private IntegerNoise(NoiseLaw law, Sigma sigma) {
    this.law = law;
    this.sigma = sigma;
    this.k = clip(sigma);
    this.thresholds = Thresholds.of(law, sigma, 255 * (k + 1));
    for (int bin = 0; bin < 1 << BIN_BITS; bin++) {
      start[bin] = below((long) bin << SHIFT, 0, thresholds.length);
    }
    start[1 << BIN_BITS] = thresholds.length;
  }

  /**
   * The Gaussian noise of a smoothing level. Tables of the last few levels are kept.
   *
   * @param sigma the level
   * @return its noise
   */
  public static IntegerNoise of(Sigma sigma) {
    return of(NoiseLaw.GAUSSIAN, sigma);
  }

  /**
   * The noise of a law at a smoothing level. Tables of the last few levels are kept.
   *
   * @param law the law
   * @param sigma its standard deviation
   * @return its noise
   */
  public static IntegerNoise of(NoiseLaw law, Sigma sigma) {
    synchronized (CACHE) {
      return CACHE.computeIfAbsent(new Table(law, sigma), table -> new IntegerNoise(law, sigma));
    }
  }

  /** The clip k = max(1, floor(6 sigma)) of S6, in units of the pixel range. */
  static int clip(Sigma sigma) {
    return Math.max(1, (int) Math.floor(6 * sigma.unit()));
  }

  /**
   * The law.
   *
   * @return what is rounded to the grid
   */
  public NoiseLaw law() {
    return law;
  }

  /**
   * The smoothing level.
   *
   * @return sigma
   */
  public Sigma sigma() {
    return sigma;
  }

  /**
   * The table, ascending as unsigned numbers (with repetitions far out in the tails).
   *
   * @return a copy, 510 (k + 1) entries
   */
  public long[] thresholds() {
    return thresholds.clone();
  }

  /**
   * The noise below the first threshold, which is also the least.
   *
   * @return -255 (k + 1)
   */
  public int origin() {
    return -thresholds.length / 2;
  }

  /**
   * The lower clip of the sum image + noise, in 1/255 units.
   *
   * @return -255 k
   */
  public int clipLow() {
    return -255 * k;
  }

  /**
   * The upper clip of the sum image + noise, in 1/255 units.
   *
   * @return 255 (k + 1)
   */
  public int clipHigh() {
    return 255 * (k + 1);
  }

  /**
   * The noise of one uniform.
   *
   * @param u the uniform, read as unsigned
   * @return the noise in 1/255 units, before the clip, or {@link #AMBIGUOUS}
   */
  public int of(long u) {
    int below = below(u);
    return below < thresholds.length && thresholds[below] == u ? AMBIGUOUS : origin() + below;
  }

  /**
   * The noise of elements [0, count) of one sample, before the clip.
   *
   * @param key the sample
   * @param count how many
   * @param noise receives the noise; an ambiguous element gets the lower of its two values
   * @return whether no draw was ambiguous; if false, the sample counts for no class
   */
  public boolean draw(NoiseKey key, int count, int[] noise) {
    long[] uniforms = key.uniforms(NoiseStream.SMOOTHING, 0, count);
    boolean certain = true;
    for (int e = 0; e < count; e++) {
      int below = below(uniforms[e]);
      certain &= below == thresholds.length || thresholds[below] != uniforms[e];
      noise[e] = origin() + below;
    }
    return certain;
  }

  /**
   * The one value that a sum of image and noise has for a network, in EDM space: a function of the sum alone (S7), the
   * quotient of two exact integers, rounded once. A network in float32 reads this number rounded to float32.
   *
   * @param sum image + noise after the clip, in 1/255 units
   * @return (2 sum - 255) / 255
   */
  public static double edmValue(int sum) {
    return (2 * sum - 255) / 255.0;
  }

  /**
   * How many thresholds are below u. The top bits say between which two entries the answer lies; most bins hold one
   * threshold or none, the tails' hold many.
   */
  private int below(long u) {
    int bin = (int) (u >>> SHIFT);
    return below(u, start[bin], start[bin + 1]);
  }

  /** The same where the answer is in [from, to]. */
  private int below(long u, int from, int to) {
    int low = from;
    int high = to;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(thresholds[middle], u) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
