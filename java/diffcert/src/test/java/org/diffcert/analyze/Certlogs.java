package org.diffcert.analyze;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** The published certification logs in the folder of shared inputs beside the checkout. */
final class Certlogs {
  private Certlogs() {}

  static Path folder() {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("CMakeLists.txt"))) {
      root = root.getParent();
    }
    return root.resolve("../shared/data/certlogs").normalize();
  }

  /** The folder of Cohen et al.'s certification logs. */
  static Path cohen() {
    return folder().resolve("locuslab-smoothing/data/certify");
  }

  /** What to do with a file of an archive. */
  interface Visitor {
    void file(String name, byte[] bytes) throws IOException;
  }

  /** Walks through the plain files of a tar.gz: blocks of 512 bytes, a header (ustar) before each file. */
  static void walk(Path archive, Visitor visitor) throws IOException {
    try (InputStream in = new GZIPInputStream(new BufferedInputStream(Files.newInputStream(archive)))) {
      String longName = null;
      for (byte[] header = in.readNBytes(512); header.length == 512 && header[0] != 0; header = in.readNBytes(512)) {
        int size = Integer.parseInt(text(header, 124, 11).strip(), 8);
        byte[] bytes = in.readNBytes(size);
        in.skipNBytes((512 - size % 512) % 512);
        String prefix = text(header, 345, 155);
        String name = longName != null ? longName : (prefix.isEmpty() ? "" : prefix + "/") + text(header, 0, 100);
        longName = null;
        switch (header[156]) {
          case 'L' -> longName = text(bytes, 0, size);
          case 'x' -> longName = paxPath(new String(bytes, StandardCharsets.UTF_8));
          case '0', 0 -> visitor.file(name, bytes);
          default -> { } // folders
        }
      }
    }
  }

  private static String paxPath(String records) {
    for (String record : records.split("\n")) {
      int at = record.indexOf(" path=");
      if (at >= 0) {
        return record.substring(at + " path=".length());
      }
    }
    return null;
  }

  private static String text(byte[] bytes, int from, int length) {
    int end = from;
    while (end < from + length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, from, end - from, StandardCharsets.UTF_8);
  }
}
