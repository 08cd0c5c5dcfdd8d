package org.diffcert.file;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;

/**
 * A JSON value: strict parsing of RFC 8259 text from strangers, typed access that fails with one sentence, and
 * canonical writing.
 *
 * <p>Parsing refuses duplicate keys, text after the value, malformed UTF-8, lone surrogates and anything over its
 * {@link Limits}. Numbers keep their lexical form, so an integer of any size and every digit of a decimal survive.
 * Objects and arrays made by {@link #object()} and {@link #array()} can be filled; a value is not safe to fill from
 * several threads.
 */
public final class Json {
  /** The value {@code null}. */
  public static final Json NULL = new Json("JSON", null);

  /**
   * What a parser takes before it refuses.
   *
   * @param bytes largest text in bytes
   * @param depth deepest nesting of objects and arrays
   * @param values most values in all, keys not counted
   * @param stringBytes longest string, in bytes of the text
   */
  public record Limits(long bytes, int depth, int values, int stringBytes) {
    /** For ordinary documents: 100,000,000 bytes, 64 levels, 4,000,000 values, strings of 8 MiB. */
    public static final Limits DEFAULT = new Limits(100_000_000L, 64, 4_000_000, 8 << 20);
  }

  /** A number in the form in which it was written. */
  record Lexical(String text) {}

  private final String source;
  private final Object value;

  Json(String source, Object value) {
    this.source = source;
    this.value = value;
  }

  /**
   * Parses a text with the default limits.
   *
   * @param text one JSON value
   * @param source what the text is, for messages: a file name, "the configuration"
   * @return the value
   * @throws DiffcertException BAD_INPUT where the text is not strict JSON
   */
  public static Json parse(String text, String source) {
    return parse(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), source, Limits.DEFAULT);
  }

  /**
   * Parses UTF-8 bytes.
   *
   * @param utf8 the bytes between position and limit; read, not moved
   * @param source what the text is, for messages
   * @param limits sizes over which the text is refused
   * @return the value
   * @throws DiffcertException BAD_INPUT where the bytes are not strict JSON
   */
  public static Json parse(ByteBuffer utf8, String source, Limits limits) {
    return new JsonParser(utf8, source, limits).document();
  }

  /**
   * An empty object to be filled by {@code put}.
   *
   * @return a new object
   */
  public static Json object() {
    return new Json("JSON", new LinkedHashMap<String, Json>());
  }

  /**
   * An empty array to be filled by {@code add}.
   *
   * @return a new array
   */
  public static Json array() {
    return new Json("JSON", new ArrayList<Json>());
  }

  /**
   * Wraps a Java value.
   *
   * @param value null, Json, String, Boolean, Integer, Long, finite Double, a {@code Map} with string keys, an
   *     {@code Iterable}, {@code int[]}, {@code long[]} or {@code double[]}
   * @return the value as JSON
   * @throws IllegalArgumentException for any other class, and for NaN and infinities, which JSON cannot say
   */
  public static Json of(Object value) {
    return JsonWriter.wrap(value);
  }

  /**
   * The value as plain Java, the way back from {@link #of}.
   *
   * @return a new {@code LinkedHashMap}, {@code ArrayList}, String, Boolean, null, Long for a number without point and
   *     exponent, Double for another
   * @throws DiffcertException BAD_INPUT where a number is beyond the range of its type
   */
  public Object plain() {
    return JsonWriter.unwrap(this);
  }

  /**
   * Sets a key of this object; a new key goes to the end.
   *
   * @param key the key
   * @param item what {@link #of} takes
   * @return this
   */
  public Json put(String key, Object item) {
    map().put(key, of(item));
    return this;
  }

  /**
   * Appends to this array.
   *
   * @param item what {@link #of} takes
   * @return this
   */
  public Json add(Object item) {
    items().add(of(item));
    return this;
  }

  /**
   * Whether this is an object.
   *
   * @return true for an object
   */
  public boolean isObject() {
    return value instanceof Map;
  }

  /**
   * Whether this is an array.
   *
   * @return true for an array
   */
  public boolean isArray() {
    return value instanceof List;
  }

  /**
   * Whether this is a string.
   *
   * @return true for a string
   */
  public boolean isString() {
    return value instanceof String;
  }

  /**
   * Whether this is a number.
   *
   * @return true for a number
   */
  public boolean isNumber() {
    return value instanceof Lexical;
  }

  /**
   * Whether this is {@code null}.
   *
   * @return true for null
   */
  public boolean isNull() {
    return value == null;
  }

  /**
   * The members of an object, in order.
   *
   * @return an unmodifiable view
   * @throws DiffcertException BAD_INPUT where this is not an object
   */
  public Map<String, Json> members() {
    return Collections.unmodifiableMap(map());
  }

  /**
   * The elements of an array, in order.
   *
   * @return an unmodifiable view
   * @throws DiffcertException BAD_INPUT where this is not an array
   */
  public List<Json> elements() {
    return Collections.unmodifiableList(items());
  }

  /**
   * Whether an object has a key.
   *
   * @param key the key
   * @return true where it has, be the value null
   */
  public boolean has(String key) {
    return map().containsKey(key);
  }

  /**
   * A member that must be there.
   *
   * @param key the key
   * @return its value
   * @throws DiffcertException BAD_INPUT where this is no object or lacks the key
   */
  public Json get(String key) {
    Json member = map().get(key);
    if (member == null) {
      throw DiffcertException.badInput(source + " lacks the key \"" + key + "\"");
    }
    return member;
  }

  /**
   * The string that this is.
   *
   * @return the string
   * @throws DiffcertException BAD_INPUT where this is not a string
   */
  public String asString() {
    if (value instanceof String text) {
      return text;
    }
    throw expected("a string");
  }

  /**
   * The truth value that this is.
   *
   * @return the truth value
   * @throws DiffcertException BAD_INPUT where this is not true or false
   */
  public boolean asBoolean() {
    if (value instanceof Boolean truth) {
      return truth;
    }
    throw expected("true or false");
  }

  /**
   * The number as it was written.
   *
   * @return the lexical form
   * @throws DiffcertException BAD_INPUT where this is not a number
   */
  public String asLexical() {
    if (value instanceof Lexical number) {
      return number.text();
    }
    throw expected("a number");
  }

  /**
   * The whole number that this is: no fraction, no exponent, within 64 bits.
   *
   * @return the number
   * @throws DiffcertException BAD_INPUT where it is not one
   */
  public long asLong() {
    if (value instanceof Lexical number) {
      try {
        return Long.parseLong(number.text());
      } catch (NumberFormatException e) {
        throw expected("a whole number within 64 bits");
      }
    }
    throw expected("a whole number");
  }

  /**
   * The whole number that this is, within 32 bits.
   *
   * @return the number
   * @throws DiffcertException BAD_INPUT where it is not one
   */
  public int asInt() {
    long number = asLong();
    if (number != (int) number) {
      throw expected("a whole number within 32 bits");
    }
    return (int) number;
  }

  /**
   * The double nearest to this number.
   *
   * @return a finite double
   * @throws DiffcertException BAD_INPUT where this is no number or is beyond the range of doubles
   */
  public double asDouble() {
    double number = Double.parseDouble(asLexical());
    if (Double.isInfinite(number)) {
      throw expected("a number within the range of doubles");
    }
    return number;
  }

  /**
   * The canonical text: members in insertion order, no white space, doubles in the shortest form that reads back to
   * the same bits (in the notation of {@link Double#toString}, the same on every JDK), control characters escaped,
   * other characters as they are.
   *
   * @return the text
   */
  public String write() {
    StringBuilder out = new StringBuilder();
    JsonWriter.write(this, out);
    return out.toString();
  }

  /**
   * The shortest decimal that reads back to the same double, in the notation of {@link Double#toString} and the same
   * on every JDK.
   *
   * @param number a finite number
   * @return the decimal
   * @throws IllegalArgumentException for NaN and infinities
   */
  public static String shortest(double number) {
    return JsonWriter.shortest(number);
  }

  Object raw() {
    return value;
  }

  @SuppressWarnings("unchecked")
  private Map<String, Json> map() {
    if (value instanceof Map) {
      return (Map<String, Json>) value;
    }
    throw expected("an object");
  }

  @SuppressWarnings("unchecked")
  private List<Json> items() {
    if (value instanceof List) {
      return (List<Json>) value;
    }
    throw expected("an array");
  }

  private DiffcertException expected(String kind) {
    String shown;
    if (isObject()) {
      shown = "an object";
    } else if (isArray()) {
      shown = "an array";
    } else {
      String text = write();
      shown = text.length() <= 60 ? text : text.substring(0, 60) + "...";
    }
    return DiffcertException.badInput(source + " has " + shown + " where " + kind + " is expected");
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Json json && java.util.Objects.equals(value, json.value);
  }

  @Override
  public int hashCode() {
    return java.util.Objects.hashCode(value);
  }

  @Override
  public String toString() {
    return write();
  }
}
