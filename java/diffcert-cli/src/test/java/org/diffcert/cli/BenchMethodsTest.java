package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code diffcert bench methods}: every line there, formulas that are the calls counted, and a failure where not. */
class BenchMethodsTest {
  @TempDir Path temp;

  @Test
  void everyMethodHasALineAndItsCallsAreThoseOfTheFormula() throws Exception {
    Path tsv = temp.resolve("cost.tsv");
    String out = Cli.ok("bench", "methods", "--onnx", Cli.SHARED.resolve("models/mnist-cnn.onnx"), "--grid", "log",
        "--levels", "9", "--votes", "3", "--steps", "2", "--seconds", "0.001", "--tsv", tsv).out();
    List<String> lines = Files.readAllLines(tsv);
    Map<String, String> calls = lines.stream().skip(1).map(line -> line.split("\t", -1))
        .collect(Collectors.toMap(cells -> cells[0], cells -> cells[4]));
    assertEquals(Map.ofEntries(Map.entry("onnx", "1"), Map.entry("denoised", "1"), Map.entry("densepure 3 x 2", "4"),
        Map.entry("cascade of denoised", "3"), Map.entry("dc", "80"), Map.entry("epndc", "70"),
        Map.entry("apndc", "81"), Map.entry("apndc-conditional", "90"), Map.entry("apndc-ensemble", "81"),
        Map.entry("epndc, 3 sigmas in one pass", "70"), Map.entry("apndc-ensemble, --prune published", "571"),
        Map.entry("apndc-ensemble, --prune paired", "81"),
        Map.entry("dc, multi-head network", "8"), Map.entry("apndc-ensemble, multi-head network", "9")), calls);
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split("\t", -1);
      double counted = Double.parseDouble(cells[6]);
      assertTrue(cells[5].equals("1") ? counted <= Double.parseDouble(cells[4])
          : counted == Double.parseDouble(cells[4]), line);
      double seconds = Double.parseDouble(cells[8]);
      assertEquals(10_100 * seconds, Double.parseDouble(cells[10]), 1e-9 * 10_100 * seconds);
    }
    assertTrue(out.contains("machine  cpu: ") && out.contains("threads"), out);
  }

  @Test
  void whatNeedsAnOnnxFileIsLeftOutAndSaidSo() {
    String out = Cli.ok("bench", "methods", "--levels", "12", "--seconds", "0.001").out();
    assertTrue(out.contains("left out onnx, denoised"), out);
    assertTrue(out.lines().anyMatch(line -> line.startsWith("epndc ") && line.contains("50  ")), out);
  }

  @Test
  void aNetworkOfManyHeadsTakesOneCallForAllClasses() throws Exception {
    Path heads = temp.resolve("heads.safetensors");
    try (Model model = Model.random(NetworkConfig.preset("mnist-ddpmpp").withHeads(10), 1)) {
      model.write(heads);
    }
    Path tsv = temp.resolve("cost.tsv");
    Cli.ok("bench", "methods", "--levels", "12", "--seconds", "0.001", "--multi-head", heads, "--tsv", tsv);
    assertTrue(Files.readString(tsv).contains("\tN - 2\t10\t0\t10\t"), Files.readString(tsv));
    Cli.ok("bench", "methods", "--levels", "12", "--seconds", "0.001", "--model", heads, "--tsv", tsv);
    assertEquals(7, Files.readAllLines(tsv).size());
    assertTrue(Files.readString(tsv).contains("apndc-conditional\tChen et al. 2024\t125 C = 1250\t(N - 2 + 1)\t11"
        + "\t0\t11\t"), Files.readString(tsv));
    assertEquals(2, Cli.run("bench", "methods", "--multi-head", Cli.MODEL).code());
  }

  @Test
  void anotherCountThanTheFormulasIsAMismatch() {
    MethodCost exact = new MethodCost("toy", "", "", "2 C", 20, false, null);
    exact.check(new MethodCost.Measured(4, 80, 4, 1, 1));
    DiffcertException e = assertThrows(DiffcertException.class,
        () -> exact.check(new MethodCost.Measured(4, 79, 4, 1, 1)));
    assertEquals(6, e.kind().exitCode());
    MethodCost most = new MethodCost("toy", "", "", "2 C", 20, true, null);
    most.check(new MethodCost.Measured(4, 79, 4, 1, 1));
    assertThrows(DiffcertException.class, () -> most.check(new MethodCost.Measured(4, 81, 4, 1, 1)));
  }

  @Test
  void refusals() {
    for (String[] wrong : new String[][] {{"--seconds", "0"}, {"--sigma", "0.25,0.5"}, {"--image", "-1"},
        {"--image", "99999999"}, {"--grid", "cubic"}, {"--n", "0"}}) {
      assertEquals(2, Cli.run("bench", "methods", wrong[0], wrong[1]).code(), wrong[0]);
    }
    assertEquals(2, Cli.run("bench").code());
  }
}
