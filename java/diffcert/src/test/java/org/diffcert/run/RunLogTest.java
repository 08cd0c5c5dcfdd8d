package org.diffcert.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.diffcert.DiffcertException;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Histogram;
import org.diffcert.file.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Logs from strangers: each malformed one is refused with one sentence, as bad input, and is left as it was. */
class RunLogTest {
  @TempDir Path temp;

  static Stream<Arguments> malformed() {
    String header = text(RunLog.headerLine(Toys.header(3), Toys.ORIGIN));
    LogLine record = Toys.record(0).encode();
    String line = text(record);
    List<Arguments> cases = new ArrayList<>();
    add(cases, "not JSON", "hello\n");
    add(cases, "a list instead of an object", "[1,2]\n");
    add(cases, "only a line feed", "\n");
    add(cases, "a bit flipped in the header", header.replace("toy:none", "toy:nonf") + "\n");
    add(cases, "a digit changed in a record", header + "\n" + line.replace("\"calls\":70", "\"calls\":71") + "\n");
    add(cases, "white space added", header + "\n" + line.replace(",\"calls\"", ", \"calls\"") + "\n");
    add(cases, "windows line ends", header + "\r\n" + line + "\r\n");
    add(cases, "a byte order mark", "\u00ef\u00bb\u00bf" + header + "\n");
    add(cases, "zero bytes after a crash of the disk", header + "\n" + "\0".repeat(300) + "\n");
    add(cases, "a byte above ASCII", header + "\n" + line.replace("crc", "cr\u00e7") + "\n");
    add(cases, "a line missing its end in the middle", header + "\n" + line.substring(0, 90) + "\n" + line + "\n");
    add(cases, "a blank line in the middle", header + "\n\n" + line + "\n");
    add(cases, "two records on one line", header + "\n" + line + line + "\n");
    add(cases, "the same key twice", header + "\n" + line.replace("\"body\"", "\"crc\":\"00000000\",\"body\"") + "\n");
    add(cases, "nesting without end", header + "\n{\"crc\":" + "[".repeat(100_000) + "\n");
    add(cases, "a line of six megabytes", header + "\n{\"crc\":\"" + "a".repeat(6 << 20) + "\n");
    add(cases, "a million values", header + "\n{\"crc\":[" + "1,".repeat(1_000_000) + "1]}\n");
    add(cases, "an integer of forty digits", header + "\n" + line.replace(":70", ":" + "7".repeat(40)) + "\n");
    add(cases, "a number beyond the doubles", header + "\n" + line.replace("0.25", "1.0E+999") + "\n");
    add(cases, "a number with a leading zero", header + "\n" + line.replace(":70", ":070") + "\n");
    add(cases, "not a number", header + "\n" + line.replaceFirst("\"pALower\":[^,]*", "\"pALower\":NaN") + "\n");
    add(cases, "an unknown escape", header + "\n" + line.replace("\"image\"", "\"\\image\"") + "\n");
    add(cases, "a header alone, twice", header + "\n" + header + "\n");
    add(cases, "a record first", line + "\n");
    add(cases, "the same image twice", header + "\n" + line + "\n" + line + "\n");

    Map<String, Object> origin = Toys.ORIGIN.encode();
    origin.put("host", "a name that is nobody's business");
    add(cases, "an unknown field of the origin", text(new LogLine(Toys.header(3).encode(), origin)) + "\n");
    header(cases, "a future format", h -> h.put("schema", 2L));
    header(cases, "future semantics", h -> h.put("semantics", 7L));
    header(cases, "no format", h -> h.remove("schema"));
    header(cases, "an unknown header field", h -> h.put("comment", "hi"));
    header(cases, "a header without a source", h -> h.remove("source"));
    header(cases, "a source that is a string", h -> h.put("source", "toy"));
    header(cases, "a device that is a number", h -> h.put("device", 3L));
    header(cases, "alpha above one half", h -> inner(h, "config").put("alpha", 0.7));
    header(cases, "n0 of zero", h -> inner(h, "config").put("n0", 0L));
    header(cases, "n beyond the counter", h -> inner(h, "config").put("n", 2_000_000_000L));
    header(cases, "n beyond an int", h -> inner(h, "config").put("n", 1L << 40));
    header(cases, "a negative sigma", h -> inner(h, "config").put("sigmas", List.of(-0.25, 0.5)));
    header(cases, "sigmas that do not ascend", h -> inner(h, "config").put("sigmas", List.of(0.5, 0.25)));
    header(cases, "no sigma", h -> inner(h, "config").put("sigmas", List.of()));
    header(cases, "sigmas of strings", h -> inner(h, "config").put("sigmas", List.of("0.25", "0.5")));
    header(cases, "an unknown rule for stopping", h -> inner(h, "config").put("stop", "soon"));
    header(cases, "radii of a fixed number of samples", h -> inner(h, "config").put("radii", List.of(0.5)));
    header(cases, "no radii to stop at", h -> inner(h, "config").put("stop", "sequential"));
    header(cases, "radii that do not ascend", h -> {
      inner(h, "config").put("stop", "staged");
      inner(h, "config").put("radii", List.of(0.5, 0.25));
    });
    header(cases, "a family of none", h -> inner(h, "config").put("family", 0L));
    header(cases, "a single class", h -> inner(h, "data").put("classes", List.of("all")));
    header(cases, "classes that are numbers", h -> inner(h, "data").put("classes", List.of(1L, 2L)));
    header(cases, "an empty range of images", h -> inner(h, "images").put("to", 0L));
    header(cases, "a step of zero", h -> inner(h, "images").put("step", 0L));

    record(cases, "an image of another run", r -> r.put("image", 3L));
    record(cases, "a negative image", r -> r.put("image", -1L));
    record(cases, "a label that no class has", r -> r.put("label", 2L));
    record(cases, "a record without calls", r -> r.remove("calls"));
    record(cases, "an unknown record field", r -> r.put("note", true));
    record(cases, "results for one sigma of two", r -> r.put("results", ((List<?>) r.get("results")).subList(0, 1)));
    record(cases, "a result that is null", r -> {
      List<Object> results = new ArrayList<>((List<?>) r.get("results"));
      results.set(1, null);
      r.put("results", results);
    });
    result(cases, "a result for another sigma", r -> r.put("sigma", 0.3));
    result(cases, "votes that do not sum to n", r -> r.put("estimation", List.of(1L, 2L)));
    result(cases, "votes that overflow an int", r -> r.put("estimation", List.of(2147483647L, 2147483647L)));
    result(cases, "a negative vote count", r -> r.put("estimation", List.of(-1L, 61L)));
    result(cases, "votes for too many classes", r -> r.put("selection", List.of(10L, 0L, 0L)));
    result(cases, "votes that are fractions", r -> r.put("selection", List.of(9.5, 0.5)));
    result(cases, "a radius that is a string", r -> r.put("radius", "0.5"));
    result(cases, "a negative radius", r -> r.put("radius", -0.5));
    result(cases, "a probability above one", r -> r.put("pALower", 1.5));
    result(cases, "an integer radius of minus two", r -> r.put("integerRadius", -2L));
    result(cases, "a prediction that no class has", r -> r.put("predict", 2L));
    LogLine badTime = new LogLine(record.body(), Map.of("finished", "yesterday"));
    add(cases, "a record that took no time", header + "\n" + text(badTime) + "\n");
    Map<String, Object> yesterday = new LinkedHashMap<>();
    yesterday.put("finished", "yesterday");
    yesterday.put("nanos", 5L);
    add(cases, "a time that is none", header + "\n" + text(new LogLine(record.body(), yesterday)) + "\n");
    return cases.stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("malformed")
  void malformedIsBadInput(String name, String text) throws Exception {
    Path file = temp.resolve(RunLog.FILE);
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    Files.write(file, bytes);
    for (org.junit.jupiter.api.function.Executable use : List.<org.junit.jupiter.api.function.Executable>of(
        () -> RunLog.read(temp), () -> Verify.run(temp), () -> Logs.read(file),
        () -> RunDirectory.openOrCreate(temp, Toys.header(3), Toys.ORIGIN))) {
      DiffcertException e = assertThrows(DiffcertException.class, use);
      assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
      assertFalse(e.getMessage().contains("\n") || e.getMessage().length() > 500, e.getMessage());
      assertTrue(e.getMessage().contains(RunLog.FILE + ", line "), e.getMessage());
    }
    assertTrue(java.util.Arrays.equals(bytes, Files.readAllBytes(file)), "the file is left as it was");
  }

  @Test
  void missingAndEmptyLogsAreBadInput() throws Exception {
    assertEquals(DiffcertException.Kind.BAD_INPUT,
        assertThrows(DiffcertException.class, () -> RunLog.read(temp)).kind());
    Files.createFile(temp.resolve(RunLog.FILE));
    assertEquals(DiffcertException.Kind.BAD_INPUT,
        assertThrows(DiffcertException.class, () -> Verify.run(temp)).kind());
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1, 1 / 3.0, 0.001, 1, 255, 1e15, 1e16, 1e17, 123456789012345680.0, 1e300, 5e-324, 2e-3,
    Double.MIN_NORMAL, Double.MAX_VALUE, 0.6931471805599453, -2.5})
  void doublesReadBackExactly(double value) {
    Object back = Json.parse(Json.of(value).write(), "the number").plain();
    assertEquals(value, back);
  }

  /** Logs outlive versions: the canonical text of every kind of value, and its checksum, are frozen. */
  @Test
  void theBytesOfALineAreFrozen() {
    String text = "{\"crc\":\"%s\",\"body\":{\"a\":[1,-9223372036854775808,0.5,1.0E-5,1.0E16],\"\u00e9\":"
        + "{\"q\":\"a \\\"b\\\" \\n \u00fc\",\"t\":true,\"n\":null,\"e\":[],\"o\":{}}},\"time\":{\"s\":\"now\"}}";
    LogLine line = LogLine.parse(String.format(text, "e048bfa8").getBytes(StandardCharsets.UTF_8));
    assertEquals(List.of(1L, Long.MIN_VALUE, 0.5, 1e-5, 1e16), line.body().get("a"));
    assertEquals(String.format(text, "e048bfa8"), text(line));
  }

  @Test
  void whatWasMadeUpIsAMismatch() throws Exception {
    String header = text(RunLog.headerLine(Toys.header(3), Toys.ORIGIN));
    for (String field : List.of("radius", "pALower", "alpha", "integerRadius", "predict", "candidate")) {
      LogLine line = altered(r -> {
        Object value = r.get(field);
        r.put(field, value instanceof Double d ? (Object) (d / 2 + 0.125) : (Object) (((Long) value + 1) % 2));
      });
      Files.writeString(temp.resolve(RunLog.FILE), header + "\n" + text(line) + "\n");
      DiffcertException e = assertThrows(DiffcertException.class, () -> Verify.run(temp), field);
      assertEquals(DiffcertException.Kind.MISMATCH, e.kind());
      assertTrue(e.getMessage().contains("image 0, sigma 0.25: " + field + " is "), e.getMessage());
    }
  }

  @Test
  void votesCastAgainAreComparedClassByClass() {
    RunRecord there = Toys.record(0);
    assertEquals(List.of(), Verify.votes(there, Toys.record(0)));
    Certificate first = there.certificates().get(0);
    Histogram moved = new Histogram(new int[] {first.estimation().count(0) - 1, first.estimation().count(1) + 1}, 0);
    Certificate other = Certificate.of(first.sigma(), first.selection(), moved, first.alpha());
    assertEquals(List.of("image 0, sigma 0.25: 1 of 60 estimation votes moved, class 0 has "
        + first.estimation().count(0) + " in the log and " + moved.count(0) + " cast again"),
        Verify.votes(there, with(there, other)));
    Certificate fewer = Certificate.of(first.sigma(), new Histogram(new int[] {9, 0}, 0), first.estimation(),
        first.alpha());
    assertEquals(List.of("image 0, sigma 0.25: 10 selection votes in the log and 9 cast again"),
        Verify.votes(there, with(there, fewer)));
  }

  private static RunRecord with(RunRecord record, Certificate first) {
    return new RunRecord(record.image(), record.label(), List.of(first, record.certificates().get(1)), record.calls(),
        record.elapsed(), record.finished());
  }

  @Test
  void aTableThatWasEditedIsAMismatch() throws Exception {
    Toys.goOn(temp, 3);
    assertEquals(new Verify.Outcome(3, 6, 0, 0, Toys.header(3).digest()), Verify.run(temp));
    Path table = temp.resolve("results-sigma0.5.tsv");
    Files.writeString(table, Files.readString(table).replaceFirst("\n0\t", "\n9\t"));
    DiffcertException e = assertThrows(DiffcertException.class, () -> Verify.run(temp));
    assertEquals(DiffcertException.Kind.MISMATCH, e.kind());
    assertTrue(e.getMessage().contains("results-sigma0.5.tsv"), e.getMessage());
  }

  private static void add(List<Arguments> cases, String name, String text) {
    cases.add(Arguments.of(name, text));
  }

  private static void header(List<Arguments> cases, String name, Consumer<Map<String, Object>> change) {
    Json header = Json.parse(Json.of(Toys.header(3).encode()).write(), "copy");
    Map<String, Object> body = Fields.object("copy", header.plain());
    change.accept(body);
    add(cases, name, text(new LogLine(body, Toys.ORIGIN.encode())) + "\n");
  }

  private static void record(List<Arguments> cases, String name, Consumer<Map<String, Object>> change) {
    LogLine line = copy(Toys.record(0).encode());
    change.accept(line.body());
    add(cases, name, text(RunLog.headerLine(Toys.header(3), Toys.ORIGIN)) + "\n" + text(line) + "\n");
  }

  private static void result(List<Arguments> cases, String name, Consumer<Map<String, Object>> change) {
    add(cases, name, text(RunLog.headerLine(Toys.header(3), Toys.ORIGIN)) + "\n" + text(altered(change)) + "\n");
  }

  private static LogLine altered(Consumer<Map<String, Object>> change) {
    LogLine line = copy(Toys.record(0).encode());
    change.accept(Fields.object("result", ((List<?>) line.body().get("results")).get(0)));
    return line;
  }

  private static String text(LogLine line) {
    return new String(line.write(), StandardCharsets.UTF_8);
  }

  private static LogLine copy(LogLine line) {
    return LogLine.parse(line.write());
  }

  private static Map<String, Object> inner(Map<String, Object> map, String key) {
    return Fields.object(key, map.get(key));
  }
}
