package org.diffcert.fuzz;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.diffcert.DiffcertException;
import org.diffcert.file.Json;

/** Lines of a log with the checksums that belong to them, so that what is behind the checksum is reached. */
final class Sealed {
  private Sealed() {}

  /** Each line that is a JSON object written again, its checksum put right; others as they are. */
  static byte[] lines(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    String sealed = text.lines().map(Sealed::line).collect(Collectors.joining("\n"));
    return (sealed + (text.endsWith("\n") ? "\n" : "")).getBytes(StandardCharsets.UTF_8);
  }

  private static String line(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    try {
      Json.Limits limits = new Json.Limits(1 << 20, 32, 1 << 18, 1 << 20);
      Object read = Json.parse(ByteBuffer.wrap(utf8), "the line", limits).plain();
      if (!(read instanceof Map<?, ?> line) || line.get("body") == null) {
        return text;
      }
      CRC32C crc = new CRC32C();
      crc.update(Json.of(line.get("body")).write().getBytes(StandardCharsets.UTF_8));
      Map<Object, Object> right = new LinkedHashMap<>(line);
      right.replace("crc", String.format("%08x", crc.getValue()));
      return Json.of(right).write();
    } catch (DiffcertException e) {
      return text;
    }
  }
}
