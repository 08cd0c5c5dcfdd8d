package org.diffcert.analyze;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.DoubleFunction;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Logs made with a known alpha and n: the audit finds them, or says that it cannot; it never names others. */
class AuditTest {
  private static final DoubleFunction<String> FULL = Double::toString;

  @TempDir Path temp;

  /** Votes of images whose true probability of error is spread over decades, as those of real classifiers are. */
  private static int failures(Random random, int n) {
    double miss = Math.pow(10, -6 * random.nextDouble()) / 2;
    double mean = n * miss;
    return (int) Math.min(n, Math.max(0, Math.round(mean + Math.sqrt(mean) * random.nextGaussian())));
  }

  private Log log(Random random, int n, double alpha, double sigma, DoubleFunction<String> print,
      IntUnaryOperator counts) throws Exception {
    StringBuilder text = new StringBuilder("idx\tlabel\tpredict\tradius\tcorrect\ttime\n");
    for (int i = 0; i < 500; i++) {
      double radius = sigma * Ladder.of(n, alpha).z(counts.applyAsInt(n));
      text.append(i).append("\t1\t").append(radius > 0 ? "1\t" + print.apply(radius) + "\t1"
          : "-1\t0.0\t0").append("\tx\n");
    }
    return TableReader.read(Files.writeString(temp.resolve("sigma_" + sigma), text));
  }

  /** As Python's {:.3} prints. */
  private static String threeDigits(double radius) {
    return new java.math.BigDecimal(radius).round(new java.math.MathContext(3)).stripTrailingZeros().toPlainString();
  }

  private static String fourDecimals(double radius) {
    return String.format(Locale.ROOT, "%.4f", radius);
  }

  private static Finding finding(Audit audit, String rule) {
    return audit.findings().stream().filter(f -> f.rule().equals(rule)).findFirst().orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"100000,0.001,0.25", "100000,0.01,0.5", "10000,0.001,0.5", "10000,0.01,1.0", "1000,0.001,0.25",
    "1000,0.05,0.12", "100,0.001,0.5", "50000,0.001,0.25"})
  void alphaAndNAreFound(int n, double alpha, double sigma) throws Exception {
    long seed = 7 + n + Double.hashCode(alpha);
    for (DoubleFunction<String> print : java.util.List.<DoubleFunction<String>>of(FULL, AuditTest::fourDecimals,
        AuditTest::threeDigits)) {
      Random random = new Random(seed);
      Audit audit = Audit.of(log(random, n, alpha, sigma, print, k -> failures(random, k)));
      String what = "seed " + seed + ": " + audit.findings();
      assertEquals(OptionalDouble.of(alpha), audit.alpha(), what);
      assertEquals(n, audit.n().orElseThrow(), what);
      assertEquals(Finding.Verdict.UNJUDGED, finding(audit, "votes").verdict(), what);
      assertEquals(print == FULL ? Finding.Verdict.SHOWN : Finding.Verdict.SUSPECT, finding(audit,
          "rounding").verdict(), what);
    }
  }

  /** Without a pile at the top and with few digits there is nothing to go by. */
  @Test
  void unsaturatedLogsAreNotJudged() throws Exception {
    for (long seed = 1; seed <= 5; seed++) {
      Random random = new Random(seed);
      Audit audit = Audit.of(log(random, 100_000, 0.001, 0.5, AuditTest::threeDigits,
          n -> 200 + failures(random, n)));
      assertTrue(audit.alpha().isEmpty(), "seed " + seed + ": " + audit.findings());
    }
  }

  /** An alpha and an n that nobody types may go unnamed, but must not be taken for others. */
  @Test
  void oddRunsAreNotMisnamed() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 30; i++) {
      int n = 20_000 + 2 * random.nextInt(50_000) + 1;
      double alpha = 0.0012 + 0.006 * random.nextDouble();
      Audit audit = Audit.of(log(random, n, alpha, 0.25, AuditTest::fourDecimals, k -> failures(random, k)));
      assertTrue(audit.alpha().isEmpty(), "seed " + seed + ", n " + n + ", alpha " + alpha + ": " + audit.findings());
    }
  }

  @Test
  void multipliedVotesAreFound() throws Exception {
    for (DoubleFunction<String> print : java.util.List.<DoubleFunction<String>>of(FULL, AuditTest::fourDecimals)) {
      Random random = new Random(3);
      Audit audit = Audit.of(log(random, 100_000, 0.001, 0.25, print, n -> 10 * failures(random, n / 10)));
      Finding votes = finding(audit, "votes");
      assertEquals(Finding.Verdict.SUSPECT, votes.verdict(), audit.findings().toString());
      assertTrue(votes.sentence().contains("10000 samples whose votes were multiplied by 10"), votes.sentence());
    }
  }

  @Test
  void selectionVotesThatWereCountedAreFound() throws Exception {
    Random random = new Random(5);
    Audit audit = Audit.of(log(random, 10_100, 0.001, 0.5, FULL, n -> failures(random, n)));
    assertEquals(10_100, audit.n().orElseThrow());
    assertTrue(finding(audit, "votes").sentence().contains("a round 10000 and 100"), audit.findings().toString());
  }

  @Test
  void radiiThatWereCutAreNotCalledRounded() throws Exception {
    Random random = new Random(9);
    Audit audit = Audit.of(log(random, 100_000, 0.001, 0.5, r -> Decimals.down(r, 4), n -> failures(random, n)));
    assertEquals(OptionalDouble.of(0.001), audit.alpha(), audit.findings().toString());
    assertEquals(Finding.Verdict.SHOWN, finding(audit, "rounding").verdict(), audit.findings().toString());
  }

  @Test
  void unitsThatDoNotFit() throws Exception {
    Log log = TableReader.read(Files.writeString(temp.resolve("sigma_0.25"),
        "idx\tlabel\tpredict\tradius\tcorrect\ttime\n"
        + "0\t1\t1\t128.0\t1\tx\n4\t1\t1\t90.5\t1\tx\n5\t1\t1\t90.5\t1\tx\n"));
    Audit audit = Audit.of(log);
    assertEquals(Finding.Verdict.SUSPECT, finding(audit, "units").verdict());
    assertTrue(finding(audit, "images").sentence().contains("3 are missing"), audit.findings().toString());
  }
}
