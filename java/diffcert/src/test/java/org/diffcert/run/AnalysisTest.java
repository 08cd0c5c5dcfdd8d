package org.diffcert.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.diffcert.DiffcertException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Analysis of the published logs of randomized smoothing, and of our own. */
class AnalysisTest {
  @TempDir Path temp;

  @ParameterizedTest
  @CsvSource({
    "cifar10/resnet110/noise_0.12/test/sigma_0.12,500,0.270076,.814,.586,0,0,0,0,.038",
    "cifar10/resnet110/noise_0.25/test/sigma_0.25,500,0.428884,.748,.600,.428,.266,0,0,.086",
    "cifar10/resnet110/noise_0.50/test/sigma_0.50,500,0.537533,.652,.546,.414,.320,.234,.094,.166",
    "cifar10/resnet110/noise_1.00/test/sigma_1.00,500,0.541661,.472,.392,.340,.278,.216,.140,.290",
    "imagenet/resnet50/noise_0.25/test/sigma_0.25,427,0.476537,.6674,.5808,.4941,.3747,0,0,.0890",
    "imagenet/resnet50/noise_0.50/test/sigma_0.50,500,0.732511,.572,.518,.458,.424,.372,.286,.164",
    "imagenet/resnet50/noise_1.00/test/sigma_1.00,500,0.875159,.436,.406,.378,.354,.326,.260,.296"})
  void publishedLogs(String log, int rows, double acr, double r0, double r25, double r50, double r75,
      double r100, double r150, double abstain) {
    Path file = shared().resolve("data/certlogs/locuslab-smoothing/data/certify").resolve(log);
    Analysis analysis = Analysis.read(file).values().iterator().next();
    assertEquals(rows, analysis.rows().size());
    assertEquals(acr, analysis.averageCertifiedRadius(), 5.1e-7);
    double digit = rows == 500 ? 1e-12 : 5.1e-5;
    double[] radii = {0, 0.25, 0.5, 0.75, 1, 1.5};
    double[] accuracies = {r0, r25, r50, r75, r100, r150};
    for (int i = 0; i < radii.length; i++) {
      Analysis.Proportion p = analysis.certifiedAccuracy(radii[i]);
      assertEquals(accuracies[i], p.value(), digit, "at radius " + radii[i]);
      assertTrue(p.lower() <= p.value() && p.value() <= p.upper());
    }
    assertEquals(abstain, analysis.abstention().value(), digit);
  }

  @Test
  void aRunIsAnalysedFromItsLogAndItsTableAlike() throws Exception {
    Toys.goOn(temp, 8);
    Map<String, Analysis> run = Analysis.read(temp);
    assertEquals(List.of("sigma 0.25", "sigma 0.5"), List.copyOf(run.keySet()));
    Analysis table = Analysis.read(temp.resolve("results-sigma0.25.tsv")).get("results-sigma0.25.tsv");
    assertEquals(run.get("sigma 0.25").rows(), table.rows());
    assertEquals(run.get("sigma 0.25").averageCertifiedRadius(), table.averageCertifiedRadius());
  }

  /** 8 of 10: the interval that every statistics package prints for it. */
  @Test
  void intervalsAreExact() {
    List<Row> rows = IntStream.range(0, 10)
        .mapToObj(i -> i < 8 ? new Row(i, 0, 0, 0.5) : new Row(i, 0, -1, 0)).toList();
    Analysis.Proportion p = new Analysis(rows).certifiedAccuracy(0.5);
    assertEquals(8, p.count());
    assertEquals(0.4439045376923585, p.lower(), 1e-12);
    assertEquals(0.9747892736731666, p.upper(), 1e-12);
    assertEquals(0.2, new Analysis(rows).abstention().value());
    assertEquals(0.4, new Analysis(rows).averageCertifiedRadius(), 1e-15);
  }

  @Test
  void aCorrectColumnThatCountsUpIsRead() throws Exception {
    Path file = temp.resolve("running.tsv");
    Files.writeString(file, "idx\tlabel\tpredict\tradius\tcorrect\ttime\n"
        + "0\t3\t3\t0.5\t1\tx\n1\t3\t3\t0.5\t2\tx\n2\t3\t-1\t0.0\t2\tx\n");
    assertEquals(2, Analysis.read(file).get("running.tsv").certifiedAccuracy(0).count());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "idx label predict radius correct time\n", "H0\t3\t3\t0.5\t1\n",
    "H0\t3\t3\t0.5\t1\tx\ty\n",
    "H0\t3\t3\tfar\t1\tx\n", "H0\t3\t3\tNaN\t1\tx\n", "H0\t3\t3\t-1\t1\tx\n", "H0\t3\t3\tInfinity\t1\tx\n",
    "H0\t3\t-2\t0\t0\tx\n",
    "H0\t3\t3\t0.5\t0\tx\n", "H0\t3\t-1\t0.5\t0\tx\n", "H0\t3\t3\t0.5\t1\tx\n0\t3\t3\t0.5\t1\tx\n",
    "H99999999999\t3\t3\t0\t1\tx\n",
    "H0\t3\t3\t0.5\t1\tx\n\n1\t3\t3\t0.5\t1\tx\n", "H"})
  void malformedTablesAreBadInput(String text) throws Exception {
    Path file = temp.resolve("bad.tsv");
    Files.writeString(file, text.replace("H", "idx\tlabel\tpredict\tradius\tcorrect\ttime\n"));
    DiffcertException e = assertThrows(DiffcertException.class, () -> Analysis.read(file));
    assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
  }

  @Test
  void radiiArePrintedDown() {
    assertEquals("1.95", Results.cut(1.9553, 3));
    assertEquals("0.99999", Results.cut(0.999999, 5));
    assertEquals("0.00002243", Results.cut(0.000022437, 4));
    assertEquals("0.0", Results.cut(0, 3));
    assertEquals("2.0", Results.cut(2, 3));
  }

  /** The folder of shared inputs beside the checkout. */
  static Path shared() {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("CMakeLists.txt"))) {
      root = root.getParent();
    }
    return root.resolve("../shared").normalize();
  }
}
