package org.diffcert.file;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes {@link Json} canonically, and turns Java values into it and back. */
final class JsonWriter {
  private JsonWriter() {}

  static Json wrap(Object value) {
    if (value instanceof Json json) {
      return json;
    }
    if (value == null) {
      return Json.NULL;
    }
    if (value instanceof String || value instanceof Boolean) {
      return new Json("JSON", value);
    }
    if (value instanceof Integer || value instanceof Long) {
      return new Json("JSON", new Json.Lexical(value.toString()));
    }
    if (value instanceof Double number) {
      return new Json("JSON", new Json.Lexical(shortest(number)));
    }
    return wrapMany(value);
  }

  private static Json wrapMany(Object value) {
    if (value instanceof Map<?, ?> map) {
      Json object = Json.object();
      map.forEach((key, item) -> object.put((String) key, item));
      return object;
    }
    Json array = Json.array();
    if (value instanceof Iterable<?> items) {
      items.forEach(array::add);
    } else if (value instanceof int[] numbers) {
      for (int number : numbers) {
        array.add(number);
      }
    } else if (value instanceof long[] numbers) {
      for (long number : numbers) {
        array.add(number);
      }
    } else if (value instanceof double[] numbers) {
      for (double number : numbers) {
        array.add(number);
      }
    } else {
      throw new IllegalArgumentException("no JSON form for " + value.getClass().getName());
    }
    return array;
  }

  static Object unwrap(Json json) {
    Object value = json.raw();
    if (value instanceof Map<?, ?> members) {
      Map<Object, Object> map = new LinkedHashMap<>();
      members.forEach((key, item) -> map.put(key, unwrap((Json) item)));
      return map;
    }
    if (value instanceof List<?> items) {
      List<Object> list = new ArrayList<>(items.size());
      items.forEach(item -> list.add(unwrap((Json) item)));
      return list;
    }
    if (value instanceof Json.Lexical number) {
      boolean whole = number.text().chars().noneMatch(c -> c == '.' || c == 'e' || c == 'E');
      return whole ? (Object) json.asLong() : (Object) json.asDouble();
    }
    return value;
  }

  static void write(Json json, StringBuilder out) {
    Object value = json.raw();
    if (value instanceof Map<?, ?> map) {
      String between = "{";
      for (Map.Entry<?, ?> member : map.entrySet()) {
        out.append(between);
        quote((String) member.getKey(), out);
        out.append(':');
        write((Json) member.getValue(), out);
        between = ",";
      }
      out.append(map.isEmpty() ? "{}" : "}");
    } else if (value instanceof List<?> items) {
      String between = "[";
      for (Object item : items) {
        out.append(between);
        write((Json) item, out);
        between = ",";
      }
      out.append(items.isEmpty() ? "[]" : "]");
    } else if (value instanceof String text) {
      quote(text, out);
    } else if (value instanceof Json.Lexical number) {
      out.append(number.text());
    } else {
      out.append(value);
    }
  }

  private static void quote(String text, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean paired = Character.isHighSurrogate(c) && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1));
      if (paired) {
        out.append(c).append(text.charAt(++i));
        continue;
      }
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (Character.isSurrogate(c)) {
            throw new IllegalArgumentException("a string with a lone surrogate has no JSON form");
          }
          if (c < 0x20) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }

  /* Double.toString is the shortest form only since JDK 19; a canonical form may not depend on the JDK. A decimal of
     up to 15 digits that reads back is found by rounding to 15 digits; otherwise 16 or 17 are tried. Tiny numbers have
     fewer bits than digits, so there every length is tried. */
  static String shortest(double number) {
    if (!Double.isFinite(number)) {
      throw new IllegalArgumentException("JSON has no form for " + number);
    }
    if (number == 0) {
      return 1 / number < 0 ? "-0.0" : "0.0";
    }
    BigDecimal exact = new BigDecimal(number);
    int digits = Math.abs(number) < 1e-290 ? 1 : 15;
    BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
    while (digits < 17 && rounded.doubleValue() != number) {
      digits++;
      rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
    }
    String figures = rounded.unscaledValue().abs().toString();
    int point = figures.length() - rounded.scale();
    int last = figures.length();
    while (last > 1 && figures.charAt(last - 1) == '0') {
      last--;
    }
    return (number < 0 ? "-" : "") + notation(figures.substring(0, last), point);
  }

  /* The decimal 0.FIGURES * 10^point: plain from 0.001 up to 10^7, scientific outside. */
  private static String notation(String figures, int point) {
    if (point > 7 || point < -2) {
      return figures.charAt(0) + "." + (figures.length() > 1 ? figures.substring(1) : "0") + "E" + (point - 1);
    }
    if (point <= 0) {
      return "0." + "0".repeat(-point) + figures;
    }
    if (figures.length() <= point) {
      return figures + "0".repeat(point - figures.length()) + ".0";
    }
    return figures.substring(0, point) + "." + figures.substring(point);
  }
}
