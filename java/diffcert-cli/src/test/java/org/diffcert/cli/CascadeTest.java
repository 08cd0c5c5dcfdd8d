package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.diffcert.certify.CascadeCertificate;
import org.diffcert.image.ImageData;
import org.diffcert.image.ImageSource;
import org.diffcert.run.RunLog;
import org.diffcert.run.RunRecord;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code certify --classifier cascade} on real digits, in process: a run, its checks and repetitions, what is refused.
 */
class CascadeTest {
  private static final Path CNN = Cli.SHARED.resolve("models/mnist-cnn-noise-0.50.onnx");

  @TempDir
  static Path shared;
  private static Path finished;
  private static String said;

  @TempDir
  Path directory;

  @BeforeAll
  static void certifyOnce() {
    finished = shared.resolve("finished");
    Cli cli = certify(finished, "--base", "onnx", "--walk", "all", "--seed", "5");
    assertEquals(0, cli.code(), cli.err());
    said = cli.out();
  }

  private static Cli certify(Path out, String... more) {
    List<Object> arguments = new ArrayList<>(List.of("certify", "--classifier", "cascade", "--model", CNN, "--data",
        Cli.DIGITS, "--images", "0:3", "--sigma", "1,0.5", "--n0", "5", "--n", "70", "--out", out));
    for (int i = 0; i + 1 < more.length; i += 2) {
      int at = arguments.indexOf(more[i]);
      if (at >= 0) {
        arguments.subList(at, at + 2).clear();
      }
      arguments.addAll(Arrays.asList(more).subList(i, i + 2));
    }
    return Cli.run(arguments.toArray());
  }

  @Test
  void certifiedAndDeployedAreSaidApart() throws IOException {
    assertTrue(said.contains("cascade  sigmas 1.0, 0.5 from the largest down, p0 0.5, walk all; alpha 0.001 over 3 "
        + "bounds"), said);
    assertEquals(3, said.lines().filter(line -> line.matches("image .* certified: .* deployed: \\d.*")).count(), said);
    assertTrue(said.contains("The deployed predictor (n0 votes a sigma, no certificate is about it): right in "), said);
    assertTrue(said.contains("see docs/spec/cascade.md."), said);
    String table = Files.readString(finished.resolve("results.tsv"));
    assertTrue(table.startsWith("idx\tlabel\tpredict\tradius\tr_neg\tcorrect\tpred_uc\tcorr_uc\tstage\ttime\n"), table);
    assertTrue(Cli.ok("verify", finished).out().startsWith("OK: 3 certificates of 3 images"));
    assertTrue(Cli.ok("analyze", "--audit", finished).out().contains("walk all"));
  }

  @Test
  void itsVotesAreCastAgainAndItIsRepeated() throws IOException {
    Cli cli = Cli.ok("verify", finished, "--rerun", "1", "--model", CNN, "--data", Cli.DIGITS, "--threads", "1");
    assertTrue(cli.out().contains("the votes of 1 image, cast again"), cli.out());
    Path again = directory.resolve("again");
    Cli.ok("certify", "--like", finished, "--model", CNN, "--data", Cli.DIGITS, "--threads", "1", "--out", again);
    assertEquals(withoutTimes(finished), withoutTimes(again));
    Cli other = Cli.run("certify", "--like", finished, "--model", CNN, "--data", Cli.DIGITS, "--p0", "0.6", "--out",
        directory.resolve("other"));
    refused(other, "config.cascade.p0 is 0.5 there and 0.6 here");
  }

  @Test
  void aTornRunGoesOnToTheSameBytes() throws IOException {
    byte[] whole = Files.readAllBytes(finished.resolve("run.jsonl"));
    int last = new String(whole, StandardCharsets.UTF_8).lastIndexOf("{\"crc\"");
    Path torn = Files.createDirectories(directory.resolve("torn"));
    Files.write(torn.resolve("run.jsonl"), Arrays.copyOf(whole, last + 30));
    Cli cli = certify(torn, "--base", "onnx", "--walk", "all");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("resumed  2 of 3 images"), cli.out());
    assertEquals(withoutTimes(finished), withoutTimes(torn));
  }

  /** A certificate of a cascade covers or does not, by its own name; single sigmas are not what it is about. */
  @Test
  void anImageIsCheckedAgainstTheCascadesCertificate() throws IOException {
    List<RunRecord> records = RunLog.read(finished).records();
    for (RunRecord record : records) {
      CascadeCertificate c = record.cascade().orElseThrow();
      Cli cli = Cli.run("attack", "check", finished, digit(record.image()), "--image", record.image(), "--data",
          Cli.DIGITS);
      assertEquals(c.abstains() ? 6 : 0, cli.code(), cli.out() + cli.err());
      String said = c.abstains() ? "there is no certificate (cascade, stage " + c.stage() + ": " + c.outcome() + ")"
          : "(cascade, stage " + c.stage() + ", class ";
      assertTrue(cli.out().contains(said), cli.out());
    }
    assertTrue(records.stream().anyMatch(record -> record.cascade().orElseThrow().stage() == 1), "no second stage");
    for (String[] option : new String[][] {{"--sigma", "0.5"}, {"--predict", "20"}}) {
      refused(Cli.run("attack", "check", finished, digit(0), "--image", "0", "--data", Cli.DIGITS, option[0],
          option[1]), option[0] + " does not go with the run of a cascade");
    }
  }

  /** A digit as it is, in a file. */
  private Path digit(int image) throws IOException {
    try (ImageData set = ImageSource.open(Cli.DIGITS)) {
      return Files.write(directory.resolve(image + ".npy"), AuditTest.npy("(28, 28)", set.image(image).toBytes()));
    }
  }

  /** One diffusion model behind several sigmas, each with levels of its own. */
  @Test
  void aDiffusionClassifierVotesAtEachSigma() throws IOException {
    Path out = directory.resolve("epndc");
    Cli cli = certify(out, "--base", "epndc", "--model", Cli.MODEL.toString(), "--levels", "4", "--grid", "log",
        "--images", "0:1", "--n0", "2", "--n", "12", "--device", "cpu", "--seed", "5");
    assertEquals(0, cli.code(), cli.err());
    String header = Files.readAllLines(out.resolve("run.jsonl")).get(0);
    assertTrue(header.contains("\"scales\":[{\"sigmas\":[0.5],\"schedule\":"), header);
    assertTrue(header.contains("\"noise\":\"integer\""), "no path through the sigmas: " + header);
    Cli.ok("verify", out, "--rerun", "1", "--model", Cli.MODEL, "--data", Cli.DIGITS);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "--walk first|needs a classifier that votes at each sigma",
      "--base cascade|needs a classifier that votes at each sigma",
      "--base sift|sift",
      "--base onnx --p0 0.4|p0 is 0.4, must be 0.5 to 0.999",
      "--base onnx --walk back|no walk is called 'back'; there are first, all",
      "--base onnx --noise float|takes integer noise only",
      "--base onnx --n 8|so every image would abstain",
      "--base onnx --p0 0.95|so every image would abstain",
      "--base onnx --stop sequential --radius 0.1|fixed number of samples",
      "--base onnx --match level|belong to --classifier denoised",
      "--base denoised|give it with --onnx"})
  void mistakesAreOneSentence(String options, String expected) {
    refused(certify(directory.resolve("none"), options.split(" ")), expected);
  }

  @Test
  void optionsOfACascadeBelongToIt() {
    refused(certify(directory.resolve("none"), "--classifier", "onnx", "--p0", "0.5"),
        "--base, --p0 and --walk belong to --classifier cascade");
    refused(Cli.run("predict", "--classifier", "cascade", "--base", "onnx", "--model", CNN, "--data", Cli.DIGITS,
        "--sigma", "1,0.5"), "deployed predictor");
  }

  private static void refused(Cli cli, String expected) {
    assertEquals(2, cli.code(), cli.out() + cli.err());
    assertTrue(cli.err().contains(expected), cli.err());
    assertEquals(1, cli.err().strip().lines().count(), cli.err());
  }

  private static String withoutTimes(Path run) throws IOException {
    return Files.readString(run.resolve("run.jsonl")).replaceAll("\"time\":\\{[^}]*\\}", "");
  }
}
