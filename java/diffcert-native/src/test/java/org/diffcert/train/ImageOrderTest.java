package org.diffcert.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The order of images in training: permutations, each pass and seed its own, uniform, and frozen. */
class ImageOrderTest {
  private static int[] pass(long seed, int images, long pass) {
    ImageOrder order = new ImageOrder(seed, images);
    return IntStream.range(0, images).map(i -> order.position(pass * images + i)).toArray();
  }

  @Test
  void eachPassIsAPermutationOfItsOwn() {
    int[] first = pass(5, 1000, 0);
    int[] sorted = first.clone();
    Arrays.sort(sorted);
    assertArrayEquals(IntStream.range(0, 1000).toArray(), sorted);
    assertFalse(Arrays.equals(first, pass(5, 1000, 1)));
    assertFalse(Arrays.equals(first, pass(6, 1000, 0)));
    assertFalse(Arrays.equals(pass(5, 1000, 7), pass(5, 1000, 7 + (1L << 32))));
  }

  @Test
  void anImageIsFoundFromAnywhere() {
    ImageOrder order = new ImageOrder(5, 100);
    int later = order.position(250);
    order.position(10);
    assertEquals(later, order.position(250));
    assertEquals(later, pass(5, 100, 2)[50]);
    assertEquals(0, new ImageOrder(5, 1).position(123456789));
  }

  /** All 24 orders of 4 images come about equally often: a chi-square of 23 degrees, beyond 60 once in 30,000. */
  @Test
  void ordersAreUniform() {
    int passes = 24_000;
    int[] counts = new int[256];
    ImageOrder order = new ImageOrder(1, 4);
    for (long k = 0; k < 4L * passes; k += 4) {
      int code = 0;
      for (int i = 0; i < 4; i++) {
        code = 4 * code + order.position(k + i);
      }
      counts[code]++;
    }
    double square = Arrays.stream(counts).filter(c -> c > 0).mapToDouble(c -> (c - 1000.0) * (c - 1000) / 1000).sum();
    assertEquals(24, Arrays.stream(counts).filter(c -> c > 0).count());
    assertTrue(square < 60, "chi-square " + square);
  }
}
