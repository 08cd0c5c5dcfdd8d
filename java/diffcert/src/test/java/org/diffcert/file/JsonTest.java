package org.diffcert.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;
import org.diffcert.DiffcertException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The strict JSON reader and its canonical writer. */
class JsonTest {
  @ParameterizedTest
  @ValueSource(strings = {"", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01", "1.", ".5", "+1", "1e", "-",
      "NaN", "Infinity",
      "tru", "nul", "\"\u0001\"", "\"\\x\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\u12g4\"",
      "\"abc", "1 2", "{a:1}",
      "{\"a\" 1}", "[1 2]", "'a'", "// c\n1", "\ufeff1", "{\"a\":1]"})
  void refuses(String text) {
    DiffcertException e = assertThrows(DiffcertException.class, () -> Json.parse(text, "the text"));
    assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    assertTrue(e.getMessage().startsWith("the text is not valid JSON at byte "), e.getMessage());
  }

  @Test
  void refusesMalformedUtf8() {
    int[][] strings = {{0x80}, {0xC0, 0x80}, {0xC1, 0xBF}, {0xE0, 0x80, 0x80}, {0xED, 0xA0, 0x80}, {0xF0, 0x80, 0x80,
        0x80},
        {0xF4, 0x90, 0x80, 0x80}, {0xF5, 0x80, 0x80, 0x80}, {0xE2, 0x82}, {0xFF}};
    for (int[] string : strings) {
      byte[] text = new byte[string.length + 2];
      text[0] = '"';
      for (int i = 0; i < string.length; i++) {
        text[i + 1] = (byte) string[i];
      }
      text[text.length - 1] = '"';
      assertThrows(DiffcertException.class, () -> Json.parse(ByteBuffer.wrap(text), "t", Json.Limits.DEFAULT));
    }
  }

  @Test
  void limitsHold() {
    Json.Limits small = new Json.Limits(20, 3, 5, 4);
    List<String> over = List.of("[[[[1]]]]", "[1,2,3,4,5]", "\"abcde\"", "                    1");
    for (String text : over) {
      assertThrows(DiffcertException.class, () -> Json.parse(ByteBuffer.wrap(text.getBytes()), "t", small), text);
    }
    assertEquals("[[[1]]]", Json.parse(ByteBuffer.wrap("[[[1]]]".getBytes()), "t", small).write());
    assertThrows(DiffcertException.class, () -> Json.parse("[".repeat(1_000_000), "t"));
  }

  @Test
  void readsValues() {
    Json json = Json.parse(" {\"a\":[1,-2.50,true,null,\"\\u00e9\\ud83d\\ude00\\n\"],\"\":{}} ", "t");
    assertEquals(1, json.get("a").elements().get(0).asInt());
    assertEquals("-2.50", json.get("a").elements().get(1).asLexical());
    assertTrue(json.get("a").elements().get(3).isNull());
    assertEquals("\u00e9\ud83d\ude00\n", json.get("a").elements().get(4).asString());
    assertTrue(json.get("").isObject());
    assertEquals(Long.MAX_VALUE, Json.parse("9223372036854775807", "t").asLong());
    assertThrows(DiffcertException.class, () -> Json.parse("9223372036854775808", "t").asLong());
    assertThrows(DiffcertException.class, () -> Json.parse("1.0", "t").asLong());
    assertThrows(DiffcertException.class, () -> Json.parse("1e999", "t").asDouble());
    assertThrows(DiffcertException.class, () -> json.get("b"));
    assertThrows(DiffcertException.class, () -> json.get("a").asString());
  }

  @Test
  void writesCanonically() {
    Json json = Json.object().put("z", 1).put("a", List.of(0.1, 1e-5, 1e7, 2.0, -0.0)).put("s", "a\"\\\u0001\n\u00e9")
        .put("n", null)
        .put("o", Json.object()).put("l", new int[0]);
    assertEquals("{\"z\":1,\"a\":[0.1,1.0E-5,1.0E7,2.0,-0.0],"
        + "\"s\":\"a\\\"\\\\\\u0001\\n\u00e9\",\"n\":null,\"o\":{},\"l\":[]}"
        ,
        json.write());
    assertEquals(json, Json.parse(json.write(), "t"));
    assertThrows(IllegalArgumentException.class, () -> Json.of(Double.NaN));
  }

  @Test
  void doublesReadBackAndAreShortest() {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 20_000; i++) {
      double number = Double.longBitsToDouble(random.nextLong());
      if (Double.isFinite(number)) {
        String text = Json.shortest(number);
        assertEquals(number, Double.parseDouble(text));
        assertTrue(text.length() <= Double.toString(number).length(), text);
      }
    }
    double[] hard = {2e23, 5e-324, Double.MIN_NORMAL, Double.MAX_VALUE, 9007199254740993.0, 0.001, 9999999.0,
        123456.789};
    String[] forms = {"2.0E23", "5.0E-324", "2.2250738585072014E-308", "1.7976931348623157E308",
        "9.007199254740992E15", "0.001",
        "9999999.0", "123456.789"};
    for (int i = 0; i < hard.length; i++) {
      assertEquals(forms[i], Json.shortest(hard[i]));
    }
  }
}
