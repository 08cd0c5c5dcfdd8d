package org.diffcert.noise;

/**
 * Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011), the keyed generator behind every random number of this library: a
 * bijection of a 128-bit counter under a 64-bit key. Stateless and thread-safe. Vectors are in docs/spec/noise.md.
 */
public final class Philox {
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final int ROUNDS = 10;
  private static final long LOW = 0xffffffffL;

  private Philox() {}

  /**
   * One block of four 32-bit words.
   *
   * @param c0 first counter word
   * @param c1 second counter word
   * @param c2 third counter word
   * @param c3 fourth counter word
   * @param key the key; its low half is the first key word
   * @param out receives the four words, at least 4 long
   */
  public static void block(int c0, int c1, int c2, int c3, long key, int[] out) {
    int x0 = c0;
    int x1 = c1;
    int x2 = c2;
    int x3 = c3;
    int k0 = (int) key;
    int k1 = (int) (key >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = MULTIPLIER_0 * (x0 & LOW);
      long p1 = MULTIPLIER_1 * (x2 & LOW);
      x0 = (int) (p1 >>> 32) ^ x1 ^ k0;
      x1 = (int) p1;
      x2 = (int) (p0 >>> 32) ^ x3 ^ k1;
      x3 = (int) p0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
  }
}
