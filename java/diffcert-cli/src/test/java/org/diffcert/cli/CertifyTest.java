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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The main job on real digits with the shipped network, in process: a run, its bytes, going on with it, what is
 * refused, verification. Every certify opens the network anew, so there are few and short ones; the many cases of logs
 * are in the library's own tests.
 */
class CertifyTest {
  @TempDir
  static Path shared;
  /** A finished run of two images with seed 7, made once; tests copy it. */
  private static Path finished;

  @TempDir
  Path directory;

  @BeforeAll
  static void certifyOnce() {
    finished = shared.resolve("finished");
    Cli cli = certify(finished, "--seed", "7");
    assertEquals(0, cli.code(), cli.err());
    assertEquals(2, cli.out().lines().filter(line -> line.startsWith("image ")).count(), cli.out());
    String estimate = "(?s).*\ntime     about [0-9].*: 2 images, 14 samples each, .*\nimage     0 .*";
    assertTrue(cli.out().matches(estimate), cli.out());
    assertFalse(cli.out().contains("\r"), "a progress bar where there is no terminal");
    assertTrue(cli.out().contains("r=0") && cli.out().contains("largest radius possible"), cli.out());
  }

  /** A small certify; pairs of option and value replace those here or follow them. */
  private static Cli certify(Path out, String... more) {
    List<Object> arguments = new ArrayList<>(List.of("certify", "--model", Cli.MODEL, "--data", Cli.DIGITS, "--images",
        "0:2", "--classifier", "epndc", "--sigma", "0.25", "--levels", "5", "--grid", "log", "--n0", "2", "--n", "12",
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
  void theRunHasItsFilesVerifiesAndIsAnalyzed() throws IOException {
    try (Stream<Path> files = Files.list(finished)) {
      assertEquals(List.of("report.html", "results.tsv", "run.jsonl"),
          files.map(file -> file.getFileName().toString()).sorted().toList());
    }
    assertEquals(3, Files.readAllLines(log(finished)).size());
    assertTrue(Cli.ok("verify", finished).out().startsWith("OK: 2 certificates of 2 images"));
    String ofLog = Cli.ok("analyze", finished, "--radii", "0,0.1").out();
    String ofTable = Cli.ok("analyze", finished.resolve("results.tsv"), "--radii", "0,0.1").out();
    assertTrue(ofLog.contains("1.000"), "both digits are certified: " + ofLog);
    assertEquals(figures(ofLog), figures(ofTable), "the log and its table say the same");
  }

  /** The numbers of the rows of the table that analyze begins with. */
  private static List<String> figures(String output) {
    return output.lines().skip(2).takeWhile(row -> row.contains("]"))
        .map(row -> row.replaceFirst("^\\S+( sigma \\S+)? +", "")).toList();
  }

  @Test
  void votesDoNotDependOnBatchOrThreads() throws IOException {
    Path other = directory.resolve("other");
    Cli cli = certify(other, "--seed", "7", "--images", "1:2", "--batch", "7", "--threads", "1");
    assertEquals(0, cli.code(), cli.err());
    assertEquals(withoutTimes(finished).get(2), withoutTimes(other).get(1));
  }

  /** Without a seed the run goes on with its recorded one; auto would draw another. */
  @Test
  void anInterruptedRunGoesOnToTheSameBytes() throws IOException {
    byte[] whole = Files.readAllBytes(log(finished));
    int header = new String(whole, StandardCharsets.UTF_8).indexOf('\n') + 1;
    int second = new String(whole, StandardCharsets.UTF_8).indexOf('\n', header) + 1;
    for (int cut : new int[] {header + 30, second + 40}) {
      Path torn = Files.createDirectories(directory.resolve("torn" + cut));
      Files.write(log(torn), Arrays.copyOf(whole, cut));
      Cli cli = certify(torn);
      assertEquals(0, cli.code(), cli.err());
      assertEquals(cut > second, cli.out().contains("resumed  1 of 2 images"), cli.out());
      assertEquals(withoutTimes(finished), withoutTimes(torn), "cut at " + cut);
      assertTrue(Files.exists(torn.resolve("run.jsonl.torn")), "the torn line was not set aside");
      assertTrue(Cli.ok("verify", torn).out().startsWith("OK: 2 certificates"));
    }
  }

  @ParameterizedTest
  @CsvSource({"--sigma,0.5,config.sigmas", "--n,14,config.n is 12 there and 14 here", "--seed,8,source.seed",
      "--weights,elbo,source.weights", "--prune,paired,source.prune is \"none\" there and \"paired\" here"})
  void anotherOptionIsRefusedWithADiffAndNothingChanges(String option, String value, String difference)
      throws IOException {
    Path copy = copy();
    Cli cli = certify(copy, option, value);
    assertEquals(2, cli.code(), cli.err());
    assertEquals(1, cli.err().strip().lines().count(), cli.err());
    assertTrue(cli.err().contains("another one") && cli.err().contains(difference), cli.err());
    assertUnchanged(copy);
  }

  /** A sound log of somebody else's run: other data, say. */
  @Test
  void aForeignHeaderIsRefusedWithADiffAndNothingChanges() throws IOException {
    Path foreign = Files.createDirectories(directory.resolve("foreign"));
    String log = Files.readString(log(finished));
    String header = log.lines().findFirst().orElseThrow();
    String other = LogLines.sealed(header.replaceFirst("\"sha256\":\"..", "\"sha256\":\"00"));
    assertNotEquals(header, other);
    String text = log.replace(header, other);
    Files.writeString(log(foreign), text);
    Cli cli = certify(foreign, "--seed", "7");
    assertEquals(2, cli.code(), cli.err());
    assertTrue(cli.err().contains("data.sha256 is \"00"), cli.err());
    assertEquals(text, Files.readString(log(foreign)));
  }

  @Test
  void tamperingIsFoundOut() throws IOException {
    Path copy = copy();
    String table = Files.readString(copy.resolve("results.tsv"));
    Files.writeString(copy.resolve("results.tsv"), table.replaceFirst("\t0\\.", "\t1."));
    tampered(copy, "results.tsv");
    Files.writeString(copy.resolve("results.tsv"), table);
    assertTrue(Cli.ok("verify", copy).out().startsWith("OK"));
    List<String> log = new ArrayList<>(Files.readAllLines(log(copy)));
    String changed = log.get(1).replaceFirst("\"radius\":0\\.[0-9]+", "\"radius\":1.5");
    assertNotEquals(log.get(1), changed, "no radius to tamper with");
    log.set(1, changed);
    Files.writeString(log(copy), String.join("\n", log) + "\n");
    assertEquals(3, Cli.run("verify", copy).code(), "the checksum tells");
    log.set(1, LogLines.sealed(changed));
    Files.writeString(log(copy), String.join("\n", log) + "\n");
    tampered(copy, "radius is 1.5");
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
    Cli cli = certify(run, "--sigma", "0.25,0.5", "--levels", "8", "--images", "0:1");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("60 network calls"), "6 levels x 10 classes for both sigmas: " + cli.out());
    assertTrue(Files.readString(log(run)).contains("\"noise\":\"path\""));
    try (Stream<Path> files = Files.list(run)) {
      assertEquals(2, files.filter(file -> file.toString().endsWith(".tsv")).count());
    }
    assertTrue(Cli.ok("verify", run).out().startsWith("OK: 2 certificates of 1 images"));
    assertEquals(2, figures(Cli.ok("analyze", run).out()).size());
  }

  /** A pruned run records what it took, is repeated from its header, and says the mean. */
  @Test
  void aPrunedRunCountsItsCalls() throws IOException {
    Path run = directory.resolve("pruned");
    Cli cli = certify(run, "--levels", "9", "--images", "0:1", "--seed", "7", "--prune", "paired", "--prune-error",
        "0.1");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("pruned: paired (error 0.1), at most 70 network calls each"), cli.out());
    assertTrue(cli.out().matches("(?s).* [0-9]+\\.[0-9] of at most 70 network calls a vote.*"), cli.out());
    String log = Files.readString(log(run));
    assertTrue(log.contains("\"prune\":\"paired\",\"pruneError\":0.1"), log);
    Matcher calls = Pattern.compile("\"calls\":([0-9]+)").matcher(log);
    assertTrue(calls.find());
    assertTrue(Integer.parseInt(calls.group(1)) < 14 * 65, "14 samples took " + calls.group(1) + " calls");
    Path again = directory.resolve("again");
    Cli.ok("certify", "--like", run, "--model", Cli.MODEL, "--data", Cli.DIGITS, "--batch", "3", "--out", again);
    assertEquals(withoutTimes(run), withoutTimes(again));
    Cli.ok("verify", run, "--rerun", "1", "--model", Cli.MODEL, "--data", Cli.DIGITS);
  }

  /** Sampling ends when the radii are decided, at the same sample in every batch; table, log and verify know. */
  @Test
  void sequentialRunsStopEarlyAndAllRowsHoldTogether() throws IOException {
    Path run = directory.resolve("sequential");
    String[] options = {"--seed", "7", "--stop", "sequential", "--radius", "0.05,0.1", "--family", "rows", "--n", "80"};
    Cli cli = certify(run, options);
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("shared among 2 certificates: all of this run hold together"), cli.out());
    assertTrue(cli.out().contains("reaches 0.05, 0.1; unanimous votes need 20 samples, the most is 80"), cli.out());
    assertTrue(cli.out().matches("(?s).*\nimage     0  label 7  sigma 0.25: 7 radius 0.1\\d+ after \\d+ samples  .*"),
        cli.out());
    assertTrue(cli.out().contains("samples an image on average"), cli.out());
    List<String> rows = Files.readAllLines(run.resolve("results.tsv"));
    assertTrue(rows.get(0).endsWith("\tsamples") && rows.get(1).matches(".*\t[2-7]\\d"), rows.toString());
    assertTrue(Cli.ok("verify", run).out().startsWith("OK: 2 certificates of 2 images"));
    assertTrue(Cli.ok("analyze", run.resolve("results.tsv")).out().contains("1.000"));

    Path other = directory.resolve("other-batch");
    List<String> again = new ArrayList<>(List.of(options));
    again.addAll(List.of("--batch", "7"));
    assertEquals(0, certify(other, again.toArray(String[]::new)).code());
    assertEquals(withoutTimes(run), withoutTimes(other));
  }

  @Test
  void aDigitIsPredicted() throws IOException {
    Path table = directory.resolve("predictions.tsv");
    Cli cli = Cli.ok("predict", "--model", Cli.MODEL, "--data", Cli.DIGITS, "--images", "0:1", "--classifier", "epndc",
        "--sigma", "0.25", "--levels", "5", "--grid", "log", "--n", "12", "--seed", "7", "--device", "cpu", "--out",
        table);
    List<String> rows = Files.readAllLines(table);
    assertEquals(2, rows.size());
    assertTrue(rows.get(1).startsWith("0\t7\t7\t1\t"), rows.toString());
    assertTrue(cli.out().contains("p-value"), cli.out());
  }

  private Path copy() throws IOException {
    Path copy = Files.createDirectories(directory.resolve("copy"));
    for (String file : List.of("run.jsonl", "results.tsv", "report.html")) {
      Files.copy(finished.resolve(file), copy.resolve(file));
    }
    return copy;
  }

  private static void assertUnchanged(Path copy) throws IOException {
    for (String file : List.of("run.jsonl", "results.tsv", "report.html")) {
      assertEquals(-1, Files.mismatch(finished.resolve(file), copy.resolve(file)), file + " changed");
    }
  }

  private static Path log(Path run) {
    return run.resolve("run.jsonl");
  }

  private static List<String> withoutTimes(Path run) throws IOException {
    return LogLines.withoutTimes(Files.readString(log(run)));
  }
}
