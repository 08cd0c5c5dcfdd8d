package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The main job on real digits with the shipped network, in process: runs, their bytes, resuming, refusals,
 * verification.
 */
class CertifyTest {
  @TempDir
  static Path shared;
  /** A finished run with seed 7, made once; tests copy it. */
  private static Path finished;

  @TempDir
  Path directory;

  @BeforeAll
  static void certifyOnce() {
    finished = shared.resolve("finished");
    Cli cli = certify(finished, "--seed", "7");
    assertEquals(0, cli.code(), cli.err());
    assertEquals(3, cli.out().lines().filter(line -> line.startsWith("image ")).count(), cli.out());
    assertFalse(cli.out().contains("\r"), "a progress bar where there is no terminal");
    assertTrue(cli.out().contains("r=0") && cli.out().contains("largest radius possible"), cli.out());
  }

  private static Cli certify(Path out, String... more) {
    List<Object> arguments = new ArrayList<>(List.of("certify", "--model", Cli.MODEL, "--data", Cli.DIGITS, "--images",
        "0:3",
        "--classifier", "epndc", "--sigma", "0.25", "--levels", "5", "--grid", "log", "--n0", "2", "--n", "12",
        "--device", "cpu", "--out", out));
    for (int i = 0; i < more.length; i += 2) {
      int at = arguments.indexOf(more[i]);
      if (at >= 0) {
        arguments.subList(at, at + 2).clear();
      }
      arguments.addAll(Arrays.asList(more).subList(i, i + 2));
    }
    return Cli.run(arguments.toArray());
  }

  @Test
  void theRunHasItsFilesAndVerifies() throws IOException {
    try (Stream<Path> files = Files.list(finished)) {
      assertEquals(List.of("report.html", "results.tsv", "run.jsonl"), files.map(f ->
          f.getFileName().toString()).sorted().toList());
    }
    assertEquals(4, Files.readAllLines(finished.resolve("run.jsonl")).size());
    assertEquals("idx\tlabel\tpredict\tradius\tcorrect\ttime",
        Files.readAllLines(finished.resolve("results.tsv")).get(0));
    assertTrue(Cli.ok("verify", finished).out().startsWith("OK: 3 certificates of 3 images"));
    String table = Cli.ok("analyze", finished, finished.resolve("results.tsv"), "--radii", "0,0.1").out();
    List<String> rows = table.lines().toList();
    assertEquals(4, rows.size(), table);
    assertEquals(rows.get(2).replaceAll("^.*? {2}", "").strip(), rows.get(3).replaceAll("^.*? {2}", "").strip(),
        "the log and its table say the same");
  }

  @Test
  void bytesDoNotDependOnBatchOrThreads() throws IOException {
    for (String[] how : new String[][] {{"--batch", "1"}, {"--batch", "7", "--threads", "1"}, {"--isa", "portable"}}) {
      Path other = directory.resolve(String.join("", how));
      List<String> options = new ArrayList<>(List.of("--seed", "7"));
      options.addAll(List.of(how));
      assertEquals(0, certify(other, options.toArray(String[]::new)).code());
      assertEquals(withoutTimes(finished), withoutTimes(other), String.join(" ", how));
    }
  }

  @Test
  void anotherSeedIsAnotherRunAndAutoIsFreshEachTime() throws IOException {
    for (String name : List.of("a", "b")) {
      assertEquals(0, certify(directory.resolve(name), "--images", "0:1").code());
    }
    assertNotEquals(seed(directory.resolve("a")), seed(directory.resolve("b")));
  }

  @Test
  void aTornRunGoesOnToTheSameBytesWithItsRecordedSeed() throws IOException {
    byte[] whole = Files.readAllBytes(finished.resolve("run.jsonl"));
    int header = new String(whole, StandardCharsets.UTF_8).indexOf('\n') + 1;
    for (int cut : new int[] {0, header / 2, header, header + 30, whole.length - 40, whole.length - 1}) {
      Path torn = Files.createDirectories(directory.resolve("torn" + cut));
      Files.write(torn.resolve("run.jsonl"), Arrays.copyOf(whole, cut));
      // Only a log with a whole header knows its seed; auto picks that up.
      Cli cli = cut >= header ? certify(torn) : certify(torn, "--seed", "7");
      assertEquals(0, cli.code(), cli.err());
      assertEquals(withoutTimes(finished), withoutTimes(torn), "cut at " + cut);
      assertTrue(Cli.ok("verify", torn).out().startsWith("OK: 3 certificates"));
    }
  }

  @Test
  void anotherOptionIsRefusedWithADiffAndNothingChanges() throws IOException {
    Path copy = copy();
    String[][] changes = {{"--sigma", "0.5"}, {"--n", "14"}, {"--n0", "3"}, {"--levels", "6"}, {"--alpha", "0.01"},
        {"--weights", "elbo"}, {"--images", "0:4"}, {"--seed", "8"}, {"--classifier", "apndc"}, {"--device",
        "reference"}};
    for (String[] change : changes) {
      Cli cli = certify(copy, change);
      assertEquals(2, cli.code(), cli.err());
      assertEquals(1, cli.err().strip().lines().count(), cli.err());
      assertTrue(cli.err().contains("another one") && cli.err().contains(change[1]), cli.err());
      for (String file : List.of("run.jsonl", "results.tsv", "report.html")) {
        assertEquals(-1, Files.mismatch(finished.resolve(file), copy.resolve(file)), file + " changed");
      }
    }
  }

  @Test
  void tamperingIsFoundOut() throws IOException {
    Path copy = copy();
    String table = Files.readString(copy.resolve("results.tsv"));
    Files.writeString(copy.resolve("results.tsv"), table.replaceFirst("\t0\\.", "\t1."));
    tampered(copy, "results.tsv");
    Files.writeString(copy.resolve("results.tsv"), table);
    assertTrue(Cli.ok("verify", copy).out().startsWith("OK"));
    List<String> log = new ArrayList<>(Files.readAllLines(copy.resolve("run.jsonl")));
    String changed = log.get(1).replaceFirst("\"radius\":0\\.", "\"radius\":1.");
    assertNotEquals(log.get(1), changed, "no radius to tamper with");
    log.set(1, changed);
    Files.writeString(copy.resolve("run.jsonl"), String.join("\n", log) + "\n");
    Cli cli = Cli.run("verify", copy);
    assertEquals(3, cli.code(), "the checksum tells: " + cli.err());
    log.set(1, withChecksum(changed));
    Files.writeString(copy.resolve("run.jsonl"), String.join("\n", log) + "\n");
    tampered(copy, "radius is 1.");
  }

  /** A line of the log with the checksum of what it says now, as a forger would write it. */
  private static String withChecksum(String line) {
    int body = line.indexOf("\"body\":") + 7;
    CRC32C crc = new CRC32C();
    crc.update(line.substring(body, line.indexOf(",\"time\":")).getBytes(StandardCharsets.UTF_8));
    return String.format("{\"crc\":\"%08x\"", crc.getValue()) + line.substring(line.indexOf(",\"body\""));
  }

  private static void tampered(Path run, String names) {
    Cli cli = Cli.run("verify", run);
    assertEquals(6, cli.code(), cli.err() + cli.out());
    assertEquals(1, cli.err().strip().lines().count(), cli.err());
    assertTrue(cli.err().contains(names), cli.err());
  }

  @Test
  void severalSigmasOfEpndcComeFromOnePass() throws IOException {
    Path run = directory.resolve("run");
    Cli cli = certify(run, "--sigma", "0.25,0.5", "--levels", "8", "--images", "0:2");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("60 network calls"), "6 levels x 10 classes for both sigmas: " + cli.out());
    assertTrue(Files.readString(run.resolve("run.jsonl")).contains("\"noise\":\"path\""));
    try (Stream<Path> files = Files.list(run)) {
      assertEquals(2, files.filter(file -> file.toString().endsWith(".tsv")).count());
    }
    assertTrue(Cli.ok("verify", run).out().startsWith("OK: 4 certificates of 2 images"));
    assertEquals(4, Cli.ok("analyze", run).out().lines().count());
  }

  @Test
  void predictionsAreRightOrAbstain() throws IOException {
    Path table = directory.resolve("predictions.tsv");
    Cli cli = Cli.ok("predict", "--model", Cli.MODEL, "--data", Cli.DIGITS, "--images", "0:2", "--classifier", "epndc",
        "--sigma",
        "0.25", "--levels", "5", "--grid", "log", "--n", "12", "--seed", "7", "--device", "cpu", "--out", table);
    List<String> rows = Files.readAllLines(table);
    assertEquals(3, rows.size());
    assertTrue(rows.get(1).startsWith("0\t7\t") && rows.get(2).startsWith("1\t2\t"), rows.toString());
    assertTrue(cli.out().contains("p-value"), cli.out());
  }

  private Path copy() throws IOException {
    Path copy = Files.createDirectories(directory.resolve("copy"));
    for (String file : List.of("run.jsonl", "results.tsv", "report.html")) {
      Files.copy(finished.resolve(file), copy.resolve(file));
    }
    return copy;
  }

  private static String withoutTimes(Path run) throws IOException {
    String log = Files.readString(run.resolve("run.jsonl"));
    assertTrue(log.contains("\"time\":{"), "the times are not where this test leaves them out");
    return log.replaceAll("\"time\":\\{[^}]*}", "\"time\":{}");
  }

  private static String seed(Path run) throws IOException {
    String log = Files.readString(run.resolve("run.jsonl"));
    int at = log.indexOf("\"seed\":\"");
    return log.substring(at, log.indexOf('"', at + 8));
  }
}
