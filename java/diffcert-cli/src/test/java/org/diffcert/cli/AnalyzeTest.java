package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code diffcert analyze} from end to end, on published logs. */
class AnalyzeTest {
  private static final Path LOGS = Cli.SHARED.resolve("data/certlogs/locuslab-smoothing/data");
  private static final Path QUARTER = LOGS.resolve("certify/cifar10/resnet110/noise_0.25/test/sigma_0.25");
  private static final Path HALF = LOGS.resolve("certify/cifar10/resnet110/noise_0.50/test/sigma_0.50");
  private static final Path PREDICTIONS = LOGS.resolve("predict/imagenet/resnet50/noise_0.25/test/N_100");

  @TempDir Path temp;

  @Test
  void tables() throws Exception {
    Path csv = temp.resolve("table.csv");
    Path markdown = temp.resolve("table.md");
    Path latex = temp.resolve("table.tex");
    Cli cli = Cli.ok("analyze", "--radii", "0, 0.250,1e0", "--csv", csv, "--markdown", markdown, "--latex", latex,
        QUARTER,
        HALF, PREDICTIONS);
    List<String> lines = Files.readAllLines(csv);
    assertEquals("log,rows,abstain,acr,0,0.250,1e0", lines.get(0));
    String[] cells = lines.get(1).split(",");
    assertEquals(QUARTER.toString(), cells[0]);
    assertEquals("500", cells[1]);
    double[] figures = {0.086, 0.428884, 0.748, 0.6, 0};
    for (int i = 0; i < figures.length; i++) {
      assertEquals(figures[i], Double.parseDouble(cells[2 + i]), 5.1e-7);
    }
    assertTrue(lines.get(3).endsWith(",,,,"), "predictions have no radii");
    assertTrue(Files.readString(markdown).contains("| 74.8 [70.8, 78.5] |"), Files.readString(markdown));
    assertTrue(Files.readString(latex).contains("\\begin{tabular}"));
    assertTrue(cli.out().contains("best at each radius") && cli.out().contains("selection"), cli.out());
    assertTrue(cli.out().contains("sigma_0.25: alpha = 0.01 with n = 100000"), cli.out());
    assertTrue(cli.out().contains("N_100: alpha cannot be judged"), cli.out());
  }

  /** r in linf is r times the root of the number of values in l2; 256 values, so that the root is exact. */
  @Test
  void otherNorms() throws Exception {
    Path l2 = temp.resolve("l2.csv");
    Path linf = temp.resolve("linf.csv");
    Path l1 = temp.resolve("l1.csv");
    Cli.ok("analyze", "--radii", "0.25,0.5", "--csv", l2, QUARTER);
    Cli cli = Cli.ok("analyze", "--radii", "0.015625,0.03125", "--norm", "linf", "--values", 256, "--csv", linf,
        QUARTER);
    assertTrue(cli.out().contains("square root of 256"), cli.out());
    Cli.ok("analyze", "--radii", "0.25,0.5", "--norm", "l1", "--csv", l1, QUARTER);
    String[] expected = Files.readAllLines(l2).get(1).split(",");
    String[] found = Files.readAllLines(linf).get(1).split(",");
    assertEquals(Double.parseDouble(expected[3]) / 16, Double.parseDouble(found[3]), 1e-12);
    assertEquals(expected[4], found[4]);
    assertEquals(expected[5], found[5]);
    assertEquals(Files.readAllLines(l2).get(1), Files.readAllLines(l1).get(1));
    for (Object[] wrong : new Object[][] {{"analyze", "--norm", "linf", QUARTER}, {"analyze", "--norm", "l0", QUARTER},
        {"analyze", "--norm", "linf", "--values", "0", QUARTER},
        {"analyze", "--norm", "l1", "--html", temp.resolve("x.html"), QUARTER}}) {
      assertEquals(2, Cli.run(wrong).code());
    }
  }

  @Test
  void everyFinding() {
    String out = Cli.ok("analyze", "--audit", "--by-class", QUARTER).out();
    assertTrue(out.contains("rounding (suspect): radii are rounded to 3 significant digits"), out);
    assertTrue(out.contains("votes (cannot be judged)"), out);
    assertTrue(out.contains("median pA"), out);
    assertTrue(out.lines().anyMatch(line -> line.startsWith("9 ")), "a line for class 9");
  }

  @Test
  void plotsAndReport() throws Exception {
    Path png = temp.resolve("curves.PNG");
    Path svg = temp.resolve("curves.svg");
    Path html = temp.resolve("report.html");
    Cli.ok("analyze", QUARTER, HALF, "--plot", png, "--plot", svg, "--html", html);
    assertEquals(1520, ByteBuffer.wrap(Files.readAllBytes(png)).getInt(16), "width in the PNG's header");
    assertTrue(Files.readString(svg).startsWith("<svg "));
    String page = Files.readString(html);
    assertTrue(page.contains("<th>sigma_0.25<small>500 images"), "a short name");
    assertTrue(page.contains("alpha = 0.01 with n = 100000"));
  }

  @Test
  void sigmaOfATableWithoutOneInItsName() throws Exception {
    Path plain = Files.copy(QUARTER, temp.resolve("log.tsv"));
    assertTrue(Cli.ok("analyze", plain).out().contains("alpha = 0.01"), "found from the radii");
    assertTrue(Cli.ok("analyze", plain, "--sigma", "0.25").out().contains("median pA"));
    assertTrue(Cli.ok("analyze", plain, "--sigma", "0.5").out().contains("cannot be judged"));
  }

  @Test
  void refusals() throws Exception {
    Path empty = Files.writeString(temp.resolve("empty.tsv"), "idx\tlabel\tpredict\tradius\tcorrect\ttime\n");
    assertEquals(3, Cli.run("analyze", empty).code());
    assertEquals(0, Cli.run("analyze", empty, QUARTER).code(), "beside others it is a line of the table");
    assertEquals(2, Cli.run("analyze", QUARTER, "--plot", temp.resolve("curves.gif")).code());
    assertEquals(2, Cli.run("analyze", QUARTER, "--sigma", "0.25,0.5").code());
    assertEquals(3, Cli.run("analyze", QUARTER, "--csv", temp.resolve("nowhere/table.csv")).code());
  }
}
