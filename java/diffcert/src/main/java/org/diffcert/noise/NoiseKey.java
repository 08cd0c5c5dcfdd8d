package org.diffcert.noise;

/**
 * The keys of the noise of one sample, and the numbers that they determine (docs/spec/noise.md). The class is not among
 * them: noise is shared by the classes. Immutable, thread-safe.
 *
 * @param seed the key of the generator
 * @param imageId the image's index in its data set, 0 or more
 * @param phase what the sample is for
 * @param sample the sample's number within the phase, read as unsigned
 */
public record NoiseKey(long seed, int imageId, Phase phase, int sample) {
  /** Largest index of a stream. */
  public static final int MAX_INDEX = 0xffff;

  /**
   * The 64-bit uniforms of elements [0, count), in C,H,W order.
   *
   * @param stream which stream
   * @param index its index, 0 to {@link #MAX_INDEX}
   * @param count how many, 0 or more
   * @return the uniforms, each to be read as unsigned
   */
  public long[] uniforms(NoiseStream stream, int index, int count) {
    long[] out = new long[count];
    int c3 = word3(stream, index);
    int[] block = new int[4];
    for (int e = 0; e < count; e += 2) {
      Philox.block(e >>> 1, sample, imageId, c3, seed, block);
      out[e] = join(block[0], block[1]);
      if (e + 1 < count) {
        out[e + 1] = join(block[2], block[3]);
      }
    }
    return out;
  }

  /**
   * The standard normals of elements [0, count): {@link InverseNormal} of the uniforms.
   *
   * @param stream which stream
   * @param index its index, 0 to {@link #MAX_INDEX}
   * @param count how many, 0 or more
   * @return the normals
   */
  public double[] normals(NoiseStream stream, int index, int count) {
    long[] uniforms = uniforms(stream, index, count);
    double[] out = new double[count];
    for (int e = 0; e < count; e++) {
      out[e] = InverseNormal.of(uniforms[e]);
    }
    return out;
  }

  /** The fourth counter word: phase, stream and index side by side. */
  int word3(NoiseStream stream, int index) {
    if (index < 0 || index > MAX_INDEX) {
      throw new IllegalArgumentException("a noise stream has no index " + index + ", it must be 0 to " + MAX_INDEX);
    }
    return phase.code() + (stream.code() << 8) + (index << 16);
  }

  private static long join(int low, int high) {
    return (low & 0xffffffffL) | ((long) high << 32);
  }
}
