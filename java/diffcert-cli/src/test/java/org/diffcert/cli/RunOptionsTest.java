package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.diffcert.DiffcertException;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.certify.Stopping;
import org.diffcert.diffusion.ClassifierOptions;
import org.diffcert.noise.Sigma;
import org.diffcert.run.ImageRange;
import org.diffcert.run.RunHeader;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Options of certify to a header and back: whatever can be asked for can be asked for again. */
class RunOptionsTest {
  @TempDir
  static Path shared;
  private static Path model;

  @BeforeAll
  static void makeModel() {
    model = shared.resolve("tiny.safetensors");
    Cli.ok("model", "random", "tiny-ddpmpp", model);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--classifier=dc --sigma=0.25 --seed=0", "--classifier=epndc --sigma=0.12,0.25,1 --levels=12",
      "--classifier=epndc --sigma=0.5 --weights=elbo --grid=log --levels=9 --seed=18446744073709551615",
      "--classifier=apndc --sigma=0.1 --no-clamp --seed=-5", "--classifier=apndc-conditional --sigma=0.3,0.7",
      "--classifier=apndc-ensemble --sigma=1.25 --weights=published --levels=64",
      "--classifier=epndc --sigma=0.25,0.5 --noise=float --seed=0xffffffffffffffff",
      "--classifier=dc --sigma=0.25 --prune=paired", "--classifier=dc --sigma=0.25 --prune=paired --prune-error=1e-9",
      "--classifier=epndc --sigma=0.25,0.5 --levels=20 --prune=published",
      "--classifier=apndc --sigma=0.5 --prune=published --sift-levels=12 --sift-threshold=0.0013 --keep=2"})
  void theHeaderTellsTheOptions(String line) {
    ClassifierArguments asked = arguments(List.of(line.split(" ")));
    ClassifierOptions options = asked.options(OptionalLong.of(99));
    RunHeader header = header(asked, options);
    ClassifierArguments again = arguments(RunOptions.words(RunOptions.ofClassifier(header)));
    assertEquals(options, again.options(OptionalLong.empty()));
    assertEquals(List.of(), header(again, again.options(OptionalLong.empty())).differences(header));
  }

  @Test
  void theHeaderTellsImagesSamplesAndStopping() {
    Map<String, Object> source = Map.of("classifier", "dc", "levels", 9, "grid", "log", "weights", "edm", "clamp", true,
        "noise", "integer", "prune", "none", "seed", "3");
    Map<String, String> all = RunOptions.of(header(List.of(new Sigma(0.5)), source));
    assertEquals(List.of("3:9:2", "5", "700", "0.01", "4", "sequential", "0.1,0.25"), Stream.of("--images", "--n0",
        "--n", "--alpha", "--family", "--stop", "--radius").map(all::get).toList());
  }

  /** A run in bf16 is repeated in bf16, on the first device of its kind. */
  @Test
  void theDeviceTellsTheForm() {
    Map<String, Object> source = Map.of("classifier", "dc", "levels", 9, "grid", "log", "weights", "edm", "clamp", true,
        "noise", "integer", "prune", "none", "seed", "3");
    Map<String, String> half = RunOptions.of(header(List.of(new Sigma(0.5)), source, "emulator-bf16"));
    assertEquals("emulator", half.get("--device"));
    assertEquals("bf16", half.get("--isa"));
    Map<String, String> whole = RunOptions.of(header(List.of(new Sigma(0.5)), source, "emulator"));
    assertEquals("emulator", whole.get("--device"));
    assertEquals(null, whole.get("--isa"));
  }

  @Test
  void aRunOfTheLibraryAloneHasNone() {
    RunHeader header = header(List.of(new Sigma(0.5)), Map.of("classifier", "mine", "seed", "3"));
    assertEquals(DiffcertException.Kind.BAD_INPUT,
        assertThrows(DiffcertException.class, () -> RunOptions.of(header)).kind());
  }

  private static ClassifierArguments arguments(List<String> words) {
    List<String> all = new ArrayList<>(words);
    all.removeIf(word -> word.startsWith("--device"));
    all.addAll(List.of("--model=" + model, "--device=cpu", "--batch=4"));
    return CommandLine.populateCommand(new ClassifierArguments(), all.toArray(String[]::new));
  }

  private static RunHeader header(ClassifierArguments arguments, ClassifierOptions options) {
    Terminal nowhere = new Terminal(new PrintWriter(new StringWriter()));
    try (ClassifierArguments.Opened opened = arguments.open(nowhere, options)) {
      return header(options.sigmas(), opened.classifier().identity());
    }
  }

  private static RunHeader header(List<Sigma> sigmas, Map<String, Object> source) {
    return header(sigmas, source, "cpu");
  }

  private static RunHeader header(List<Sigma> sigmas, Map<String, Object> source, String device) {
    Stopping stop = new Stopping(Stopping.Kind.SEQUENTIAL, List.of(0.1, 0.25));
    return new RunHeader(CertifyConfig.of(5, 700, 0.01).withFamily(4).withStop(stop), sigmas, source, "mnist:test",
        "00", List.of("a", "b"),
        new ImageRange(3, 9, 2), "1", "2", device);
  }
}
