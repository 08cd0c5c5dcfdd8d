package org.diffcert.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.diffcert.DiffcertException;
import org.diffcert.file.FileBytes;
import org.diffcert.file.Tensor;
import org.diffcert.file.TorchCheckpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** State dicts of torch.save and pickles from strangers. */
class TorchFilesTest {
  private static final Model TINY = Model.random(NetworkConfig.preset("tiny-ddpmpp"), 5);
  private static final Collection<Tensor> TENSORS = TINY.tensors().values();
  private static final Tensor ONE = Tensor.of("w", List.of(2L), new float[] {1, 2});
  @TempDir Path dir;

  @Test
  void zipAndLegacyStateDictsAreTheSameModel() throws Exception {
    Path zip = Files.write(dir.resolve("m.pt"), TorchWriter.zip(TorchWriter.entries(TENSORS)));
    Path legacy = Files.write(dir.resolve("m.pth"), TorchWriter.legacy(TENSORS));
    String config = "{\"precond\":\"EDMPrecond\",\"config\":" + TINY.config().toJson() + "}";
    Files.writeString(dir.resolve("m.pt.json"), config);
    try (Model model = Model.open(zip)) {
      assertEquals(ModelFormat.PYTORCH_ZIP, model.format());
      assertEquals(TINY.digest(), model.digest());
    }
    assertTrue(assertThrows(DiffcertException.class, () -> Model.open(legacy)).getMessage().contains("--config"));
    try (Model model = Model.open(legacy, ModelOptions.fromFile(dir.resolve("m.pt.json")))) {
      assertEquals(ModelFormat.PYTORCH_LEGACY, model.format());
      assertEquals(TINY.digest(), model.digest());
    }
  }

  @Test
  void configurationsThatDifferAreRefused() throws Exception {
    Path path = dir.resolve("m.safetensors");
    TINY.write(path);
    ModelOptions other = new ModelOptions(NetworkConfig.preset("mnist-ddpmpp"));
    assertTrue(assertThrows(DiffcertException.class, () -> Model.open(path, other)).getMessage().contains("differs"));
    Path config = Files.writeString(dir.resolve("c.json"), "{\"precond\":\"EDMPrecond\",\"config\":{},\"x\":1}");
    assertTrue(assertThrows(DiffcertException.class, () -> ModelOptions.fromFile(config)).getMessage()
        .contains("unknown key \"x\""));
  }

  @Test
  void transposedTensorsAreRead() throws Exception {
    byte[] pickle = tensorPickle(6, 0, new long[] {2, 3}, new long[] {1, 2});
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("a/data.pkl", pickle);
    entries.put("a/data/0", TorchWriter.floats(new float[] {0, 1, 2, 3, 4, 5}));
    try (FileBytes file = FileBytes.open(Files.write(dir.resolve("t.pt"), TorchWriter.zip(entries)))) {
      assertArrayEquals(new float[] {0, 2, 4, 1, 3, 5}, TorchCheckpoint.zip(file).tensors().get("w").floats());
    }
  }

  private static byte[] tensorPickle(long elements, long offset, long[] shape, long[] strides) {
    TorchWriter w = new TorchWriter().proto().op('}').text("w").global("torch._utils", "_rebuild_tensor_v2").op('(',
        '(').text("storage")
        .global("torch", "FloatStorage").text("0").text("cpu").whole(elements).op('t', 'Q').whole(offset).op('(');
    for (long extent : shape) {
      w.whole(extent);
    }
    w.op('t', '(');
    for (long stride : strides) {
      w.whole(stride);
    }
    return w.op('t', 0x89, '}', 't', 'R', 's', '.').bytes();
  }

  private static Arguments pickle(String name, String sentence, Consumer<TorchWriter> body) {
    TorchWriter w = new TorchWriter().op(0x80, 4);
    body.accept(w);
    return Arguments.of(name, w.op('.').raw(new byte[8]).bytes(), sentence);
  }

  private static Arguments zip(String name, String sentence, Consumer<Map<String, byte[]>> change) {
    Map<String, byte[]> entries = TorchWriter.entries(List.of(ONE));
    change.accept(entries);
    return Arguments.of(name, TorchWriter.zip(entries), sentence);
  }

  private static Arguments tensor(String name, long elements, long offset, long[] shape, long[] strides) {
    return zip(name, "", entries -> entries.put("archive/data.pkl", tensorPickle(elements, offset, shape, strides)));
  }

  private static Arguments patched(String name, String sentence, int fromEnd, int value) {
    byte[] bytes = TorchWriter.zip(TorchWriter.entries(List.of(ONE)));
    bytes[bytes.length - fromEnd] = (byte) value;
    return Arguments.of(name, bytes, sentence);
  }

  static Stream<Arguments> malformed() {
    byte[] good = TorchWriter.zip(TorchWriter.entries(List.of(ONE)));
    byte[] legacy = TorchWriter.legacy(List.of(ONE));
    List<Arguments> cases = new ArrayList<>(List.of(
        pickle("runs a command", "names posix.system", w -> w.global("posix", "system").text("id").op(0x85, 'R')),
        pickle("runs a command by stack", "names builtins.eval", w -> w.text("builtins").text("eval").op(0x93)),
        pickle("imports through torch", "names torch.hub.load", w -> w.global("torch.hub", "load")),
        pickle("attribute of a known module", "names collections.namedtuple", w -> w.global("collections",
            "namedtuple")),
        pickle("dotted name", "names torch.nn.modules.a.b.c", w -> w.text("torch.nn.modules.a").text("b.c").op(0x93)),
        pickle("calls a module class", "calls torch.nn.modules.linear.Linear",
            w -> w.global("torch.nn.modules.linear", "Linear").op(')', 'R')),
        pickle("calls a string", "calls something that is not a known name", w -> w.text("x").op(')', 'R')),
        pickle("makes a storage", "makes an object of torch.FloatStorage", w -> w.global("torch", "FloatStorage")
            .op(')', 0x81)),
        pickle("state for a string", "takes none", w -> w.text("x").op('}', 'b')),
        pickle("extension registry", "operation 0x82", w -> w.op(0x82, 1)),
        pickle("old instance opcode", "operation 0x69", w -> w.op('(').op('i')),
        pickle("persistent id", "outside the pickle", w -> w.text("x").op('Q')),
        pickle("protocol 5 buffer", "operation 0x97", w -> w.op(0x97)),
        pickle("integer of 4 GiB", "an integer of 4294967295 bytes", w -> w.op(0x8b, 255, 255, 255, 255)),
        pickle("string of 2^62", "a string of 4611686018427387904 bytes", w -> w.op(0x8d).raw(TorchWriter.le(8,
            1L << 62))),
        pickle("string of 2^63", "9223372036854775808 bytes", w -> w.op(0x8d).raw(TorchWriter.le(8, Long.MIN_VALUE))),
        pickle("bytes of 2^40", "a bytes object of 1099511627776", w -> w.op(0x8e).raw(TorchWriter.le(8, 1L << 40))),
        pickle("frame beyond the end", "a frame of", w -> w.op(0x95).raw(TorchWriter.le(8, 1L << 40))),
        pickle("memo far away", "memo entry 4294967295", w -> w.op('N', 'r', 255, 255, 255, 255)),
        pickle("memo not there", "memo entry 7", w -> w.op('h', 7)),
        pickle("empty stack", "empty stack", w -> w.op('0')),
        pickle("no mark", "a mark that is not there", w -> w.op('t')),
        pickle("mark for a value", "a mark for a value", w -> w.op('(', 0x85)),
        pickle("stack left", "values left", w -> w.op('N', 'N')),
        pickle("stack bomb", "grows over", w -> w.raw("(".repeat(300_000).getBytes())),
        pickle("dictionary bomb", "more than", w -> w.raw("}0".repeat(600_000).getBytes())),
        pickle("odd dictionary", "a key and no value", w -> w.op('}', '(', 'N', 'u')),
        pickle("unhashable key", "no string and no number", w -> w.op('}', ']', 'N', 's')),
        pickle("key twice", "twice", w -> w.op('}', 'K', 1, 'N', 's', 'K', 1, 'N', 's')),
        pickle("text that is not UTF-8", "not UTF-8", w -> w.op('U', 1, 255)),
        pickle("not a dictionary", "something follows", w -> w.op('N')),
        pickle("appends to None", "not a list", w -> w.op('N', 'N', 'a')),
        Arguments.of("protocol 5", new TorchWriter().op(0x80, 5, 'N', '.').raw(new byte[] {1, 2, 3, 4, 5, 6}).bytes(),
            "protocol 5"),
        Arguments.of("only a start", new TorchWriter().op(0x80, 4, '}', '(', '(', '(', '(', '(').bytes(),
            "ends in the middle")));
    cases.addAll(List.of(
        zip("no pickle", "no entry data.pkl", e -> e.remove("archive/data.pkl")),
        zip("two pickles", "two entries named data.pkl", e -> e.put("b/data.pkl", new byte[1])),
        zip("storage missing", "is missing", e -> e.remove("archive/data/0")),
        zip("storage short", "is 4 bytes long", e -> e.put("archive/data/0", new byte[4])),
        zip("big-endian", "little-endian", e -> e.put("archive/byteorder", "big".getBytes())),
        zip("path that climbs", "plain relative path", e -> e.put("archive/../../x", new byte[1])),
        zip("absolute path", "plain relative path", e -> e.put("/etc/passwd", new byte[1])),
        zip("backslash", "plain relative path", e -> e.put("a\\..\\x", new byte[1])),
        zip("pickle with a tail", "something follows", e -> e.put("archive/data.pkl",
            new TorchWriter().raw(TorchWriter.stateDict(List.of(ONE), false)).op('.').bytes())),
        zip("no tensor", "is not a tensor", e -> e.put("archive/data.pkl", new TorchWriter().proto().op('}').text("a")
            .op('N', 's', '.')
            .bytes())),
        zip("list at the top", "not a dictionary", e -> e.put("archive/data.pkl", new TorchWriter().proto().op(']',
            '.').bytes())),
        tensor("tensor past its storage", 2, 1, new long[] {2}, new long[] {1}),
        tensor("negative offset", 2, -1, new long[] {2}, new long[] {1}),
        tensor("negative extent", 2, 0, new long[] {-2}, new long[] {1}),
        tensor("negative stride", 2, 0, new long[] {2}, new long[] {-1}),
        tensor("expanded tensor", 2, 0, new long[] {2_000_000_000}, new long[] {0}),
        tensor("shape that overflows", 2, 0, new long[] {2_000_000_000, 2_000_000_000, 2_000_000_000, 0x7fffffff},
            new long[] {0, 0, 0, 0}),
        tensor("strides of another rank", 2, 0, new long[] {2}, new long[] {1, 1}),
        tensor("negative storage", -2, 0, new long[] {2}, new long[] {1}),
        tensor("rank 9", 2, 0, new long[9], new long[9]),
        patched("zip comment", "does not end with a zip directory", 2, 5),
        patched("entry count", "directory is damaged", 12, 9),
        patched("directory beyond the end", "directory is damaged", 3, 0x70),
        Arguments.of("zip cut off", java.util.Arrays.copyOf(good, good.length - 30),
            "does not end with a zip directory"),
        Arguments.of("zip start only", java.util.Arrays.copyOf(good, 12), "cut off"),
        Arguments.of("legacy cut off", java.util.Arrays.copyOf(legacy, legacy.length - 1), "a storage of 2 elements"),
        Arguments.of("legacy with a tail", java.util.Arrays.copyOf(legacy, legacy.length + 3), "3 bytes follow"),
        Arguments.of("legacy head only", TorchWriter.legacyHead(), "ends in the middle")));
    byte[] twice = good.clone();
    String text = new String(twice, java.nio.charset.StandardCharsets.ISO_8859_1);
    for (int at = text.indexOf("archive/version"); at >= 0; at = text.indexOf("archive/version", at + 1)) {
      System.arraycopy("archive/data/0 ".getBytes(), 0, twice, at, 14);
    }
    cases.add(Arguments.of("renamed entry", twice, ""));
    byte[] compressed = good.clone();
    compressed[text.indexOf("PK\u0001\u0002") + 10] = 8;
    cases.add(Arguments.of("compressed entry", compressed, "compressed or encrypted"));
    byte[] bomb = good.clone();
    bomb[text.indexOf("PK\u0001\u0002") + 27] = 0x7f;
    cases.add(Arguments.of("size that differs", bomb, "compressed or encrypted"));
    byte[] elsewhere = good.clone();
    elsewhere[text.indexOf("PK\u0001\u0002") + 42] = 1;
    cases.add(Arguments.of("offset that differs", elsewhere, "its own header"));
    return cases.stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("malformed")
  void malformedFilesAreOneSentence(String name, byte[] bytes, String sentence) throws Exception {
    Path path = Files.write(dir.resolve("m.bin"), bytes);
    ModelOptions options = new ModelOptions(TINY.config());
    long before = allocated();
    DiffcertException e = assertThrows(DiffcertException.class, () -> Model.open(path, options));
    assertTrue(allocated() - before < bytes.length + (64L << 20), "allocated " + (allocated() - before));
    assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    assertTrue(e.getMessage().startsWith("m.bin ") && e.getMessage().contains(sentence), e.getMessage());
    assertFalse(e.getMessage().contains("\n") || e.getMessage().length() > 400, e.getMessage());
  }

  private static long allocated() {
    return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
        .getThreadAllocatedBytes(Thread.currentThread().getId());
  }
}
