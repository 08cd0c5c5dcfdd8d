package org.diffcert.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The published known answers, and the counter layout of docs/spec/noise.md. */
class PhiloxTest {
  private static String block(int c0, int c1, int c2, int c3, int k0, int k1) {
    int[] out = new int[4];
    Philox.block(c0, c1, c2, c3, (k0 & 0xffffffffL) | ((long) k1 << 32), out);
    return String.format("%08x %08x %08x %08x", out[0], out[1], out[2], out[3]);
  }

  @Test
  void knownAnswers() {
    assertEquals("6627e8d5 e169c58d bc57ac4c 9b00dbd8", block(0, 0, 0, 0, 0, 0));
    assertEquals("408f276d 41c83b0e a20bc7c6 6d5451fd", block(-1, -1, -1, -1, -1, -1));
    assertEquals("d16cfe09 94fdcceb 5001e420 24126ea1",
        block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0));
  }

  @Test
  void uniformsAreWordsOfTheCountersBlocks() {
    long seed = 0x299f31d0a4093822L;
    long[] u = new NoiseKey(seed, 7, Phase.ESTIMATE, 11).uniforms(NoiseStream.LEVEL, 5, 5);
    int[] w = new int[4];
    for (int e = 0; e < 5; e++) {
      Philox.block(e / 2, 11, 7, 2 + (1 << 8) + (5 << 16), seed, w);
      int first = e % 2 == 0 ? 0 : 2;
      assertEquals((w[first] & 0xffffffffL) | ((long) w[first + 1] << 32), u[e]);
    }
    long[] shorter = new NoiseKey(seed, 7, Phase.ESTIMATE, 11).uniforms(NoiseStream.LEVEL, 5, 3);
    assertArrayEquals(new long[] {u[0], u[1], u[2]}, shorter);
  }

  @Test
  void countersNeverCollide() {
    Set<Integer> words = new HashSet<>();
    int made = 0;
    for (Phase phase : Phase.values()) {
      NoiseKey key = new NoiseKey(1, 0, phase, 0);
      for (NoiseStream stream : NoiseStream.values()) {
        for (int index : new int[] {0, 1, 2, 255, 256, 257, 4095, 32767, 32768, NoiseKey.MAX_INDEX}) {
          words.add(key.word3(stream, index));
          made++;
        }
      }
    }
    assertEquals(made, words.size(), "two of phase, stream and index share a fourth counter word");
    // The other three words are the keys themselves, so distinct keys have distinct counters; the cipher is a bijection
    // of them, and so a 128-bit block never comes twice under one seed.
    Set<Long> seen = new HashSet<>();
    int draws = 0;
    for (int image = 0; image < 5; image++) {
      for (int sample = 0; sample < 20; sample++) {
        for (Phase phase : Phase.values()) {
          for (NoiseStream stream : NoiseStream.values()) {
            for (int index = 0; index < 3; index++) {
              for (long u : new NoiseKey(42, image, phase, sample).uniforms(stream, index, 16)) {
                seen.add(u);
                draws++;
              }
            }
          }
        }
      }
    }
    assertEquals(draws, seen.size(), "a 64-bit uniform came twice among " + draws);
    NoiseKey key = new NoiseKey(1, 0, Phase.SELECT, 0);
    assertThrows(IllegalArgumentException.class, () -> key.word3(NoiseStream.LEVEL, 65536));
    assertTrue(draws > 40000);
  }
}
