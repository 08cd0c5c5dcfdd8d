package org.diffcert.file;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;

/** Strict recursive-descent reading of RFC 8259 over raw bytes, so that a large text is never copied as a whole. */
final class JsonParser {
  private static final int LONGEST_NUMBER = 400;

  private final ByteBuffer bytes;
  private final String source;
  private final Json.Limits limits;
  private final int end;
  private int at;
  private int values;

  JsonParser(ByteBuffer bytes, String source, Json.Limits limits) {
    this.bytes = bytes;
    this.source = source;
    this.limits = limits;
    this.at = bytes.position();
    this.end = bytes.limit();
  }

  Json document() {
    if (end - at > limits.bytes()) {
      throw DiffcertException.badInput(source + " is " + (end - at) + " bytes of JSON, at most " + limits.bytes()
          + " are taken");
    }
    Json value = value(0);
    space();
    if (at < end) {
      throw fail("something follows the value");
    }
    return value;
  }

  private Json value(int depth) {
    space();
    if (++values > limits.values()) {
      throw fail("more than " + limits.values() + " values");
    }
    int c = peek();
    switch (c) {
      case '{':
        return new Json(source, object(depth + 1));
      case '[':
        return new Json(source, array(depth + 1));
      case '"':
        return new Json(source, string());
      case 't':
        return word("true", Boolean.TRUE);
      case 'f':
        return word("false", Boolean.FALSE);
      case 'n':
        return word("null", null);
      default:
        if (c == '-' || digit(c)) {
          return new Json(source, new Json.Lexical(number()));
        }
        throw fail(c < 0 ? "the text ends too early" : "a value is expected");
    }
  }

  private Map<String, Json> object(int depth) {
    deeper(depth);
    Map<String, Json> members = new LinkedHashMap<>();
    at++;
    space();
    if (peek() == '}') {
      at++;
      return members;
    }
    while (true) {
      space();
      if (peek() != '"') {
        throw fail(peek() < 0 ? "the text ends too early" : "a key in quotes is expected");
      }
      String key = string();
      space();
      take(':', "a colon");
      if (members.containsKey(key)) {
        throw fail("the key \"" + shorten(key) + "\" stands twice");
      }
      members.put(key, value(depth));
      space();
      if (peek() == '}') {
        at++;
        return members;
      }
      take(',', "a comma or a closing brace");
    }
  }

  private List<Json> array(int depth) {
    deeper(depth);
    List<Json> items = new ArrayList<>(4);
    at++;
    space();
    if (peek() == ']') {
      at++;
      return items;
    }
    while (true) {
      items.add(value(depth));
      space();
      if (peek() == ']') {
        at++;
        return items;
      }
      take(',', "a comma or a closing bracket");
    }
  }

  private void deeper(int depth) {
    if (depth > limits.depth()) {
      throw fail("nested deeper than " + limits.depth());
    }
  }

  private Json word(String word, Object value) {
    for (int i = 0; i < word.length(); i++) {
      if (peek() != word.charAt(i)) {
        throw fail("\"" + word + "\" is expected");
      }
      at++;
    }
    return value == null ? new Json(source, null) : new Json(source, value);
  }

  private String number() {
    int from = at;
    if (peek() == '-') {
      at++;
    }
    if (peek() == '0') {
      at++;
      if (digit(peek())) {
        throw fail("a number starts with a zero");
      }
    } else {
      digits();
    }
    if (peek() == '.') {
      at++;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      at++;
      if (peek() == '+' || peek() == '-') {
        at++;
      }
      digits();
    }
    StringBuilder text = new StringBuilder(at - from);
    for (int i = from; i < at; i++) {
      text.append((char) bytes.get(i));
    }
    return text.toString();
  }

  private void digits() {
    int from = at;
    while (digit(peek())) {
      at++;
      if (at - from > LONGEST_NUMBER) {
        throw fail("a number has more than " + LONGEST_NUMBER + " digits");
      }
    }
    if (at == from) {
      throw fail("a digit is expected");
    }
  }

  private String string() {
    int from = ++at;
    StringBuilder text = new StringBuilder();
    while (true) {
      int c = peek();
      if (c < 0) {
        throw fail("the text ends inside a string");
      }
      if (at - from > limits.stringBytes()) {
        throw fail("a string is longer than " + limits.stringBytes() + " bytes");
      }
      if (c == '"') {
        at++;
        return text.toString();
      }
      if (c < 0x20) {
        throw fail("a control character stands bare in a string");
      }
      if (c == '\\') {
        at++;
        escape(text);
      } else if (c < 0x80) {
        at++;
        text.append((char) c);
      } else {
        text.appendCodePoint(codePoint(c));
      }
    }
  }

  private void escape(StringBuilder text) {
    int c = peek();
    at++;
    switch (c) {
      case '"', '\\', '/' -> text.append((char) c);
      case 'b' -> text.append('\b');
      case 'f' -> text.append('\f');
      case 'n' -> text.append('\n');
      case 'r' -> text.append('\r');
      case 't' -> text.append('\t');
      case 'u' -> {
        char first = hex();
        text.append(first);
        if (Character.isHighSurrogate(first)) {
          take('\\', "the second half of a surrogate pair");
          take('u', "the second half of a surrogate pair");
          char second = hex();
          if (!Character.isLowSurrogate(second)) {
            throw fail("a surrogate stands alone");
          }
          text.append(second);
        } else if (Character.isLowSurrogate(first)) {
          throw fail("a surrogate stands alone");
        }
      }
      default -> throw fail("an unknown escape");
    }
  }

  private char hex() {
    int code = 0;
    for (int i = 0; i < 4; i++) {
      int c = peek();
      int figure = c < 0x80 ? Character.digit(c, 16) : -1;
      if (c < 0 || figure < 0) {
        throw fail("four hexadecimal digits are expected");
      }
      code = code << 4 | figure;
      at++;
    }
    return (char) code;
  }

  /* One code point of two to four bytes; overlong forms, surrogates and values past U+10FFFF are malformed. */
  private int codePoint(int first) {
    int more;
    int least;
    int code;
    if (first >= 0xC2 && first <= 0xDF) {
      more = 1;
      least = 0x80;
      code = first & 0x1F;
    } else if (first >= 0xE0 && first <= 0xEF) {
      more = 2;
      least = 0x800;
      code = first & 0x0F;
    } else if (first >= 0xF0 && first <= 0xF4) {
      more = 3;
      least = 0x10000;
      code = first & 0x07;
    } else {
      throw fail("malformed UTF-8");
    }
    at++;
    for (int i = 0; i < more; i++) {
      int next = peek();
      if (next < 0x80 || next > 0xBF) {
        throw fail("malformed UTF-8");
      }
      code = code << 6 | next & 0x3F;
      at++;
    }
    if (code < least || code > 0x10FFFF || code >= 0xD800 && code <= 0xDFFF) {
      throw fail("malformed UTF-8");
    }
    return code;
  }

  private void space() {
    while (true) {
      int c = peek();
      if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
        return;
      }
      at++;
    }
  }

  private void take(int c, String what) {
    if (peek() != c) {
      throw fail(peek() < 0 ? "the text ends too early" : what + " is expected");
    }
    at++;
  }

  private int peek() {
    return at < end ? bytes.get(at) & 0xFF : -1;
  }

  private static boolean digit(int c) {
    return c >= '0' && c <= '9';
  }

  private static String shorten(String text) {
    return text.length() <= 60 ? text : text.substring(0, 60) + "...";
  }

  private DiffcertException fail(String why) {
    int place = at - bytes.position();
    return DiffcertException.badInput(source + " is not valid JSON at byte " + place + ": " + why);
  }
}
