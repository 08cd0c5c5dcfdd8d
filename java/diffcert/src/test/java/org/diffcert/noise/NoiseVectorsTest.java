package org.diffcert.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A million values each of integer noise, normals and path noise have the digests written in docs/spec/noise.md;
 * tests/native/test_noise.cpp checks the same digests, so the two languages agree to the bit.
 */
class NoiseVectorsTest {
  private static final int MILLION = 1_000_000;
  private static final NoiseKey KEY = new NoiseKey(0x0123456789abcdefL, 3, Phase.ESTIMATE, 17);

  static Path repositoryRoot() {
    Path directory = Path.of("").toAbsolutePath();
    while (!Files.exists(directory.resolve("docs/spec/noise.md"))) {
      directory = directory.getParent();
    }
    return directory;
  }

  private static void check(String what, String digest) throws IOException {
    String page = Files.readString(repositoryRoot().resolve("docs/spec/noise.md"));
    String row = "| " + what + " | `" + digest + "` |";
    assertTrue(page.contains(row), "docs/spec/noise.md has no row " + row);
  }

  @Test
  void thresholdTable() throws IOException {
    long[] table = IntegerNoise.of(new Sigma(0.25)).thresholds();
    List<String> lines = Files.readAllLines(repositoryRoot().resolve("tests/native/vectors/thresholds-sigma-0.25.txt"));
    assertEquals(table.length, lines.size());
    for (int i = 0; i < table.length; i++) {
      assertEquals(lines.get(i), String.format("%016x", table[i]), "threshold " + i);
    }
  }

  @Test
  void integerNoise() throws IOException {
    int[] noise = new int[MILLION];
    assertTrue(IntegerNoise.of(new Sigma(0.25)).draw(KEY, MILLION, noise));
    Fnv digest = new Fnv();
    for (int m : noise) {
      digest.add(m, 4);
    }
    check("integer noise, sigma 0.25", digest.hex());
  }

  @Test
  void normals() throws IOException {
    Fnv digest = new Fnv();
    for (double z : KEY.normals(NoiseStream.LEVEL, 5, MILLION)) {
      digest.add(Double.doubleToRawLongBits(z), 8);
    }
    check("normals, stream 1, index 5", digest.hex());
  }

  /** Java's alone, as reverse chains are. */
  @Test
  void normalsOfReverseSteps() throws IOException {
    Fnv digest = new Fnv();
    for (double z : KEY.normals(NoiseStream.REVERSE, 3 * 256 + 2, MILLION)) {
      digest.add(Double.doubleToRawLongBits(z), 8);
    }
    check("normals, stream 3, index 770", digest.hex());
  }

  @Test
  void normalsOfTheTails() throws IOException {
    Fnv digest = new Fnv();
    for (int shift = 0; shift < 64; shift++) {
      for (long i = 0; i < 1000; i++) {
        long u = (i * 0x9e3779b97f4a7c15L) >>> shift;
        digest.add(Double.doubleToRawLongBits(InverseNormal.of(u)), 8);
        digest.add(Double.doubleToRawLongBits(InverseNormal.of(~u)), 8);
      }
    }
    check("normals of 128,000 arguments into the tails", digest.hex());
  }

  @Test
  void pathNoise() throws IOException {
    int count = 333_667;
    int[][] noise = new int[3][count];
    PathNoise path = new PathNoise(List.of(new Sigma(0.25), new Sigma(0.5), new Sigma(1)));
    assertTrue(path.draw(KEY, count, noise));
    Fnv digest = new Fnv();
    for (int[] row : noise) {
      for (int m : row) {
        digest.add(m, 4);
      }
    }
    check("path noise, sigmas 0.25, 0.5, 1, 333,667 elements each", digest.hex());
  }
}
