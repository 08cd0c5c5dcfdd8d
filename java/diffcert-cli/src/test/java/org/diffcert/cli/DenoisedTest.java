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
import org.diffcert.denoise.DdpmSchedule;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code certify --classifier denoised} and {@code densepure} on real digits, in process: runs, checks, refusals. */
class DenoisedTest {
  private static final Path CNN = Cli.SHARED.resolve("models/mnist-cnn.onnx");
  private static final Path OTHER = Cli.SHARED.resolve("models/mnist-cnn-noise-0.50.onnx");

  @TempDir
  static Path shared;

  @TempDir
  Path directory;

  @BeforeAll
  static void certifyOnce() {
    Cli denoised = certify("denoised", shared.resolve("denoised"), "--seed", "5");
    assertEquals(0, denoised.code(), denoised.err());
    assertTrue(denoised.out().contains("votes    denoised, 1 denoiser call each, seed 5"), denoised.out());
    assertEquals(2, denoised.out().lines().filter(line -> line.contains("radius 0.")).count(), denoised.out());
    assertTrue(denoised.out().matches("(?s).*votes' time here noise [0-9.]+%, denoiser [0-9.]+%, classifier .*"),
        denoised.out());
    Cli densepure = certify("densepure", shared.resolve("densepure"), "--seed", "5", "--votes", "3", "--steps", "2",
        "--ties", "first", "--n", "12", "--no-clamp");
    assertEquals(0, densepure.code(), densepure.err());
    assertTrue(densepure.out().contains("3 runs of 2 steps (ancestral), 4 denoiser calls each"), densepure.out());
  }

  private static Cli certify(String classifier, Path out, String... more) {
    List<Object> arguments = new ArrayList<>(List.of("certify", "--classifier", classifier, "--model", Cli.MODEL,
        "--onnx", CNN, "--data", Cli.DIGITS, "--images", "0:2", "--sigma", "0.5", "--n0", "3", "--n", "20", "--device",
        "cpu", "--out", out));
    for (int i = 0; i < more.length; i += 2) {
      int at = arguments.indexOf(more[i]);
      int values = more[i].equals("--no-clamp") ? 1 : 2;
      if (at >= 0) {
        arguments.subList(at, at + values).clear();
      }
      arguments.addAll(Arrays.asList(more).subList(i, Math.min(more.length, i + values)));
    }
    return Cli.run(arguments.toArray());
  }

  @Test
  void theHeaderNamesBothModelsAndEveryOption() throws IOException {
    String one = Files.readAllLines(shared.resolve("denoised/run.jsonl")).get(0);
    assertTrue(one.contains("\"classifier\":{\"kind\":\"denoised\",\"denoiser\":{\"model\":\"b65593f3"), one);
    assertTrue(one.contains("\"match\":\"level\",\"clamp\":true},\"levels\":[[1.0]],\"classifier\":{\"kind\":\"onnx\""),
        one);
    assertTrue(one.contains("\"model\":\"mnist-edm.safetensors\",\"unconditional\":\"mnist-cnn.onnx\""), one);
    String many = Files.readAllLines(shared.resolve("densepure/run.jsonl")).get(0);
    assertTrue(many.contains("{\"kind\":\"densepure\",\"votes\":3,\"steps\":2,\"sampler\":\"ancestral\",\"churn\":0.0,"
        + "\"ties\":\"first\""), many);
    assertTrue(many.contains("\"clamp\":false},\"levels\":[[1.0,0.5]]"), many);
    assertTrue(Cli.ok("verify", shared.resolve("densepure")).out().startsWith("OK: 2 certificates of 2 images"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"denoised", "densepure"})
  void votesAreCastAgainAndTheRunIsRepeatedInOtherBatches(String classifier) throws IOException {
    Path run = shared.resolve(classifier);
    Cli cli = Cli.ok("verify", run, "--rerun", "1", "--model", Cli.MODEL, "--onnx", CNN, "--data", Cli.DIGITS);
    assertTrue(cli.out().contains("the votes of 1 image, cast again"), cli.out());
    Path again = directory.resolve("again");
    Cli.ok("certify", "--like", run, "--model", Cli.MODEL, "--onnx", CNN, "--data", Cli.DIGITS, "--threads", "1",
        "--batch", "7", "--out", again);
    assertEquals(withoutTimes(run), withoutTimes(again));
    refused(Cli.run("verify", run, "--rerun", "1", "--model", Cli.MODEL, "--onnx", OTHER, "--data", Cli.DIGITS), 2,
        "source.classifier.classifier.model is");
    refused(Cli.run("certify", "--like", run, "--model", Cli.MODEL, "--onnx", CNN, "--data", Cli.DIGITS, "--std", "2",
        "--out", directory.resolve("other")), 2, "source.classifier.classifier.input.std");
  }

  @Test
  void aTornRunGoesOnToTheSameBytes() throws IOException {
    Path run = shared.resolve("densepure");
    byte[] whole = Files.readAllBytes(run.resolve("run.jsonl"));
    int second = new String(whole, StandardCharsets.UTF_8).lastIndexOf("{\"crc\"");
    Path torn = Files.createDirectories(directory.resolve("torn"));
    Files.write(torn.resolve("run.jsonl"), Arrays.copyOf(whole, second + 30));
    Cli cli = certify("densepure", torn, "--votes", "3", "--steps", "2", "--ties", "first", "--n", "12", "--no-clamp");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("resumed  1 of 2 images"), cli.out());
    assertEquals(withoutTimes(run), withoutTimes(torn));
  }

  /** Karras' sampler: its options are in the header and come back from it. */
  @Test
  void theEdmSamplerIsRepeatedFromItsHeader() throws IOException {
    Path run = directory.resolve("edm");
    Cli cli = certify("densepure", run, "--seed", "5", "--votes", "2", "--steps", "2", "--sampler", "edm", "--churn",
        "0.5", "--n", "12", "--images", "0:1");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("(edm), 6 denoiser calls each"), cli.out());
    Path again = directory.resolve("again");
    Cli.ok("certify", "--like", run, "--model", Cli.MODEL, "--onnx", CNN, "--data", Cli.DIGITS, "--out", again);
    assertEquals(withoutTimes(run), withoutTimes(again));
  }

  /** A network that says the variance of its steps, matched by timesteps, in front of a published classifier. */
  @Test
  void anImprovedDdpmIsMatchedByTimesteps() throws IOException {
    Object[] network = {"--model", Cli.SHARED.resolve("golden/edm/adm-iddpm.model.safetensors"), "--onnx",
        Cli.SHARED.resolve("models/cifar10-resnet20.onnx"), "--data",
        "cifar10:" + Cli.SHARED.resolve("data/cifar10/cifar10-test-exact-first932.bin"), "--device", "cpu"};
    Path run = directory.resolve("iddpm");
    Cli cli = Cli.run(words(network, "certify", "--classifier", "densepure", "--votes", "2", "--steps", "2", "--sigma",
        "0.5", "--images", "0:1", "--n0", "2", "--n", "12", "--seed", "5", "--out", run));
    assertEquals(0, cli.code(), cli.err());
    DdpmSchedule cosine = DdpmSchedule.cosine(1000);
    String levels = "\"levels\":[[" + cosine.level(cosine.chain(1, 2)[0]) + "," + cosine.level(cosine.chain(1, 2)[1]);
    String header = Files.readAllLines(run.resolve("run.jsonl")).get(0);
    assertTrue(header.contains("\"match\":\"cosine\",\"clamp\":true}," + levels), header);
    Path again = directory.resolve("again");
    Cli.ok(words(network, "certify", "--like", run, "--batch", "3", "--threads", "1", "--out", again));
    assertEquals(withoutTimes(run), withoutTimes(again));
    refused(Cli.run(words(network, "certify", "--like", run, "--match", "level", "--out", directory.resolve("other"))),
        2, "source.classifier.denoiser.match is");
    refused(Cli.run(words(network, "certify", "--classifier", "densepure", "--sampler", "edm", "--sigma", "0.5",
        "--out", directory.resolve("edm"))), 2, "needs a network that takes any noise level");
    refused(Cli.run(words(network, "certify", "--classifier", "densepure", "--steps", "2", "--sigma", "0.0002",
        "--out", directory.resolve("small"))), 2, "timesteps to the image");
  }

  private static Object[] words(Object[] network, Object... words) {
    List<Object> all = new ArrayList<>(Arrays.asList(words));
    all.addAll(Arrays.asList(network));
    return all.toArray();
  }

  @Test
  void aDigitIsPredicted() {
    Cli cli = Cli.ok("predict", "--model", Cli.MODEL, "--onnx", CNN, "--data", Cli.DIGITS, "--images", "0:1",
        "--classifier", "denoised", "--sigma", "0.25", "--n", "20", "--seed", "7", "--device", "cpu");
    assertTrue(cli.out().contains("right 1, abstained 0"), cli.out());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"wrong-opset.onnx|cannot be loaded", "fourteen-classes.onnx|has 14 classes",
      "external-data.onnx|in another file", "not-finite.onnx|not finite"})
  void badModelsBehindTheDenoiserAreRefused(String name, String why) {
    Path out = directory.resolve("run");
    refused(certify("denoised", out, "--onnx", Cli.ROOT.resolve("tests/onnx").resolve(name).toString()), 3, why);
    assertFalse(Files.exists(out), "something was left behind");
  }

  @Test
  void aClassifierForOtherImagesIsRefused() {
    refused(certify("denoised", directory.resolve("run"), "--onnx",
        Cli.SHARED.resolve("models/cifar10-resnet20.onnx").toString()), 3,
        "the denoiser takes images of 1x28x28, the classifier of 3x32x32");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"densepure|--votes|0|must be 1 to 256", "densepure|--steps|300|must be 1 to 256",
      "densepure|--sampler|heun|no sampler is called", "densepure|--ties|last|no tie rule is called",
      "densepure|--churn|1|belongs to --sampler edm", "denoised|--votes|3|belong to --classifier densepure",
      "denoised|--match|cosine|networks under iDDPMPrecond", "denoised|--noise|float|integer noise only",
      "denoised|--prune|paired|do not go with",
      "denoised|--keep|3|--keep does not go with", "densepure|--prune-error|0.1|--prune-error does not go with",
      "denoised|--threads|-3|--threads is -3", "dc|--votes|3|belong to --classifier d",
      "onnx|--steps|3|belong to --classifier d"})
  void optionsThatDoNotFitAreRefused(String classifier, String option, String value, String why) {
    refused(certify(classifier, directory.resolve("run"), option, value), 2, why);
  }

  @Test
  void aDenoiserNeedsAClassifierBehindIt() {
    refused(Cli.run("certify", "--classifier", "denoised", "--model", Cli.MODEL, "--data", Cli.DIGITS, "--sigma", "0.5",
        "--out", directory.resolve("run")), 2, "give it with --onnx");
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
