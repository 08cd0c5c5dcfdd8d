package org.diffcert.run;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;
import org.diffcert.file.Json;

/**
 * One line of a run log: {@code {"crc":"01234567","body":{...},"time":{...}}}. The CRC-32C is over the body's bytes.
 * All that may differ between two runs of the same job is in the time.
 *
 * @param body the header or the record
 * @param time when and how long
 */
record LogLine(Map<String, Object> body, Map<String, Object> time) {
  /** What every line starts with, and so what a torn one must be a beginning of, or begin with. */
  static final String START = "{\"crc\":\"";

  private static final int DEEPEST = 16;
  /**
   * Values of a line: enough for 1,000 classes at 90 sigmas, few enough that a hostile line of small ones stays small
   * in memory.
   */
  private static final int MOST_VALUES = 200_000;

  /** The canonical line, without its line feed, in UTF-8. */
  byte[] write() {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("crc", crc(body));
    line.put("body", body);
    line.put("time", time);
    return Json.of(line).write().getBytes(StandardCharsets.UTF_8);
  }

  /** Reads a line; anything but the canonical bytes of a line with a matching checksum is bad input. */
  static LogLine parse(byte[] utf8) {
    Json.Limits limits = new Json.Limits(utf8.length, DEEPEST, MOST_VALUES, utf8.length);
    Object read = Json.parse(ByteBuffer.wrap(utf8), "the line", limits).plain();
    Fields fields = new Fields("the line", read, "crc", "body", "time");
    LogLine line = new LogLine(fields.object("body"), fields.object("time"));
    if (!crc(line.body).equals(fields.string("crc"))) {
      throw Fields.bad("the checksum does not match");
    }
    if (!Arrays.equals(line.write(), utf8)) {
      throw Fields.bad("the line is not written as this format writes it");
    }
    return line;
  }

  private static String crc(Map<String, Object> body) {
    CRC32C crc = new CRC32C();
    crc.update(Json.of(body).write().getBytes(StandardCharsets.UTF_8));
    return String.format("%08x", crc.getValue());
  }
}
