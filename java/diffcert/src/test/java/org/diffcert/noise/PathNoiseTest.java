package org.diffcert.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The law of path noise at each sigma and between sigmas, and the draws that it gives up. */
class PathNoiseTest {
  private static final List<Sigma> SIGMAS = List.of(new Sigma(0.25), new Sigma(0.5), new Sigma(1));

  @Test
  void theLawAtEachSigmaAndTheCovarianceOfAPath() {
    int count = 300_000;
    int[][] noise = new int[3][count];
    assertTrue(new PathNoise(SIGMAS).draw(new NoiseKey(99, 4, Phase.ESTIMATE, 1), count, noise));
    for (int k = 0; k < 3; k++) {
      IntegerNoiseTest.checkLaw("path noise, sigma " + SIGMAS.get(k), SIGMAS.get(k).unit(), noise[k]);
    }
    for (int k = 1; k < 3; k++) {
      // Cov(B_(k-1), B_k) = Var(B_(k-1)); the increment does not depend on the past.
      double sum = 0;
      double before = SIGMAS.get(k - 1).bytes();
      double increment = Math.sqrt(SIGMAS.get(k).bytes() * SIGMAS.get(k).bytes() - before * before);
      for (int e = 0; e < count; e++) {
        sum += (double) noise[k - 1][e] * (noise[k][e] - noise[k - 1][e]);
      }
      assertTrue(Math.abs(sum / count) < 4 * before * increment / Math.sqrt(count), "covariance of increment " + k);
    }
  }

  @Test
  void oneSigmaIsTheRoundingOfItsNormals() {
    NoiseKey key = new NoiseKey(1, 2, Phase.SELECT, 3);
    int[][] noise = new int[1][5000];
    assertTrue(new PathNoise(List.of(new Sigma(0.5))).draw(key, 5000, noise));
    double[] normals = key.normals(NoiseStream.PATH, 0, 5000);
    for (int e = 0; e < 5000; e++) {
      assertEquals(Math.round(127.5 * normals[e]), noise[0][e]);
    }
  }

  @Test
  void addingALargerSigmaDoesNotChangeTheSmallerOnes() {
    NoiseKey key = new NoiseKey(1, 2, Phase.SELECT, 3);
    int[][] two = new int[2][500];
    int[][] three = new int[3][500];
    new PathNoise(SIGMAS.subList(0, 2)).draw(key, 500, two);
    new PathNoise(SIGMAS).draw(key, 500, three);
    assertArrayEquals(two[0], three[0]);
    assertArrayEquals(two[1], three[1]);
  }

  /** One step at sigma 0.5 (127.5 in 8-bit units) from that position by that normal. */
  private static boolean certain(double position, double normal, double error) {
    return new PathNoise(List.of(new Sigma(0.5))).step(0, new double[] {normal}, new double[] {position},
        new double[] {error}, new int[1]);
  }

  @Test
  void ambiguousNearHalfIntegersAndInTheFarTail() {
    assertTrue(certain(0, 0, 0));
    assertTrue(certain(0.25, 4.9, 0), "position 625.0");
    assertFalse(certain(0.5, 0, 0), "a half-integer");
    assertFalse(certain(0.5 - 1e-11, 0, 0), "within the window, below");
    assertFalse(certain(-0.5 + 1e-11, 0, 0), "within the window, above");
    assertTrue(certain(0.5 - 1e-10, 0, 0), "outside the window");
    assertFalse(certain(0.5 - 1e-10, 0, 1e-9), "an error carried from the steps before widens the window");
    assertFalse(certain(0, 5.5, 0.25), "5.5 * 127.5 = 701.25, and a quarter is carried");
    assertTrue(certain(0, 5.5, 0.25 - 1e-8));
    assertFalse(certain(0, 5.5, 0.25 - 1e-10), "beyond 5 the cell is wider");
    assertTrue(certain(-892.5, 7.0, 0));
    assertFalse(certain(0, 7.0001, 0), "beyond 7 nothing is proven");
    assertFalse(certain(0, -9, 0));
  }

  @Test
  void refusesWhatTheProofDoesNotCover() {
    assertThrows(IllegalArgumentException.class, () -> new PathNoise(List.of()));
    assertThrows(IllegalArgumentException.class, () -> new PathNoise(List.of(new Sigma(0.5), new Sigma(0.25))));
    assertThrows(IllegalArgumentException.class, () -> new PathNoise(Collections.nCopies(2, new Sigma(0.5))));
    assertThrows(IllegalArgumentException.class, () -> new PathNoise(List.of(new Sigma(2.01))));
    List<Sigma> many = IntStream.rangeClosed(1, 17).mapToObj(i -> new Sigma(i / 10.0)).toList();
    assertThrows(IllegalArgumentException.class, () -> new PathNoise(many));
    assertTrue(new PathNoise(many.subList(0, 16)).draw(new NoiseKey(1, 0, Phase.SELECT, 0), 100, new int[16][100]));
  }
}
