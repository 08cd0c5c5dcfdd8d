package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code diffcert compare} from end to end: two runs of other ranges, and published tables. */
class CompareTest {
  private static final Path LOGS =
      Cli.SHARED.resolve("data/certlogs/locuslab-smoothing/data/certify/cifar10/resnet110");
  private static final Path QUARTER = LOGS.resolve("noise_0.25/test/sigma_0.25");
  private static final Path HALF = LOGS.resolve("noise_0.50/test/sigma_0.50");

  @TempDir Path temp;

  private Path certify(String name, String model, String images, String n) {
    Path out = temp.resolve(name);
    Cli.ok("certify", "--classifier", "onnx", "--model", Cli.SHARED.resolve("models/" + model), "--data", Cli.DIGITS,
        "--images", images, "--sigma", "0.5", "--n0", "5", "--n", n, "--seed", "1", "--out", out);
    return out;
  }

  @Test
  void runsOnTheImagesThatBothHave() throws Exception {
    Path clean = certify("clean", "mnist-cnn.onnx", "0:4", "60");
    Path trained = certify("trained", "mnist-cnn-noise-0.50.onnx", "2:6", "70");
    Path tsv = temp.resolve("c.tsv");
    Path json = temp.resolve("c.json");
    Path png = temp.resolve("c.png");
    Path html = temp.resolve("c.html");
    String out = Cli.ok("compare", clean, trained, "--radii", "0,0.25", "--tsv", tsv, "--json", json, "--plot", png,
        "--html", html).out();
    assertTrue(out.startsWith("On the 2 images that all have"), out);
    assertTrue(out.contains("2 of the 4 images of clean are left out"), out);
    assertTrue(out.contains("n differs: 60 (clean), 70 (trained)"), out);
    assertTrue(out.contains("Difference from clean, image by image"), out);
    List<String> lines = Files.readAllLines(tsv);
    assertEquals(5, lines.size());
    assertTrue(lines.get(1).startsWith("clean\tonnx, sigma 0.5\t2\t0\t"), lines.get(1));
    assertEquals("1", lines.get(3).split("\t")[9], "one network call a vote");
    assertTrue(Files.readString(json).contains("\"callsPerVote\":1.0"), Files.readString(json));
    assertEquals(1520, ByteBuffer.wrap(Files.readAllBytes(png)).getInt(16), "width in the PNG's header");
    assertTrue(Files.readString(html).contains("<h2>Side by side</h2>"));
  }

  /** The two logs have the same 500 images: 0, 20, .. of CIFAR-10's test set. */
  @Test
  void publishedTables() {
    String out = Cli.ok("compare", HALF, QUARTER, "--radii", "0,0.5,1").out();
    assertTrue(out.startsWith("On the 500 images"), out);
    assertTrue(out.contains("a table does not say which data it is of"), out);
    String line = out.lines().filter(l -> l.startsWith("sigma_0.25")).reduce((a, b) -> b).orElseThrow();
    assertTrue(line.contains("+0.096 [") && line.contains("-0.234 ["), line);
    assertTrue(line.contains("0:117"), "117 images at radius 1, where sigma 0.25 has none: " + line);
  }

  @Test
  void refusals() {
    assertEquals(2, Cli.run("compare", HALF).code());
    assertEquals(2, Cli.run("compare").code());
    Cli predictions = Cli.run("compare", HALF, Cli.SHARED.resolve(
        "data/certlogs/locuslab-smoothing/data/predict/imagenet/resnet50/noise_0.25/test/N_100"));
    assertEquals(2, predictions.code());
    assertTrue(predictions.err().contains("predictions without radii"), predictions.err());
    assertEquals(2, Cli.run("compare", HALF, QUARTER, "--plot", temp.resolve("c.gif")).code());
    assertEquals(3, Cli.run("compare", HALF, temp.resolve("nothing")).code());
  }
}
