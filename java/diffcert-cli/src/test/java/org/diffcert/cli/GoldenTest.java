package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands that exist for comparison, against the recorded outputs of the published networks and classifiers. */
class GoldenTest {
  private static final int DEPTH = Integer.getInteger("depth", 1);

  @TempDir
  Path directory;

  /** Every network on the CPU in float32 and on the float64 reference. */
  static Stream<Arguments> networks() {
    return Goldens.NETWORKS.stream()
        .flatMap(network -> Stream.of(Arguments.of(network, "cpu", 1e-4), Arguments.of(network, "reference", 1e-5)));
  }

  @ParameterizedTest
  @MethodSource("networks")
  void denoised(String network, String device, double tolerance) {
    double[] expected = Goldens.doubles(Goldens.edm(network + ".io.safetensors"), "denoised");
    double error = Goldens.relative(expected, denoise(network + ".model.safetensors", network, device));
    double back = Goldens.relative(Goldens.doubles(Goldens.edm(network + ".io.safetensors"), "grad_x"),
        Goldens.doubles(directory.resolve("denoised.safetensors"), "grad_x"));
    System.out.printf("denoise %-17s %-9s relative L2 error %.2e, gradient %.2e (at most %.0e)%n", network, device,
        error, back, tolerance);
    assertTrue(error <= tolerance, network + " on " + device + ": " + error);
    assertTrue(back <= tolerance, network + " on " + device + ", gradient: " + back);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ddpmpp-edm", "ncsnpp-edm-gray"})
  void picklesGiveTheSameOutputs(String network) {
    assertArrayEquals(denoise(network + ".model.safetensors", network, "cpu"), denoise(network + ".pkl", network,
        "cpu"));
  }

  /** Neither the number of rows in a batch nor who chose it moves a bit. */
  @ParameterizedTest
  @ValueSource(strings = {"auto", "1", "3"})
  void batchesGiveTheSameOutputs(String batch) {
    String network = "ncsnpp-edm-gray";
    double[] expected = denoise(network + ".model.safetensors", network, "cpu");
    assertArrayEquals(expected, denoise(network + ".model.safetensors", network, "cpu", "--batch", batch));
  }

  private double[] denoise(String model, String network, String device, String... more) {
    Path output = directory.resolve("denoised.safetensors");
    List<Object> arguments = new ArrayList<>(List.of("denoise", "--model", Goldens.edm(model), "--device", device,
        "--input", Goldens.edm(network + ".io.safetensors"), "--output", output));
    arguments.addAll(List.of(more));
    Cli.ok(arguments.toArray());
    return Goldens.doubles(output, "denoised");
  }

  @Test
  void schedules() {
    double worst = 0;
    for (String sigma : List.of("0.25", "0.5", "1.0")) {
      for (String pair : List.of("apndc-ensemble edm", "apndc-ensemble published", "epndc edm", "epndc published",
          "epndc elbo")) {
        String classifier = pair.substring(0, pair.indexOf(' '));
        String weights = pair.substring(pair.indexOf(' ') + 1);
        List<String[]> rows = Cli.ok("schedule", "--classifier", classifier, "--sigma", sigma, "--levels", "126",
            "--weights", weights) .out().lines().skip(1).map(line -> line.split("\t")).toList();
        String prefix = "sigma" + sigma + "." + classifier + "." + weights + ".";
        worst = Math.max(worst, Goldens.largest(Goldens.doubles(Goldens.elbo(), prefix + "levels"), column(rows, 2)));
        worst = Math.max(worst, Goldens.largest(Goldens.doubles(Goldens.elbo(), prefix + "weights"), column(rows, 3)));
        if (weights.equals("elbo")) {
          worst = Math.max(worst, Goldens.largest(Goldens.doubles(Goldens.elbo(), prefix + "lower"), column(rows, 1)));
        }
      }
    }
    System.out.printf("schedule: 15 schedules, largest relative error %.2e (at most 1e-12)%n", worst);
    assertTrue(worst <= 1e-12, "largest relative error " + worst);
  }

  private static double[] column(List<String[]> rows, int column) {
    return rows.stream().mapToDouble(row -> Double.parseDouble(row[column])).toArray();
  }

  /** Every classifier and sigma on the CPU; on the reference, which is slow, one sigma, at depth 2 all. */
  static Stream<Arguments> residuals() {
    List<String> classifiers = List.of("dc", "epndc", "apndc", "apndc-conditional", "apndc-ensemble");
    return classifiers.stream().flatMap(classifier -> Stream.of("0.25", "0.5", "1.0").flatMap(sigma ->
        Stream.of("cpu", "reference").filter(device -> device.equals("cpu") || sigma.equals("0.5") || DEPTH > 1)
            .map(device -> Arguments.of(classifier, sigma, device, device.equals("cpu") ? 1e-4 : 1e-5))));
  }

  @ParameterizedTest
  @MethodSource("residuals")
  void residual(String classifier, String sigma, String device, double tolerance) {
    String prefix = "sigma" + sigma + ".";
    Path input = directory.resolve("input.safetensors");
    Goldens.extract(Goldens.elbo(), input, classifier.equals("dc") ? "image" : prefix + "x_tau",
        classifier.equals("dc") ? "image" : "x_tau", prefix + "lower", "lower", prefix + "upper", "upper", prefix
        + "level_noise", "level_noise");
    for (boolean clamp : new boolean[] {true, false}) {
      Path output = directory.resolve("residual.safetensors");
      Object[] command = {"elbo", "--model", Goldens.edm("ddpmpp-edm.model.safetensors"), "--classifier", classifier,
          "--sigma", sigma,
          "--device", device, "--input", input, "--output", output, clamp ? "--threads=0" : "--no-clamp"};
      Cli.ok(command);
      String form = clamp ? "clamped" : "raw";
      double[] expected = Goldens.doubles(Goldens.elbo(), prefix + classifier + "." + form + ".residual");
      double error = Goldens.largest(expected, Goldens.doubles(output, "residual"));
      System.out.printf("elbo %-17s sigma %-4s %-7s %-9s largest relative error %.2e (at most %.0e)%n", classifier,
          sigma, form, device, error, tolerance);
      assertTrue(error <= tolerance, classifier + " " + sigma + " " + form + " on " + device + ": " + error);
    }
  }

  @Test
  void digestsOfPicklesAreThoseOfSafetensors() {
    for (String network : List.of("ddpmpp-edm", "ncsnpp-edm-gray")) {
      assertEquals(digest(network + ".model.safetensors"), digest(network + ".pkl"));
    }
  }

  private static String digest(String file) {
    return Cli.ok("model", "inspect", Goldens.edm(file)).out().lines().filter(line ->
        line.startsWith("digest")).findFirst() .orElseThrow();
  }
}
