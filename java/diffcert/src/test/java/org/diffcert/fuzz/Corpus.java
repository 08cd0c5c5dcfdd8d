package org.diffcert.fuzz;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * Packs a folder of inputs into one file (each with its length before it, -1 after the last) and unpacks it: {@code
 * pack FOLDER FILE}, {@code unpack FILE FOLDER}. Hundreds of files of a few bytes have no place in a repository.
 */
public final class Corpus {
  /** The smallest inputs are kept as far as they fit; whole models with random weights do not get smaller. */
  private static final int MOST_BYTES = 400_000;

  private Corpus() {}

  /**
   * Packs or unpacks.
   *
   * @param arguments as above
   */
  public static void main(String[] arguments) throws IOException {
    Path from = Path.of(arguments[1]);
    Path to = Path.of(arguments[2]);
    if (arguments[0].equals("pack")) {
      pack(from, to);
    } else {
      unpack(from, to);
    }
  }

  private static void pack(Path folder, Path file) throws IOException {
    try (Stream<Path> found = Files.list(folder);
        DataOutputStream out = new DataOutputStream(new GZIPOutputStream(Files.newOutputStream(file)))) {
      List<byte[]> inputs = new ArrayList<>();
      for (Path input : found.sorted().toList()) {
        inputs.add(Files.readAllBytes(input));
      }
      inputs.sort(Comparator.comparingInt(bytes -> bytes.length));
      int size = 0;
      for (byte[] bytes : inputs) {
        size += bytes.length;
        if (size <= MOST_BYTES) {
          out.writeInt(bytes.length);
          out.write(bytes);
        }
      }
      out.writeInt(-1);
    }
  }

  private static void unpack(Path file, Path folder) throws IOException {
    Files.createDirectories(folder);
    try (DataInputStream in = new DataInputStream(new GZIPInputStream(Files.newInputStream(file)))) {
      int number = 0;
      for (int length = in.readInt(); length >= 0; length = in.readInt()) {
        Files.write(folder.resolve(String.format("%06d", number++)), in.readNBytes(length));
      }
    }
  }
}
