package org.diffcert.stats;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;

/**
 * What looking while samples come saves (B2): mean samples to a decision, exactly, beside a fixed number and beside the
 * figures that others have. Prints the tables of docs/benchmarks/sequential.md, which must be these.
 */
class SequentialCostTest {
  private static final double ALPHA = 0.001;
  private static final int CAP = 100_000;
  private static final double[] RATIOS = {0.5, 1, 2, 3};
  private static final double[] TRUTHS = {0.5, 0.8, 0.95, 0.99, 1};
  /** Uniform mixture, a look every 32 samples, at most 10,000: simulated before this library was written. */
  private static final Map<String, String> EVERY_32 = Map.of("1.0 0.5", "47", "1.0 0.8", "1754", "1.0 0.95", "191",
      "1.0 0.99", "99", "2.0 0.95", "883", "2.0 0.99", "2568", "2.0 1.0", "608", "3.0 1.0", "over 10000");

  private static double threshold(double ratio) {
    return Radius.probability(new Sigma(1), ratio);
  }

  @Test
  void theTablesOfTheDocumentAreThese() throws Exception {
    List<String> lines = new ArrayList<>(means());
    lines.addAll(unanimous());
    lines.forEach(System.out::println);
    Path document = Path.of("../../docs/benchmarks/sequential.md");
    List<String> written = Files.readAllLines(document);
    for (String line : lines) {
      assertTrue(written.contains(line), document + " lacks the line " + line);
    }
  }

  private static List<String> means() {
    List<String> lines = new ArrayList<>();
    Walk.LogMixture published = Walk.krichevskyTrofimov(CAP);
    for (double ratio : RATIOS) {
      double p = threshold(ratio);
      Walk.Decision betting = Walk.of(new BettingRule(new double[] {p}, CAP, ALPHA), p);
      Walk.Decision staged = Walk.of(new StagedRule(new double[] {p}, CAP, ALPHA), p);
      Walk.Decision others = Walk.betting(published, p, Math.log(1 / ALPHA));
      for (double truth : TRUTHS) {
        Walk ours = Walk.of(betting, truth, CAP);
        assertTrue(ours.going() < 1e-3, "it is decided before the cap");
        String simulated = EVERY_32.getOrDefault(ratio + " " + truth, "");
        lines.add(String.format(Locale.ROOT, "| %.1f | %.5f | %.2f | %s | %.0f | %.0f | %.0f | %s | %.1f | %.0f | %s |",
            ratio, p, truth, truth > p ? "reached" : "given up", ours.samples(), Walk.of(staged, truth, CAP).samples(),
            Walk.of(others, truth, CAP).samples(), simulated, 10_000 / ours.samples(), CAP / ours.samples(),
            fixed(p, truth)));
      }
    }
    return lines;
  }

  /** What 10,000 samples say when they come out as they do on average. */
  private static String fixed(double p, double truth) {
    int k = (int) Math.round(10_000 * truth);
    boolean certified = ClopperPearson.lower(k, 10_000, ALPHA) >= p;
    boolean refuted = ClopperPearson.upper(k, 10_000, ALPHA) < p;
    return certified ? "reached" : refuted ? "given up" : "undecided";
  }

  private static List<String> unanimous() {
    List<String> lines = new ArrayList<>();
    Walk.LogMixture published = Walk.krichevskyTrofimov(CAP);
    for (double ratio : new double[] {0, 0.5, 1, 2, 3}) {
      double p = threshold(ratio);
      Walk.Decision betting = Walk.of(new BettingRule(new double[] {p}, CAP, ALPHA), p);
      Walk.Decision staged = Walk.of(new StagedRule(new double[] {p}, CAP, ALPHA), p);
      Walk.Decision others = Walk.betting(published, p, Math.log(1 / ALPHA));
      lines.add(String.format(Locale.ROOT, "| %.1f | %d | %d | %d | %d |", ratio, first(betting), first(staged),
          first(others), oneLook(p)));
    }
    return lines;
  }

  private static int first(Walk.Decision decision) {
    int n = 1;
    while (n < CAP && decision.of(n, n) == 0) {
      n++;
    }
    return n;
  }

  /** The fewest samples that can show p at all, with one look. */
  private static int oneLook(double p) {
    int n = 1;
    while (ClopperPearson.lower(n, n, ALPHA) < p) {
      n++;
    }
    return n;
  }
}
