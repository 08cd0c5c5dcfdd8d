package org.diffcert.run;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;
import org.diffcert.file.Json;

/** Lines of a log with the checksums that belong to them, so that a fuzzer reaches what is behind the checksum. */
public final class SealedLog {
  private static final Json.Limits LIMITS = new Json.Limits(1 << 20, 32, 1 << 18, 1 << 20);

  private SealedLog() {}

  /**
   * Each line that has a body and a time written again by the log's own writer; others as they are.
   *
   * @param log the lines
   * @return the same lines, sealed
   */
  public static byte[] of(byte[] log) {
    String text = new String(log, StandardCharsets.UTF_8);
    String sealed = text.lines().map(SealedLog::line).collect(Collectors.joining("\n"));
    return (sealed + (text.endsWith("\n") ? "\n" : "")).getBytes(StandardCharsets.UTF_8);
  }

  private static String line(String text) {
    try {
      ByteBuffer utf8 = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      Fields line = new Fields("the line", Json.parse(utf8, "the line", LIMITS).plain(), "crc", "body", "time");
      Map<String, Object> body = line.object("body");
      return new String(new LogLine(body, line.object("time")).write(), StandardCharsets.UTF_8);
    } catch (DiffcertException e) {
      return text;
    }
  }
}
