package org.diffcert.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.diffcert.DiffcertException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The acceptance list of the safetensors reader, byte by byte. */
class SafetensorsTest {
  @TempDir Path dir;

  private static byte[] file(String header, int dataBytes) {
    byte[] json = header.getBytes(StandardCharsets.ISO_8859_1);
    return file(json.length, json, dataBytes);
  }

  private static byte[] file(long length, byte[] json, int dataBytes) {
    return ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(json)
        .array();
  }

  private static String entry(String name, String dtype, String shape, String offsets) {
    return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
  }

  private static String one(String dtype, String shape, String offsets) {
    return "{" + entry("t", dtype, shape, offsets) + "}";
  }

  static Stream<Arguments> malformed() {
    StringBuilder ten = new StringBuilder("{");
    for (int i = 0; i < 10; i++) {
      ten.append(i == 0 ? "" : ",").append(entry("t" + i, "F32", "[2,2]", "[0,16]"));
    }
    byte[] brace = {'{', '}'};
    String max = "9223372036854775807";
    return Stream.of(
        Arguments.of("empty", new byte[0], "header length needs 8"),
        Arguments.of("seven bytes", new byte[7], "header length needs 8"),
        Arguments.of("header beyond the file", file(3, brace, 0), "in a file of 10"),
        Arguments.of("header over the cap", file(100_000_001, brace, 0), "at most 100000000"),
        Arguments.of("header of 2^63", file(Long.MIN_VALUE, brace, 0), "9223372036854775808 bytes long"),
        Arguments.of("header of 2^64-1", file(-1, brace, 0), "18446744073709551615 bytes long"),
        Arguments.of("no header", file(0, new byte[0], 0), "ends too early"),
        Arguments.of("not UTF-8", file("{\"\u00ff\":1}", 0), "malformed UTF-8"),
        Arguments.of("truncated JSON", file("{\"t\":{", 0), "ends too early"),
        Arguments.of("array", file("[]", 0), "not a JSON object"),
        Arguments.of("entry is a number", file("{\"t\":1}", 0), "not an object of dtype"),
        Arguments.of("entry lacks a key", file("{\"t\":{\"dtype\":\"F32\",\"shape\":[]}}", 4),
        "not an object of dtype"),
        Arguments.of("entry has an extra key",
            file("{\"t\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"x\":1}}", 4),
            "not an object of dtype"),
        Arguments.of("duplicate tensor", file("{" + entry("t", "F32", "[1]", "[0,4]") + "," + entry("t", "F32", "[1]",
        "[4,8]") + "}", 8),
            "stands twice"),
        Arguments.of("duplicate dtype",
        file("{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4),
            "stands twice"),
        Arguments.of("ten tensors in one range", file(ten.append('}').toString(), 16), "may not overlap"),
        Arguments.of("partial overlap", file("{" + entry("a", "F32", "[2]", "[0,8]") + "," + entry("b", "F32", "[2]",
        "[4,12]") + "}", 12),
            "may not overlap"),
        Arguments.of("hole", file("{" + entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "F32", "[1]", "[8,12]")
        + "}", 12),
            "leave holes"),
        Arguments.of("hole at the start", file(one("F32", "[1]", "[4,8]"), 8), "leave holes"),
        Arguments.of("trailing bytes", file(one("F32", "[1]", "[0,4]"), 5), "1 bytes follow"),
        Arguments.of("data without tensors", file("{}", 3), "3 bytes follow"),
        Arguments.of("two bytes missing", file(one("F32", "[1]", "[0,4]"), 2), "range 0 to 4 in 2 bytes"),
        Arguments.of("reversed offsets", file(one("F32", "[1]", "[4,0]"), 4), "range 4 to 0"),
        Arguments.of("size differs", file(one("F32", "[2]", "[0,4]"), 4), "ask for 8"),
        Arguments.of("shape overflows", file(one("F32", "[" + max + ",2]", "[0,4]"), 4), "overflows"),
        Arguments.of("shape overflows to fit", file(one("U8", "[4294967296,4294967296]", "[0,0]"), 0), "overflows"),
        Arguments.of("size overflows", file(one("F64", "[2305843009213693952]", "[0,0]"), 0), "overflows"),
        Arguments.of("negative extent", file(one("F32", "[-1]", "[0,4]"), 4), "whole numbers"),
        Arguments.of("fraction", file(one("F32", "[1.0]", "[0,4]"), 4), "whole numbers"),
        Arguments.of("exponent", file(one("F32", "[1e0]", "[0,4]"), 4), "whole numbers"),
        Arguments.of("extent of 2^63", file(one("F32", "[9223372036854775808]", "[0,4]"), 4), "whole numbers"),
        Arguments.of("shape a string", file(one("F32", "\"[1]\"", "[0,4]"), 4), "whole numbers"),
        Arguments.of("one offset", file(one("F32", "[1]", "[4]"), 4), "instead of 2"),
        Arguments.of("offsets null", file(one("F32", "[1]", "[null,4]"), 4), "whole numbers"),
        Arguments.of("rank 9", file(one("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4), "rank 9"),
        Arguments.of("unknown dtype", file(one("F128", "[1]", "[0,16]"), 16), "unknown dtype \"F128\""),
        Arguments.of("dtype a number", file("{\"t\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4),
        "unknown dtype 32"),
        Arguments.of("F4", file(one("F4", "[2]", "[0,1]"), 1), "smaller than a byte"),
        Arguments.of("F6", file(one("F6_E2M3", "[4]", "[0,3]"), 3), "smaller than a byte"),
        Arguments.of("metadata a list", file("{\"__metadata__\":[]}", 0), "__metadata__ is not an object"),
        Arguments.of("metadata with a number", file("{\"__metadata__\":{\"a\":1}}", 0), "else than a string at \"a\""),
        Arguments.of("depth bomb", file("{\"a\":" + "[".repeat(100_000) + "}", 0), "nested deeper than 8"),
        Arguments.of("long name", file("{" + entry("n".repeat(2000), "F32", "[1]", "[0,4]") + "}", 4),
        "2000 characters"),
        Arguments.of("text after the header", file("{} x", 0), "something follows"),
        Arguments.of("too many values", file("{\"a\":[" + "0,".repeat(300_000) + "0]}", 0), "more than 250000 values"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("malformed")
  void malformedFilesAreOneSentence(String name, byte[] bytes, String sentence) throws Exception {
    Path path = Files.write(dir.resolve("m.safetensors"), bytes);
    long before = allocated();
    DiffcertException e = assertThrows(DiffcertException.class, () -> Safetensors.open(path));
    assertTrue(allocated() - before < bytes.length + (64L << 20), "allocated " + (allocated() - before));
    assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    assertTrue(e.getMessage().startsWith("m.safetensors is not ") && e.getMessage().contains(sentence), e.getMessage());
    assertFalse(e.getMessage().contains("\n") || e.getMessage().length() > 400, e.getMessage());
  }

  private static long allocated() {
    return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
        .getThreadAllocatedBytes(Thread.currentThread().getId());
  }

  @Test
  void missingFilesAndFoldersAreOneSentence() {
    assertTrue(assertThrows(DiffcertException.class, () -> Safetensors.open(dir.resolve("none"))).getMessage()
        .endsWith("does not exist"));
    assertTrue(assertThrows(DiffcertException.class, () -> Safetensors.open(dir)).getMessage()
        .contains("not a regular file"));
  }

  @Test
  void oddButValidFilesAreRead() throws Exception {
    assertEquals(0, read(file("{}", 0)).tensors().size());
    assertEquals(List.of(0L, 7L), read(file(one("F32", "[0,7]", "[0,0]"), 0)).tensor("t").shape());
    assertArrayEquals(new float[1], read(file(one("F32", "[]", "[0,4]"), 4)).tensor("t").floats());
    assertArrayEquals(new float[1], read(file(one("F32", "[1]", "[0,4]") + "   \n", 4)).tensor("t").floats());
    assertArrayEquals(new float[1], read(file("  " + one("F32", "[1]", "[0,4]"), 4)).tensor("t").floats());
    Safetensors zero = read(file("{" + entry("a", "F32", "[0]", "[4,4]") + "," + entry("b", "F32", "[1]", "[0,4]")
        + "}", 4));
    assertEquals(0, zero.tensor("a").floats().length);
    assertEquals(Map.of("k", "v"), read(file("{\"__metadata__\":{\"k\":\"v\"}}", 0)).metadata());
    Safetensors bool = read(file(one("BOOL", "[1]", "[0,1]"), 1));
    assertTrue(assertThrows(DiffcertException.class, () -> bool.tensor("t").floats()).getMessage().contains("BOOL"));
    assertThrows(DiffcertException.class, () -> bool.tensor("u"));
  }

  private Safetensors read(byte[] bytes) throws Exception {
    return Safetensors.open(Files.write(dir.resolve("v.safetensors"), bytes));
  }

  @Test
  void everyFloatTypeBecomesFloat32() throws Exception {
    String header = "{" + entry("bf16", "BF16", "[3]", "[0,6]") + "," + entry("f16", "F16", "[7]", "[6,20]") + ","
        + entry("f32", "F32", "[1]", "[20,24]") + "," + entry("f64", "F64", "[2]", "[24,40]") + "}";
    ByteBuffer bytes = ByteBuffer.wrap(file(header, 40)).order(ByteOrder.LITTLE_ENDIAN).position(8 + header.length());
    bytes.putShort((short) 0x3FC0).putShort((short) 0xC000).putShort((short) 0x7F80);
    for (int half : new int[] {0x3C00, 0xC000, 0x0001, 0x83FF, 0x7BFF, 0x7C00, 0x8000}) {
      bytes.putShort((short) half);
    }
    bytes.putFloat(0.1f).putDouble(0.1).putDouble(1e300);
    try (Safetensors file = read(bytes.array())) {
      assertArrayEquals(new float[] {1.5f, -2f, Float.POSITIVE_INFINITY}, file.tensor("bf16").floats());
      assertArrayEquals(new float[] {1f, -2f, 0x1p-24f, -1023 * 0x1p-24f, 65504f, Float.POSITIVE_INFINITY, -0f},
          file.tensor("f16").floats());
      assertArrayEquals(new float[] {0.1f}, file.tensor("f32").floats());
      assertArrayEquals(new float[] {0.1f, Float.POSITIVE_INFINITY}, file.tensor("f64").floats());
    }
  }

  @Test
  void tensorsBeyondTwoGibibytesAreReadInPlace() throws Exception {
    long big = 600_000_000L;
    String header = "{" + entry("big", "F32", "[" + big + "]", "[0," + 4 * big + "]") + ","
        + entry("last", "F32", "[2]", "[" + 4 * big + "," + (4 * big + 8) + "]") + "}";
    Path path = Files.write(dir.resolve("big.safetensors"), file(header, 0));
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      sparse.setLength(8 + header.length() + 4 * big + 8);
      sparse.seek(8 + header.length() + 4 * big + 4);
      sparse.write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(2.5f).array());
    }
    try (Safetensors file = Safetensors.open(path)) {
      assertEquals(big, file.tensor("big").count());
      assertArrayEquals(new float[] {0, 2.5f}, file.tensor("last").floats());
    }
  }

  @Test
  void aLargeHeaderIsReadWithinItsBounds() throws Exception {
    int size = 40 << 20;
    byte[] json = ("{" + " ".repeat(size) + "\"__metadata__\":{}}").getBytes(StandardCharsets.US_ASCII);
    Path path = Files.write(dir.resolve("h.safetensors"), file(json.length, json, 0));
    long before = allocated();
    try (Safetensors file = Safetensors.open(path)) {
      assertEquals(0, file.tensors().size());
    }
    assertTrue(allocated() - before < size + (64L << 20));
  }

  @Test
  void aFileThatShrinksIsOneSentence() throws Exception {
    Path path = Files.write(dir.resolve("s.safetensors"), file(one("F32", "[4]", "[0,16]"), 16));
    try (Safetensors file = Safetensors.open(path); RandomAccessFile cut = new RandomAccessFile(path.toFile(), "rw")) {
      cut.setLength(cut.length() - 4);
      assertTrue(assertThrows(DiffcertException.class, () -> file.tensor("t").floats()).getMessage()
          .contains("ends at byte"));
    }
  }

  @Test
  void writingIsDeterministicAlignedAndWhole() throws Exception {
    Path a = dir.resolve("a.safetensors");
    Path b = dir.resolve("b.safetensors");
    Tensor x = Tensor.of("x", List.of(2L, 1L), new float[] {1, 2});
    Tensor y = Tensor.of("\u00e9", List.of(), new float[] {3});
    Safetensors.write(a, Map.of("k", "v\"\n"), List.of(y, x));
    Safetensors.write(b, Map.of("k", "v\"\n"), List.of(x, y));
    assertEquals(-1, Files.mismatch(a, b));
    assertEquals(0, ByteBuffer.wrap(Files.readAllBytes(a)).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8);
    try (Safetensors file = Safetensors.open(a)) {
      assertEquals(Map.of("k", "v\"\n"), file.metadata());
      assertArrayEquals(new float[] {1, 2}, file.tensor("x").floats());
      assertEquals(List.of(), file.tensor("\u00e9").shape());
    }
    try (Stream<Path> left = Files.list(dir)) {
      assertEquals(2, left.count());
    }
    Tensor broken = Tensor.of("z", List.of(1L), () -> {
      throw DiffcertException.badInput("gone");
    });
    assertThrows(DiffcertException.class, () -> Safetensors.write(a, Map.of(), List.of(broken)));
    assertEquals(-1, Files.mismatch(a, b));
    assertThrows(IllegalArgumentException.class, () -> Safetensors.write(a, Map.of(), List.of(x, x)));
    assertThrows(DiffcertException.class, () -> Safetensors.write(dir.resolve("no/x"), Map.of(), List.of(x)));
  }
}
