package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code attack run} on real digits, in process: black box on a CNN, gradients on the diffusion classifier and RDC,
 * what is refused.
 */
class AttackTest {
  private static final Path CNN = Cli.SHARED.resolve("models/mnist-cnn.onnx");

  private static final Path NOISY = Cli.SHARED.resolve("models/mnist-cnn-noise-0.50.onnx");

  @TempDir
  Path directory;

  private static Cli attack(String classifier, Object model, Path out, String... more) {
    List<Object> arguments = new ArrayList<>(List.of("attack", "run", "--classifier", classifier, "--model", model,
        "--data", Cli.DIGITS,
        "--out", out));
    arguments.addAll(Arrays.asList(more));
    return Cli.run(arguments.toArray());
  }

  private static String withoutTimes(Path run) throws IOException {
    return Files.readString(run.resolve("attack.jsonl")).replaceAll("\"time\":\\{[^}]*\\}", "");
  }

  @Test
  void squareFellsACnnAndGoesOnToTheSameBytes() throws IOException {
    String[] options = {"--images", "0:3", "--attacks", "square", "--budgets", "0.3,8/255", "--queries", "300",
        "--checked", "1", "--seed", "4"};
    Path whole = directory.resolve("whole");
    Cli cli = attack("onnx", CNN, whole, options);
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("Clean accuracy 3 of 3"), cli.out());
    assertTrue(cli.out().contains("no budget, no robustness: 0 of 1"), cli.out());
    assertEquals(List.of("attack\tnorm\tbudget\timages\tclean\tright\traw\trobust",
        "square\tlinf\t8/255\t3\t3\t3\t3\t1.000000",
        "square\tlinf\t0.3\t3\t3\t0\t0\t0.000000"), Files.readAllLines(whole.resolve("attack.tsv")));
    assertTrue(Files.exists(whole.resolve("images/square-linf-8_255.npz")));
    byte[] log = Files.readAllBytes(whole.resolve("attack.jsonl"));
    Path torn = Files.createDirectories(directory.resolve("torn"));
    Files.write(torn.resolve("attack.jsonl"), Arrays.copyOf(log, log.length * 2 / 3));
    assertTrue(attack("onnx", CNN, torn, options).out().contains("resumed  "));
    assertEquals(withoutTimes(whole), withoutTimes(torn));
  }

  @Test
  void gradientsFellACnnSoonerThanScoresDo() {
    Cli cli = attack("onnx", CNN, directory.resolve("white"), "--images", "0:3", "--attacks",
        "pgd,apgd-ce,apgd-dlr,apgd-t,square",
        "--budgets", "0.1,0.2", "--steps", "20", "--queries", "100", "--checked", "2", "--agreement", "2", "--seed",
            "1");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("no budget, no robustness: 0 of 2"), cli.out());
    assertTrue(cli.out().contains("mean cosine 1.000"), cli.out());
    assertTrue(cli.out().matches("(?s).*apgd-t +linf +0.2 +0/3 .*"), cli.out());
  }

  @Test
  void imagesAreShownToOthersAndHeldAgainstCertificates() {
    Path run = directory.resolve("run");
    Path near = directory.resolve("near");
    Cli.ok("certify", "--classifier", "onnx", "--model", NOISY, "--data", Cli.DIGITS, "--images", "0:2", "--sigma",
        "0.5", "--n0", "5",
        "--n", "70", "--seed", "5", "--out", run);
    Cli smoothed = attack("onnx", NOISY, near, "--images", "0:3", "--attacks", "square", "--norm", "l2", "--budgets",
        "0.2,20", "--queries",
        "3", "--checked", "0", "--smooth", "0.5", "--eot", "4", "--seed", "1");
    assertEquals(0, smoothed.code(), smoothed.err());
    Cli checked = Cli.ok("attack", "check-all", run, near, "--model", NOISY, "--data", Cli.DIGITS, "--n", "40");
    assertTrue(checked.out().contains("4 attacked images of 2 certified ones, 2 of them within a certified radius"),
        checked.out());
    assertTrue(checked.out().contains("2 as certified, 0 with too few votes to say, 0 of another class"),
        checked.out());
    Cli other = Cli.run("attack", "check-all", run, near, "--model", CNN, "--data", Cli.DIGITS);
    assertEquals(2, other.code());
    assertTrue(other.err().contains("source.classifier.model is"), other.err());
    Cli shown = Cli.ok("attack", "transfer", near, "--classifier", "onnx", "--model", CNN, "--data", Cli.DIGITS);
    assertTrue(shown.out().contains("right on 3 of 3 images"), shown.out());
    assertTrue(shown.out().matches("(?s).*square +l2 +0.2 +3/3 +3/3.*"), shown.out());
    Cli none = Cli.run("attack", "transfer", directory.resolve("none"), "--classifier", "onnx", "--model", CNN);
    assertEquals(3, none.code());
    assertTrue(none.err().contains("there is no attack log"), none.err());
  }

  @Test
  void gradientsFellTheDiffusionClassifier() {
    Cli cli = attack("dc", Cli.MODEL, directory.resolve("dc"), "--images", "1:2", "--attacks", "pgd", "--budgets",
        "0.4", "--steps", "6",
        "--levels", "4", "--checked", "0", "--seed", "1");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("clean right pgd 0.4 WRONG"), cli.out());
  }

  @Test
  void rdcIsEvaluatedInBothForms() {
    for (String form : List.of("published", "corrected")) {
      Cli cli = attack("rdc", Cli.MODEL, directory.resolve(form), "--images", "0:2", "--attacks", "none", "--levels",
          "4", "--lm", form,
          "--seed", "1");
      assertEquals(0, cli.code(), cli.err());
      assertTrue(cli.out().contains("Clean accuracy 2 of 2"), cli.out());
      assertTrue(cli.out().contains("lm       " + form + ", 5 steps"), cli.out());
    }
  }

  @Test
  void rdcIsNotCertified() {
    Cli cli = Cli.run("certify", "--classifier", "rdc", "--model", Cli.MODEL, "--data", Cli.DIGITS, "--sigma", "0.5",
        "--out",
        directory.resolve("run"));
    assertEquals(2, cli.code());
    assertTrue(cli.err().contains("rdc has no certificate"), cli.err());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"onnx|--attacks pgd --budgets 0.1 --resize bilinear:28x28|without --resize",
      "onnx|--attacks square|no budget",
      "onnx|--attacks none --budgets 0.1|no attack", "onnx|--attacks square,square --budgets 0.1|twice",
      "onnx|--attacks hammer --budgets 0.1|no attack is called 'hammer'",
          "onnx|--attacks square --budgets 0.1 --norm l7|norm",
      "onnx|--attacks square --budgets 0.001|no other 8-bit image", "onnx|--attacks square --budgets 0.1,0.10|ascend",
      "onnx|--attacks square --budgets 0.1 --queries 0|--queries is 0",
          "onnx|--attacks square --budgets 0.1 --levels 4|--levels does not go with",
      "onnx|--attacks square --budgets 0.1 --gradient full|--gradient does not go with",
          "dc|--attacks none --lm published|--lm does not go with",
      "dc|--attacks none --std 2|belong to --classifier onnx", "dc|--attacks none --noise path|--noise",
          "dc|--attacks pgd --budgets 0.1 --steps 0|--steps",
      "rdc|--attacks none --lm other|likelihood maximisation",
          "rdc|--attacks none --lm published --lm-radius 1|--lm-radius does not go with",
      "rdc|--attacks none --lm-radius 0|radius", "rdc|--attacks none --gradient half|gradient",
          "dc|--attacks none --sampling some|sampling",
      "epndc|--attacks none|attacks are on dc, dc-multihead", "dc-multihead|--attacks none|has one head",
          "dc|--attacks none --images 0:9999|only", "dc|--attacks none --device cuda:9|device"})
  void wrongOptionsAreOneSentence(String classifier, String options, String names) {
    Path out = directory.resolve("run");
    Cli cli = attack(classifier, classifier.equals("onnx") ? CNN : Cli.MODEL, out, options.split(" "));
    assertTrue(cli.code() == 2 || cli.code() == 4 && names.equals("device"), cli.code() + " " + cli.err());
    assertTrue(cli.err().contains(names), cli.err());
    assertEquals(1, cli.err().lines().count(), cli.err());
    assertFalse(Files.exists(out), "something was left behind");
  }

  @Test
  void theCommandAloneSaysWhatThereIs() {
    Cli cli = Cli.run("attack");
    assertEquals(2, cli.code());
    assertTrue(cli.err().contains("say what to do: run"), cli.err());
  }
}
