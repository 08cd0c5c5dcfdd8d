package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32C;

/** Lines of a run log as a test handles them: as text, written from outside the library. */
final class LogLines {
  private LogLines() {}

  /** A line with the checksum of what it says now, as a forger would write it. */
  static String sealed(String line) {
    int body = line.indexOf("\"body\":") + 7;
    CRC32C crc = new CRC32C();
    crc.update(line.substring(body, line.indexOf(",\"time\":")).getBytes(StandardCharsets.UTF_8));
    return String.format("{\"crc\":\"%08x\"", crc.getValue()) + line.substring(line.indexOf(",\"body\""));
  }

  /** A log's lines without what may differ between two runs of the same job. */
  static List<String> withoutTimes(String log) {
    assertTrue(log.contains("\"time\":{"), "the times are not where this test leaves them out");
    return log.lines().map(line -> line.replaceAll("\"time\":\\{[^}]*}", "\"time\":{}")).toList();
  }
}
