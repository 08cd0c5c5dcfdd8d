package org.diffcert.analyze;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every published log that is at hand: figures to the last digit of the known ones, and the alpha that each shows. */
class PublishedLogsTest {
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
  void figures(String name, int rows, String acr, String r0, String r25, String r50, String r75, String r100,
      String r150, String abstain) {
    Analysis analysis = new Analysis(TableReader.read(Certlogs.cohen().resolve(name)).rows());
    assertEquals(rows, analysis.rows().size());
    assertRounds(acr, analysis.averageCertifiedRadius());
    double[] radii = {0, 0.25, 0.5, 0.75, 1, 1.5};
    String[] accuracies = {r0, r25, r50, r75, r100, r150};
    for (int i = 0; i < radii.length; i++) {
      Proportion p = analysis.certifiedAccuracy(radii[i]);
      assertRounds(accuracies[i], p.value());
      assertTrue(p.lower() <= p.value() && p.value() <= p.upper());
    }
    assertRounds(abstain, analysis.abstention().value());
  }

  /** The published figure is the value rounded to as many decimals as it has. */
  private static void assertRounds(String published, double value) {
    BigDecimal wanted = new BigDecimal(published);
    assertEquals(0, wanted.compareTo(new BigDecimal(value).setScale(wanted.scale(), RoundingMode.HALF_EVEN)),
        value + " is not " + published);
  }

  /** All thirteen: what their ladders show is not what their documentation says, except in two. */
  @ParameterizedTest
  @CsvSource({
    "cifar10/resnet110/noise_0.12/test/sigma_0.12,0.001", "cifar10/resnet110/noise_0.12/test/sigma_0.50,",
    "cifar10/resnet110/noise_0.25/test/sigma_0.25,0.01", "cifar10/resnet110/noise_0.25/test/sigma_0.50,",
    "cifar10/resnet110/noise_0.50/test/sigma_0.50,0.01", "cifar10/resnet110/noise_1.00/test/sigma_0.50,0.001",
    "cifar10/resnet110/noise_1.00/test/sigma_1.00,", "imagenet/resnet50/noise_0.25/test/sigma_0.25,0.01",
    "imagenet/resnet50/noise_0.25/test/sigma_0.50,0.01", "imagenet/resnet50/noise_0.50/test/sigma_0.50,0.01",
    "imagenet/resnet50/noise_0.50/train/sigma_0.50,0.01", "imagenet/resnet50/noise_1.00/test/sigma_0.50,0.01",
    "imagenet/resnet50/noise_1.00/test/sigma_1.00,0.01"})
  void alphas(String name, Double alpha) {
    Audit audit = Audit.of(TableReader.read(Certlogs.cohen().resolve(name)));
    if (alpha == null) {
      assertTrue(audit.alpha().isEmpty() && audit.n().isEmpty(), audit.sentence());
      assertTrue(audit.sentence().startsWith("alpha cannot be judged"), audit.sentence());
      return;
    }
    assertEquals(OptionalDouble.of(alpha), audit.alpha());
    assertEquals(100_000, audit.n().orElseThrow());
    assertTrue(audit.sentence().startsWith("alpha = " + alpha + " with n = 100000"), audit.sentence());
    Finding rounding = audit.findings().stream().filter(f -> f.rule().equals("rounding")).findFirst().orElseThrow();
    assertEquals(Finding.Verdict.SUSPECT, rounding.verdict(), "they print three digits, rounded to nearest");
  }

  @Test
  void sigmaNeedNotBeKnown() {
    Log log = TableReader.read(Certlogs.cohen().resolve("imagenet/resnet50/noise_0.25/test/sigma_0.25"));
    Log unknown = new Log(log.name(), log.form(), log.rows(), java.util.Optional.empty(), log.printed(), log.votes(),
        log.classNames(), log.findings());
    Audit audit = Audit.of(unknown);
    assertEquals(OptionalDouble.of(0.01), audit.alpha(), audit.findings().toString());
    assertTrue(audit.findings().stream().anyMatch(f -> f.rule().equals("sigma") && f.sentence().startsWith("0.25")));
    assertTrue(Audit.of(log.withSigma(new Sigma(0.5))).alpha().isEmpty(), "at a wrong sigma nothing fits");
  }

  @Test
  void predictions() throws Exception {
    for (String n : new String[] {"100", "1000", "10000", "100000"}) {
      Path file = Certlogs.folder().resolve("locuslab-smoothing/data/predict/imagenet/resnet50/noise_0.25/test/N_" + n);
      Log log = TableReader.read(file);
      assertEquals(Log.Form.PREDICTIONS, log.form());
      long ones = Files.readAllLines(file).stream().skip(1).filter(line -> line.split("\t")[3].equals("1")).count();
      assertEquals(ones, new Analysis(log.rows()).certifiedAccuracy(0).count());
    }
  }

  /** Some 2,700 logs of SmoothAdv: all read; no audit names anything but what was used, 0.001 and 100,000. */
  @Test
  void smoothAdv() throws Exception {
    Map<String, Integer> outcomes = new TreeMap<>();
    Certlogs.walk(Certlogs.folder().resolve("Hadisalman-smoothing-adversarial.tar.gz"), (name, bytes) -> {
      String last = name.substring(name.lastIndexOf('/') + 1);
      if (!last.equals("LICENSE")) {
        Log log = TableReader.read(Files.write(temp.resolve(last), bytes));
        long lines = new String(bytes, java.nio.charset.StandardCharsets.US_ASCII).lines().count();
        assertEquals(lines - 1, log.rows().size(), name);
        Audit audit = Audit.of(log);
        outcomes.merge(log.form() + " " + Arrays.toString(audit.alpha().stream().toArray())
            + audit.n().map(n -> " " + n).orElse(""), 1, Integer::sum);
      }
    });
    assertEquals(Map.of("CERTIFICATES [0.001] 100000", 1484, "CERTIFICATES []", 34, "PREDICTIONS []", 1197), outcomes);
  }
}
