package org.diffcert.train;

import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Philox;

/**
 * Which image comes when: each pass over the images in an order of its own, a pure function of the seed and the pass
 * (docs/spec/training.md). Not for several threads.
 */
final class ImageOrder {
  private static final int SHUFFLE = 3;

  private final long seed;
  private final int[] order;
  private long pass = -1;

  /** images: how many there are, at least 1. */
  ImageOrder(long seed, int images) {
    this.seed = seed;
    this.order = new int[images];
  }

  /** The position, from 0 on, of the image that is shown as number k of the training, from 0 on. */
  int position(long k) {
    if (k / order.length != pass) {
      pass = k / order.length;
      shuffle();
    }
    return order[(int) (k % order.length)];
  }

  /** Fisher and Yates's shuffle; the draw for place i is its element i of the pass. */
  private void shuffle() {
    int[] block = new int[4];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
    for (int i = order.length - 1; i > 0; i--) {
      Philox.block(i, (int) (pass >>> 32), (int) pass, (NoiseStream.TRAINING.code() << 8) + (SHUFFLE << 16), seed,
          block);
      long uniform = (block[0] & 0xffffffffL) | ((long) block[1] << 32);
      int j = (int) ((uniform >>> 11) * 0x1p-53 * (i + 1));
      int image = order[i];
      order[i] = order[j];
      order[j] = image;
    }
  }
}
