package org.diffcert.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.diffcert.DiffcertException;

/**
 * Typed, strict access to a JSON object of a run log: every key must be there, none may be extra, each value of its
 * type.
 */
final class Fields {
  private final String where;
  private final Map<String, Object> map;

  Fields(String where, Object value, String... keys) {
    this.where = where;
    this.map = object(where, value);
    for (String key : keys) {
      if (!map.containsKey(key)) {
        throw bad(where + " has no '" + key + "'");
      }
    }
    for (String key : map.keySet()) {
      if (!Set.of(keys).contains(key)) {
        throw bad(where + " has an unknown field '" + abbreviate(key) + "'");
      }
    }
  }

  @SuppressWarnings("unchecked") // Json makes no other maps
  static Map<String, Object> object(String where, Object value) {
    if (value instanceof Map<?, ?> found) {
      return (Map<String, Object>) found;
    }
    throw bad(where + " is not an object");
  }

  Object raw(String key) {
    return map.get(key);
  }

  Map<String, Object> object(String key) {
    return object(where + "." + key, map.get(key));
  }

  String string(String key) {
    if (map.get(key) instanceof String s) {
      return s;
    }
    throw bad(where + "." + key + " is not a string");
  }

  long integer(String key, long least, long most) {
    return integer(where + "." + key, map.get(key), least, most);
  }

  int count(String key, int least, int most) {
    return (int) integer(key, least, most);
  }

  double number(String key) {
    if (map.get(key) instanceof Double d) {
      return d;
    }
    throw bad(where + "." + key + " is not a number with a point");
  }

  List<Double> numbers(String key) {
    List<Double> numbers = new ArrayList<>();
    for (Object item : list(key)) {
      if (!(item instanceof Double number)) {
        throw bad(where + "." + key + " holds something other than a number with a point");
      }
      numbers.add(number);
    }
    return numbers;
  }

  List<?> list(String key) {
    if (map.get(key) instanceof List<?> list) {
      return list;
    }
    throw bad(where + "." + key + " is not a list");
  }

  int[] counts(String key) {
    List<?> list = list(key);
    int[] counts = new int[list.size()];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = (int) integer(where + "." + key, list.get(i), 0, Integer.MAX_VALUE);
    }
    return counts;
  }

  List<String> strings(String key) {
    List<String> strings = new ArrayList<>();
    for (Object item : list(key)) {
      if (!(item instanceof String s)) {
        throw bad(where + "." + key + " holds something other than a string");
      }
      strings.add(s);
    }
    return strings;
  }

  private static long integer(String what, Object value, long least, long most) {
    if (value instanceof Long number && number >= least && number <= most) {
      return number;
    }
    throw bad(what + " is not an integer from " + least + " to " + most);
  }

  /** At most 60 printable characters of a stranger's text, for a message. */
  static String abbreviate(String text) {
    String printable = text.replaceAll("[^\\x20-\\x7e]", "?");
    return printable.length() <= 60 ? printable : printable.substring(0, 57) + "...";
  }

  static DiffcertException bad(String sentence) {
    return DiffcertException.badInput(sentence);
  }
}
