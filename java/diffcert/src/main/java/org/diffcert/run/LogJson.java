package org.diffcert.run;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.file.Json;

/**
 * The JSON of run logs as plain Java values: maps in order, lists, strings, booleans, null, integers (Long) and other
 * numbers (Double). Equal values have equal canonical bytes.
 */
final class LogJson {
  private static final int DEEPEST = 16;
  /**
   * Values of a line: enough for 1,000 classes at 90 sigmas, few enough that a hostile line of small ones stays small
   * in memory.
   */
  private static final int MOST_VALUES = 200_000;

  private LogJson() {}

  /** The canonical text. */
  static String write(Object value) {
    return Json.of(value).write();
  }

  /** Reads one value; malformed text is bad input. */
  static Object parse(byte[] utf8) {
    Json.Limits limits = new Json.Limits(utf8.length, DEEPEST, MOST_VALUES, utf8.length);
    return plain(Json.parse(ByteBuffer.wrap(utf8), "the line", limits));
  }

  static Object parse(String text) {
    return parse(text.getBytes(StandardCharsets.UTF_8));
  }

  /** At most 60 printable characters of a stranger's text, for a message. */
  static String abbreviate(String text) {
    String printable = text.replaceAll("[^\\x20-\\x7e]", "?");
    return printable.length() <= 60 ? printable : printable.substring(0, 57) + "...";
  }

  private static Object plain(Json json) {
    if (json.isObject()) {
      Map<String, Object> map = new LinkedHashMap<>();
      json.members().forEach((key, value) -> map.put(key, plain(value)));
      return map;
    }
    if (json.isArray()) {
      List<Object> list = new ArrayList<>(json.elements().size());
      json.elements().forEach(item -> list.add(plain(item)));
      return list;
    }
    if (json.isNumber()) {
      return number(json);
    }
    if (json.isString()) {
      return json.asString();
    }
    return json.isNull() ? null : (Object) json.asBoolean();
  }

  private static Object number(Json json) {
    String text = json.asLexical();
    if (text.length() > 40) {
      throw DiffcertException.badInput("a number has more than 40 characters: " + abbreviate(text));
    }
    boolean integer = text.indexOf('.') < 0 && text.indexOf('e') < 0 && text.indexOf('E') < 0;
    return integer ? (Object) json.asLong() : (Object) json.asDouble();
  }
}
