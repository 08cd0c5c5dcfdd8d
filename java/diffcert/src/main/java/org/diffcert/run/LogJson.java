package org.diffcert.run;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;

/**
 * The one form of JSON that a run log is written in, so that equal values are equal bytes: no white space, keys in the order given,
 * doubles in the fewest of 15, 16 or 17 digits that read back as the same double (the JDK's own text differs between versions).
 * The reader takes any JSON of bounded depth, as strictly as RFC 8259 is written, refuses a key that comes twice, and knows integers
 * (Long) from other numbers (Double).
 */
final class LogJson {
  private static final int DEEPEST = 16;

  private final String text;
  private int at;

  private LogJson(String text) {
    this.text = text;
  }

  /** The canonical text of maps, lists, strings, booleans, null, integers and finite doubles. */
  static String write(Object value) {
    StringBuilder out = new StringBuilder();
    write(value, out);
    return out.toString();
  }

  /** Reads one value that fills the text. Malformed text is bad input; the sentence says what and where. */
  static Object parse(String text) {
    LogJson json = new LogJson(text);
    Object value = json.value(0);
    if (json.at != text.length()) {
      throw json.bad("something follows the value");
    }
    return value;
  }

  private static void write(Object value, StringBuilder out) {
    if (value instanceof Map<?, ?> map) {
      char before = '{';
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        out.append(before);
        writeString((String) entry.getKey(), out);
        out.append(':');
        write(entry.getValue(), out);
        before = ',';
      }
      out.append(map.isEmpty() ? "{}" : "}");
    } else if (value instanceof List<?> list) {
      out.append('[');
      for (Iterator<?> i = list.iterator(); i.hasNext(); ) {
        write(i.next(), out);
        out.append(i.hasNext() ? "," : "");
      }
      out.append(']');
    } else if (value instanceof String string) {
      writeString(string, out);
    } else if (value instanceof Double || value instanceof Float) {
      out.append(number(((Number) value).doubleValue()));
    } else if (value instanceof Integer || value instanceof Long || value instanceof Boolean || value == null) {
      out.append(value);
    } else {
      throw new IllegalArgumentException("a run log holds no " + value.getClass().getName());
    }
  }

  private static String number(double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException("a run log holds no " + value);
    }
    BigDecimal exact = new BigDecimal(value);
    BigDecimal shortest = exact;
    for (int digits = 15; digits <= 17; digits++) {
      shortest = exact.round(new MathContext(digits));
      if (shortest.doubleValue() == value) {
        break;
      }
    }
    shortest = shortest.stripTrailingZeros();
    boolean whole = shortest.scale() <= 0 && shortest.precision() - shortest.scale() <= 17;
    return whole ? shortest.toPlainString() + ".0" : shortest.toString();
  }

  private static void writeString(String string, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < 0x20 || c >= 0x7f) {
        out.append(String.format("\\u%04x", (int) c)); // ASCII only: a line has one spelling whatever the editor
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }

  private Object value(int depth) {
    if (depth > DEEPEST) {
      throw bad("values are nested more than " + DEEPEST + " deep");
    }
    char c = peek();
    return switch (c) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> string();
      case 't' -> word("true", Boolean.TRUE);
      case 'f' -> word("false", Boolean.FALSE);
      case 'n' -> word("null", null);
      default -> number();
    };
  }

  private Map<String, Object> object(int depth) {
    Map<String, Object> map = new LinkedHashMap<>();
    at++;
    if (peek() == '}') {
      at++;
      return map;
    }
    while (true) {
      if (peek() != '"') {
        throw bad("a key is missing");
      }
      String key = string();
      if (map.containsKey(key)) {
        throw bad("the key '" + abbreviate(key) + "' comes twice");
      }
      expect(':');
      map.put(key, value(depth + 1));
      if (peek() == '}') {
        at++;
        return map;
      }
      expect(',');
    }
  }

  private List<Object> array(int depth) {
    List<Object> list = new ArrayList<>();
    at++;
    if (peek() == ']') {
      at++;
      return list;
    }
    while (true) {
      list.add(value(depth + 1));
      if (peek() == ']') {
        at++;
        return list;
      }
      expect(',');
    }
  }

  private String string() {
    StringBuilder out = new StringBuilder();
    at++;
    while (true) {
      char c = peek();
      at++;
      if (c == '"') {
        return out.toString();
      } else if (c < 0x20) {
        throw bad("a control character stands in a string");
      } else if (c != '\\') {
        out.append(c);
      } else {
        out.append(escape());
      }
    }
  }

  private char escape() {
    char c = peek();
    at++;
    switch (c) {
      case '"', '\\', '/':
        return c;
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'u':
        int code = 0;
        for (int i = 0; i < 4; i++, at++) {
          int digit = Character.digit(peek(), 16);
          if (digit < 0 || peek() > 'f') {
            throw bad("an escape has no four hex digits");
          }
          code = code * 16 + digit;
        }
        return (char) code;
      default:
        throw bad("there is no escape '\\" + c + "'");
    }
  }

  private Object word(String word, Object value) {
    if (!text.startsWith(word, at)) {
      throw bad("a value is expected");
    }
    at += word.length();
    return value;
  }

  private Object number() {
    int start = at;
    if (peek() == '-') {
      at++;
    }
    int digits = at;
    skipDigits();
    boolean integer = true;
    if (at == digits || (text.charAt(digits) == '0' && at > digits + 1)) {
      throw bad("a value is expected");
    }
    if (at < text.length() && text.charAt(at) == '.') {
      integer = false;
      digits = ++at;
      skipDigits();
      if (at == digits) {
        throw bad("a number ends at its point");
      }
    }
    if (at < text.length() && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
      integer = false;
      at++;
      if (at < text.length() && (text.charAt(at) == '+' || text.charAt(at) == '-')) {
        at++;
      }
      digits = at;
      skipDigits();
      if (at == digits) {
        throw bad("a number ends at its exponent");
      }
    }
    String number = text.substring(start, at);
    if (number.length() > 40) {
      throw bad("a number has more than 40 characters");
    }
    if (integer) {
      try {
        return Long.valueOf(number);
      } catch (NumberFormatException e) {
        throw bad("the integer " + number + " is too large");
      }
    }
    double value = Double.parseDouble(number);
    if (Double.isInfinite(value)) {
      throw bad("the number " + number + " is too large");
    }
    return value;
  }

  private void skipDigits() {
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
  }

  private void expect(char c) {
    if (peek() != c) {
      throw bad("'" + c + "' is expected");
    }
    at++;
  }

  private char peek() {
    if (at >= text.length()) {
      throw bad("the text ends too early");
    }
    return text.charAt(at);
  }

  static String abbreviate(String text) {
    String plain = text.replaceAll("[^\\x20-\\x7e]", "?");
    return plain.length() <= 60 ? plain : plain.substring(0, 57) + "...";
  }

  private DiffcertException bad(String what) {
    return DiffcertException.badInput("malformed JSON at character " + (at + 1) + ": " + what);
  }
}
