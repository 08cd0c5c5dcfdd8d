package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Wrong options: exit code 2, one sentence that names the option or the value, and no trace of a run. */
class UsageTest {
  @TempDir
  Path directory;

  /** A case: what the sentence must name, and the options that replace or follow those of a good certify command. */
  record Case(String names, List<String> arguments) {
    @Override
    public String toString() {
      return String.join(" ", arguments);
    }
  }

  private static Case of(String names, String arguments) {
    return new Case(names, List.of(arguments.split(" ")));
  }

  /** Changes of a good certify command: pairs of option and value. */
  static Stream<Case> certify() {
    return Stream.of(of("--sigma", "--sigma 0"), of("--sigma", "--sigma -0.5"), of("--sigma", "--sigma 64"),
        of("--sigma", "--sigma abc"), of("twice", "--sigma 0.5,0.5"), of("--sigma", "--sigma 0.25,,0.5"),
        of("--sigma", "--sigma NaN"), of("1.5", "--sigma 1.5"), of("--n", "--n 5"), of("n is 0", "--n 0"),
        of("n is -3", "--n -3"), of("n0", "--n0 0"), of("alpha", "--alpha 0"), of("alpha", "--alpha 0.5"),
        of("alpha", "--alpha -1"), of("alpha", "--alpha NaN"),
        of("at least 1.0E-300", "--alpha 1e-323"), of("--alpha", "--alpha much"), of("--levels",
        "--levels x"), of("levels", "--levels 1"), of("levels", "--levels 20000"), of("spacing|grid", "--grid cubic"),
        of("weighting", "--weights best"), of("classifier", "--classifier apdnc"), of("published",
        "--weights published"),
        of("--noise", "--noise gaussian"), of("matched to Gaussian", "--noise laplace"),
        of("--seed", "--seed today"), of("--seed", "--seed 99999999999999999999"),
        of("batch", "--batch 0"), of("batch", "--batch -1"), of("threads", "--threads -1"), of("--isa", "--isa sse9"),
        of("--isa bf16 goes with --device cuda, not with cpu", "--device cpu --isa bf16"),
        of("device", "--device tpu"), of("device", "--device cuda:x"), of("--images", "--images 5"),
        of("--images", "--images 0:5000"), of("images", "--images 5:3"), of("images", "--images 0:5:0"),
        of("images", "--images -1:5"), of("--images", "--images a:b"), of("--images", "--images 0:1:2:3"),
        of("--images", "--images 0:99999999999"), of("there are fixed, sequential, staged", "--stop sometimes"),
        of("data|images",
        "--data pictures"), of("split", "--data mnist:somewhere?split=half"), of("--frobnicate", "--frobnicate 3"),
        of("number of samples is fixed", "--radius 0.25"), of("needs 1 to 64 radii", "--stop sequential"),
        of("needs 1 to 64 radii", "--stop staged"), of("--radius", "--stop sequential --radius -0.25"),
        of("--radius", "--stop sequential --radius far"), of("out of range", "--stop sequential --radius 1001"),
        of("twice", "--stop staged --radius 0.25,0.25"), of("out of reach", "--stop sequential --radius 0.5"),
        of("out of reach", "--stop staged --radius 0.5"), of("1000000", "--stop sequential --radius 0 --n 1000001"),
        of("8000000", "--stop staged --radius 0,0.1 --n 5000000"),
        of("family has 0", "--family 0"), of("--family", "--family all"), of("too few", "--family 9"),
        of("there are none, published, paired", "--prune all"), of("belong", "--prune paired --keep 3"),
        of("belong", "--sift-levels 9"), of("belongs", "--prune published --prune-error 0.1"),
        of("0 to 0.5", "--prune paired --prune-error 0.6"), of("--prune-error", "--prune paired --prune-error small"),
        of("threshold", "--prune published --sift-threshold -1"),
        of("at least one class", "--prune published --keep 0"),
        of("the levels that sift", "--prune published --sift-levels 1"),
        of("another function at each", "--sigma auto"), of("another function at each", "--sigma per-image"));
  }

  /** A second network is read by what has an unconditional estimate of its own, and by nothing else. */
  @ParameterizedTest
  @ValueSource(strings = {"dc", "epndc", "apndc-conditional"})
  void aNetworkThatIsNotReadIsRefused(String classifier) {
    refused("--unconditional-model does not go with --classifier " + classifier, Cli.run("certify", "--model",
        Cli.MODEL, "--data", Cli.DIGITS, "--classifier", classifier, "--sigma", "0.5", "--levels", "9", "--n0", "2",
        "--n", "12",
        "--images", "0:1", "--unconditional-model", Cli.MODEL, "--out", directory.resolve("run")));
  }

  @ParameterizedTest
  @MethodSource("certify")
  void certifyRefuses(Case given) {
    List<String> arguments = new ArrayList<>(List.of("certify", "--model", Cli.MODEL, "--data", Cli.DIGITS,
        "--classifier",
        "apndc-ensemble", "--sigma", "0.5", "--levels", "5", "--grid", "log", "--n0", "2", "--n", "12", "--images",
        "0:1"));
    for (int i = 0; i < given.arguments().size(); i += 2) {
      int at = arguments.indexOf(given.arguments().get(i));
      if (at >= 0) {
        arguments.subList(at, at + 2).clear();
      }
      arguments.addAll(given.arguments().subList(i, i + 2));
    }
    arguments.addAll(List.of("--out", directory.resolve("run").toString()));
    refused(given.names(), Cli.run(arguments.toArray()));
    assertFalse(Files.exists(directory.resolve("run")), "something was left behind");
  }

  /** Whole command lines. */
  static Stream<Case> others() {
    return Stream.of(of("say what to do", ""), of("certfy", "certfy"), of("--model", "certify"), of("RUN", "verify"),
        of("two", "verify one two"),
        of("--rerun", "verify run --rerun 0"), of("--rerun", "verify run --rerun many"),
        of("--model goes with --rerun", "verify run --model m"), of("--device", "verify run --device cpu"),
        of("--rerun-seed", "verify run --rerun-seed 3"), of("check", "attack"), of("RUN", "attack check"),
        of("X", "attack check run"), of("--image", "attack check run x --image first"),
        of("--device goes with --predict", "attack check run x --device cpu"),
        of("--classifier", "certify --model m --data mnist:x --sigma 0.5 --out run"), of("RUN", "analyze"),
        of("--radii", "analyze x --radii 0,far"),
        of("--radii", "analyze x --radii -1"), of("model", "model"), of("FILE", "model inspect"), of("melt",
        "model melt x"), of("OUT", "model convert x"), of("unknown", "model random resnet50 x.safetensors"),
        of("--seed", "model random tiny-ddpmpp x.safetensors --seed auto"), of("--sigma", "schedule --classifier dc"),
        of("classifier", "schedule --classifier xpndc --sigma 0.5"), of("--sigma",
        "schedule --classifier dc --sigma zero"), of("levels", "schedule --classifier epndc --sigma 0.5 --levels 4"),
        of("ascend|levels", "schedule --classifier epndc --sigma 0.5,0.500001 --levels 12"),
        of("--input", "denoise --model " + Cli.MODEL),
        of("--unconditional-model does not go with",
        "elbo --model m --unconditional-model u --classifier dc --sigma 0.5 --input a --output b"),
        of("one --sigma", "elbo --model m --classifier dc --sigma 0.25,0.5 --input a --output b"),
        of("--repeat", "denoise --model m --input a --output b --repeat 0"),
        of("--batch is 0", "denoise --model m --input a --output b --batch 0"), of("--sideways", "demo --sideways"),
        of("--sigma", "predict --model m --data mnist:x --classifier dc --sigma none"),
        of("one sigma", "predict --model m --data mnist:x --classifier dc --sigma 0.25,0.5 --out t.tsv"),
        of("--n", "predict --model m --data mnist:x --classifier dc --sigma 0.25 --n many"),
        of("--levels", "lipschitz --model m --data mnist:x --levels 0"),
        of("--levels", "lipschitz --model m --data mnist:x --levels two"),
        of("betting", "lipschitz --model m --data mnist:x --levels 2 --bound best"),
        of("--n0", "lipschitz --model m --data mnist:x --levels 2 --n0 0"),
        of("--preset", "train --data mnist:x --out t --steps 1"),
        of("needs an end", "train --data mnist:x --out t --preset mnist-ddpmpp"),
        of("mnist-ddpmpp", "train --data mnist:x --out t --steps 1 --preset mnist"),
        of("learning rate", "train --data mnist:x --out t --steps 1 --preset mnist-ddpmpp --learning-rate 0"),
        of("edm, vp, ve", "train --data mnist:x --out t --steps 1 --preset mnist-ddpmpp --loss l2"),
        of("--rows", "train --data mnist:x --out t --steps 1 --preset mnist-ddpmpp --rows 0"),
        of("--minutes", "train --data mnist:x --out t --minutes -1 --preset mnist-ddpmpp"),
        of("--seed", "train --data mnist:x --out t --steps 1 --preset mnist-ddpmpp --seed now"),
        of("batch", "train --data " + Cli.DIGITS + " --out t --steps 1 --preset mnist-ddpmpp --batch 0"),
        of("3x8x8", "train --data " + Cli.DIGITS + " --out t --steps 1 --preset tiny-ddpmpp"),
        of("--n", "sample --model m --out x.png --n 0"), of("heun", "sample --model m --out x.png --solver rk4"),
        of("--seed", "sample --model m --out x.png --seed now"),
        of("--labels", "sample --device cpu --out x.png --labels 10 --model " + Cli.MODEL),
        of("steps", "sample --device cpu --out x.png --steps 1 --model " + Cli.MODEL),
        of("--alpha", "lipschitz --model m --data mnist:x --levels 2 --alpha 0.5"));
  }

  @ParameterizedTest
  @MethodSource("others")
  void commandsRefuse(Case given) {
    Object[] arguments = given.arguments().stream().filter(argument -> !argument.isEmpty()).toArray();
    refused(given.names(), Cli.run(arguments));
  }

  @Test
  void helpOfEveryCommandIsPrinted() {
    for (String command : List.of("demo", "certify", "predict", "analyze", "verify", "attack", "model", "denoise",
        "elbo",
        "train", "sample", "schedule", "lipschitz", "doctor")) {
      Cli cli = Cli.ok(command, "--help");
      assertTrue(cli.out().startsWith("Usage: diffcert " + command), cli.out());
      assertEquals(cli.out(), Cli.ok("help", command).out());
      assertTrue(cli.out().lines().allMatch(line -> line.length() <= 100), cli.out());
    }
    assertTrue(Cli.ok("--help").out().contains("Exit codes"));
    assertTrue(Cli.ok("--version").out().startsWith("diffcert "));
  }

  private static void refused(String names, Cli cli) {
    assertEquals(2, cli.code(), cli.err() + cli.out());
    assertEquals(1, cli.err().strip().lines().count(), cli.err());
    assertTrue(cli.err().startsWith("diffcert: "), cli.err());
    assertFalse(cli.err().contains("Exception"), cli.err());
    assertTrue(Stream.of(names.split("\\|")).anyMatch(cli.err()::contains), cli.err());
  }
}
