package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code certify --classifier onnx} on real digits, in process: a run, its checks and repetitions, what is refused. */
class OnnxTest {
  private static final Path CNN = Cli.SHARED.resolve("models/mnist-cnn-noise-0.50.onnx");
  private static final Path OTHER = Cli.SHARED.resolve("models/mnist-cnn.onnx");

  @TempDir
  static Path shared;
  private static Path finished;

  @TempDir
  Path directory;

  @BeforeAll
  static void certifyOnce() {
    finished = shared.resolve("finished");
    Cli cli = certify(CNN, finished, "--seed", "5");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("votes    onnx, 64 images a call"), cli.out());
    assertEquals(2, cli.out().lines().filter(line -> line.contains("radius 0.")).count(), cli.out());
  }

  private static Cli certify(Path model, Path out, String... more) {
    List<Object> arguments = new ArrayList<>(List.of("certify", "--classifier", "onnx", "--model", model, "--data",
        Cli.DIGITS, "--images", "0:2", "--sigma", "0.5", "--n0", "5", "--n", "70", "--out", out));
    arguments.addAll(Arrays.asList(more));
    return Cli.run(arguments.toArray());
  }

  @Test
  void theHeaderSaysWhatTheModelIsAndExpects() throws IOException {
    String header = Files.readAllLines(finished.resolve("run.jsonl")).get(0);
    assertTrue(header.contains("\"classifier\":{\"kind\":\"onnx\",\"model\":\""), header);
    assertTrue(header.contains("\"input\":{\"layout\":\"nchw\",\"low\":0.0,\"high\":1.0,\"mean\":[0.0],\"std\":[1.0]}"),
        header);
    assertTrue(header.contains("\"model\":\"mnist-cnn-noise-0.50.onnx\""), header);
    assertTrue(Cli.ok("verify", finished).out().startsWith("OK: 2 certificates of 2 images"));
  }

  @Test
  void itsVotesAreCastAgain() {
    Cli cli = Cli.ok("verify", finished, "--rerun", "2", "--model", CNN, "--data", Cli.DIGITS, "--threads", "1");
    assertTrue(cli.out().contains("the votes of 2 images, cast again"), cli.out());
    Cli other = Cli.run("verify", finished, "--rerun", "1", "--model", OTHER, "--data", Cli.DIGITS);
    refused(other, 2, "source.classifier.model is");
    refused(Cli.run("verify", finished, "--rerun", "1", "--model", CNN, "--data", Cli.DIGITS, "--isa", "portable"), 2,
        "--isa does not go with --classifier onnx");
  }

  @Test
  void itIsRepeatedFromItsHeader() throws IOException {
    Path again = directory.resolve("again");
    Cli.ok("certify", "--like", finished, "--model", CNN, "--data", Cli.DIGITS, "--threads", "1", "--out", again);
    assertEquals(withoutTimes(finished), withoutTimes(again));
    refused(Cli.run("certify", "--like", finished, "--model", CNN, "--data", Cli.DIGITS, "--std", "2", "--out",
        directory.resolve("other")), 2, "source.classifier.input.std");
  }

  /** Digits that go by other names in the model's file of names, here backwards: its sevens are twos. */
  @Test
  void aClassMapIsAPartOfTheRun() throws IOException {
    Path names = directory.resolve("names.txt");
    Files.write(names, List.of("9", "8", "7", "6", "5", "4", "3", "2", "1", "0"));
    Path run = directory.resolve("mapped");
    Cli cli = certify(CNN, run, "--seed", "5", "--class-map", names.toString());
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("2 radius 0.") && cli.out().contains("(wrong)"), cli.out());
    Path again = directory.resolve("again");
    Cli.ok("certify", "--like", run, "--model", CNN, "--data", Cli.DIGITS, "--out", again);
    assertEquals(withoutTimes(run), withoutTimes(again));
    assertTrue(Cli.ok("verify", run, "--rerun", "1", "--model", CNN, "--data",
        Cli.DIGITS).out().contains("cast again"));
    Files.write(names, List.of("0", "1", "2"));
    refused(certify(CNN, directory.resolve("few"), "--class-map", names.toString()), 3,
        "the class '3' of the data is not among the 3 names");
    refused(certify(CNN, directory.resolve("two"), "--class-map", "0,1"), 3, "the model has 2 classes, mnist:");
    refused(certify(CNN, directory.resolve("far"), "--class-map", "0,1,2,3,4,5,6,7,8,10"), 3, "wants its number 10");
    refused(certify(CNN, directory.resolve("none"), "--class-map", directory.resolve("nothing").toString()), 3,
        "the class map");
  }

  /** The build that is tested has ONNX Runtime for the CPU alone. */
  @Test
  void noOtherDeviceTakesItsPlace() {
    refused(certify(CNN, directory.resolve("cuda"), "--onnx-device", "cuda:1"), 4,
        "this ONNX Runtime has no CUDA; build");
    assertFalse(Files.exists(directory.resolve("cuda")));
  }

  @Test
  void aTornRunGoesOnToTheSameBytes() throws IOException {
    byte[] whole = Files.readAllBytes(finished.resolve("run.jsonl"));
    int second = new String(whole, StandardCharsets.UTF_8).lastIndexOf("{\"crc\"");
    Path torn = Files.createDirectories(directory.resolve("torn"));
    Files.write(torn.resolve("run.jsonl"), Arrays.copyOf(whole, second + 30));
    Cli cli = certify(CNN, torn);
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("resumed  1 of 2 images"), cli.out());
    assertEquals(withoutTimes(finished), withoutTimes(torn));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"wrong-opset.onnx|cannot be loaded", "dynamic-height.onnx|leaves extent 2",
      "one-class.onnx|at least 2", "fourteen-classes.onnx|has 14 classes, mnist:test has 10",
          "not-finite.onnx|not finite",
      "external-data.onnx|in another file", "nowhere.onnx|cannot be read"})
  void badModelsAreRefusedInOneSentence(String name, String why) {
    Path out = directory.resolve("run");
    refused(certify(Cli.ROOT.resolve("tests/onnx").resolve(name), out), 3, why);
    assertFalse(Files.exists(out), "something was left behind");
  }

  @Test
  void aModelForOtherImagesIsRefused() {
    refused(certify(Cli.SHARED.resolve("models/cifar10-resnet20.onnx"), directory.resolve("run")), 3,
        "takes images of 3x32x32, mnist:test has 1x28x28");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"--input-range|0|LOW:HIGH", "--input-range|1:1|two different numbers",
      "--mean|0.5,0.5|takes images of 1 channel", "--std|0|other than 0", "--layout|chwn|layout",
      "--onnx-batch|0|must be 1 to 4096", "--levels|5|--levels does not go with --classifier onnx",
      "--batch|5|--batch does not go with --classifier onnx", "--noise|float|integer noise only",
      "--device|cuda|takes --onnx-device", "--onnx-device|gpu|must be cpu, cuda or cuda:N",
      "--isa|avx2|--isa does not go with", "--config|x.json|--config does not go with",
      "--sift-levels|5|--sift-levels does not go with", "--sift-threshold|1|--sift-threshold does not go with",
      "--keep|3|--keep does not go with", "--prune-error|0.1|--prune-error does not go with",
      "--threads|-3|--threads is -3, must be 0 (one a core) to 1024"})
  void optionsThatDoNotFitAreRefused(String option, String value, String why) {
    refused(certify(CNN, directory.resolve("run"), option, value), 2, why);
  }

  @Test
  void itsOptionsBelongToItAlone() {
    refused(Cli.run("certify", "--classifier", "dc", "--model", Cli.MODEL, "--data", Cli.DIGITS, "--sigma", "0.5",
        "--mean", "0.5", "--out", directory.resolve("run")), 2, "belong to --classifier onnx");
  }

  /**
   * From its own size to its own size is the same image, so the votes are those of the plain run; the header says so.
   */
  @Test
  void resizingIsPartOfTheClassifier() throws IOException {
    Path sized = directory.resolve("sized");
    Cli.ok("certify", "--like", finished, "--model", CNN, "--data", Cli.DIGITS, "--out", directory.resolve("plain"));
    assertEquals(0, certify(CNN, sized, "--seed", "5", "--resize", "bicubic:28x28").code());
    List<String> lines = Files.readAllLines(sized.resolve("run.jsonl"));
    assertTrue(lines.get(0).contains("\"resize\":\"bicubic:28x28\""), lines.get(0));
    assertEquals(results(directory.resolve("plain")), results(sized));
    Path again = directory.resolve("again");
    Cli.ok("certify", "--like", sized, "--model", CNN, "--data", Cli.DIGITS, "--out", again);
    assertEquals(withoutTimes(sized), withoutTimes(again));
    refused(certify(CNN, directory.resolve("small"), "--resize", "bicubic:14x20"), 3,
        "takes images of 1x14x20, mnist:test has 1x28x28; --resize FILTER:28x28");
    refused(certify(CNN, directory.resolve("odd"), "--resize", "bicubic"), 2, "FILTER:HEIGHTxWIDTH");
    refused(certify(CNN, directory.resolve("odd"), "--resize", "lanczos:28x28"), 2, "bilinear, bicubic");
  }

  /** The certificates of a run, without their times. */
  private static List<String> results(Path run) throws IOException {
    return Files.readAllLines(run.resolve("results.tsv")).stream()
        .map(line -> line.substring(0, line.lastIndexOf('\t'))).toList();
  }

  private static void refused(Cli cli, int code, String why) {
    assertEquals(code, cli.code(), cli.err() + cli.out());
    assertEquals(1, cli.err().strip().lines().count(), cli.err());
    assertFalse(cli.err().contains("Exception"), cli.err());
    assertTrue(cli.err().contains(why), cli.err());
  }

  private static List<String> withoutTimes(Path run) throws IOException {
    return LogLines.withoutTimes(Files.readString(run.resolve("run.jsonl")));
  }
}
