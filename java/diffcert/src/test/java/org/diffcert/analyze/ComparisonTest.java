package org.diffcert.analyze;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.diffcert.DiffcertException;
import org.diffcert.file.Json;
import org.junit.jupiter.api.Test;

/** Methods side by side, on rows small enough to be counted by hand; and the interval of a paired difference. */
class ComparisonTest {
  private static final List<Summary.Radius> RADII =
      List.of(new Summary.Radius("0", 0), new Summary.Radius("0.5", 0.5));
  private static final Comparison.Method FIRST = method("first", "d1", List.of(new Row(0, 0, 0, 0.6),
      new Row(1, 0, 0, 0.2), new Row(2, 1, 0, 0.9), new Row(3, 1, -1, 0)), 10);
  private static final Comparison.Method OTHER = method("other", "d1", List.of(new Row(3, 1, 1, 0.5),
      new Row(2, 1, 1, 0), new Row(1, 0, 0, 0.7), new Row(4, 0, 0, 0.1)), 20);

  private static Comparison.Method method(String name, String data, List<Row> rows, long calls) {
    return new Comparison.Method(Report.Panel.of(AnalysisTest.log(name, rows)), "toy", data, Map.of("n", "" + calls),
        rows.stream().map(row -> new Comparison.Work(calls * row.image(), row.image(), row.image() / 2.0)).toList());
  }

  @Test
  void onlyImagesThatAllHaveCount() {
    Comparison comparison = Comparison.of(List.of(FIRST, OTHER));
    assertEquals(List.of(1, 2, 3), comparison.images());
    assertEquals(1.0 / 3, comparison.analysis(0).certifiedAccuracy(0).value());
    assertEquals(1, comparison.analysis(1).certifiedAccuracy(0).value());
    assertEquals(20, comparison.methods().get(1).callsPerVote().orElseThrow());
    assertEquals(1, comparison.methods().get(1).secondsPerImage().orElseThrow(), "images 1, 2 and 3 took 3 s");
    assertEquals(List.of("1 of the 4 images of first are left out, since not all runs have them",
        "1 of the 4 images of other are left out, since not all runs have them", "n differs: 10 (first), 20 (other)"),
        comparison.notes());
  }

  @Test
  void differencesAreImageByImage() {
    Comparison comparison = Comparison.of(List.of(FIRST, OTHER));
    PairedDifference atZero = comparison.difference(1, 0);
    assertEquals(0, atZero.onlyFirst());
    assertEquals(2, atZero.onlyOther(), "a wrong row and an abstention there, right ones here");
    assertEquals(2.0 / 3, atZero.value());
    assertEquals(0.5, atZero.pValue(), 1e-12);
    assertEquals(2, comparison.difference(1, 0.5).onlyOther());
    Comparison.RadiusDifference radius = comparison.radiusDifference(1);
    assertEquals((0.5 + 0 + 0.5) / 3, radius.value(), 1e-15);
    assertEquals(Math.sqrt((1.0 / 36 + 1.0 / 9 + 1.0 / 36) / 2 / 3), radius.standardError(), 1e-15);
  }

  @Test
  void whatCannotBeComparedIsRefused() {
    Comparison.Method elsewhere = method("elsewhere", "d1", List.of(new Row(9, 0, 0, 1)), 1);
    Comparison.Method foreign = method("foreign", "d2", List.of(new Row(1, 0, 0, 1)), 1);
    Comparison.Method relabelled = method("relabelled", "", List.of(new Row(1, 1, 0, 1)), 1);
    Comparison.Method table = method("table", "", List.of(new Row(1, 0, 0, 1)), 1);
    refused("no image in common", FIRST, elsewhere);
    refused("different data", FIRST, foreign);
    refused("image 1 has label 1 in relabelled and 0 in another log", FIRST, relabelled);
    refused("nothing to compare", FIRST);
    assertTrue(Comparison.of(List.of(FIRST, table)).notes().get(0).contains("from index and label alone"));
  }

  private static void refused(String sentence, Comparison.Method... methods) {
    DiffcertException e = assertThrows(DiffcertException.class, () -> Comparison.of(List.of(methods)));
    assertEquals(DiffcertException.Kind.USAGE, e.kind());
    assertTrue(e.getMessage().contains(sentence), e.getMessage());
  }

  @Test
  void filesHoldTheSameFigures() {
    Comparison comparison = Comparison.of(List.of(FIRST, OTHER));
    List<String> lines = ComparisonFiles.tsv(comparison, RADII).lines().toList();
    assertEquals(5, lines.size());
    String[] head = lines.get(0).split("\t", -1);
    String[] cells = lines.get(4).split("\t", -1);
    assertEquals(head.length, cells.length);
    assertEquals(head.length, lines.get(1).split("\t", -1).length);
    assertEquals("other", cells[0]);
    assertEquals("2", cells[List.of(head).indexOf("only_this")]);
    Json json = Json.parse(ComparisonFiles.json(comparison, RADII), "the comparison");
    Map<?, ?> method = (Map<?, ?>) ((List<?>) ((Map<?, ?>) json.plain()).get("methods")).get(1);
    Map<?, ?> half = (Map<?, ?>) ((List<?>) method.get("at")).get(1);
    assertEquals(2L, half.get("onlyThis"));
    assertEquals(Double.parseDouble(cells[List.of(head).indexOf("difference")]), half.get("difference"));
  }

  @Test
  void aReportShowsThemSideBySide() {
    Comparison comparison = Comparison.of(List.of(FIRST, OTHER));
    List<Report.Panel> panels = comparison.methods().stream().map(Comparison.Method::panel).toList();
    String page = HtmlReport.of(new Report("t", "s", panels, Optional.empty(),
        Optional.of(new HtmlComparison(comparison, RADII))));
    assertTrue(page.contains("<h2>Side by side</h2>") && page.contains("+66.7<small>"), page);
    assertFalse(HtmlReport.of(new Report("t", "s", panels, Optional.empty())).contains("Side by side"));
  }

  /** Every table of up to 14 images, every pair of probabilities on a grid: the interval holds at least 95%. */
  @Test
  void theIntervalHoldsItsProbability() {
    double least = 1;
    for (int total : new int[] {1, 5, 14}) {
      for (int i = 0; i <= 20; i++) {
        for (int j = 0; i + j <= 20; j++) {
          least = Math.min(least, coverage(total, i / 20.0, j / 20.0));
        }
      }
    }
    assertTrue(least >= 0.95, "least coverage " + least);
    assertTrue(least < 0.995, "and it is no interval that says nothing: " + least);
  }

  private static double coverage(int total, double first, double other) {
    double covered = 0;
    for (int a = 0; a <= total; a++) {
      for (int b = 0; a + b <= total; b++) {
        PairedDifference d = PairedDifference.of(a, b, total);
        boolean in = d.lower() <= other - first + 1e-12 && other - first - 1e-12 <= d.upper();
        covered += in ? multinomial(total, a, b, first, other) : 0;
      }
    }
    return covered;
  }

  private static double multinomial(int total, int a, int b, double first, double other) {
    double p = 1;
    for (int i = 0; i < a; i++) {
      p *= first * (total - i) / (i + 1);
    }
    for (int i = 0; i < b; i++) {
      p *= other * (total - a - i) / (i + 1);
    }
    return p * Math.pow(Math.max(0, 1 - first - other), total - a - b);
  }

  @Test
  void zeroIsExcludedExactlyWhereTheTestAtFourPercentRejects() {
    for (int a = 0; a <= 12; a++) {
      for (int b = 0; a + b <= 12; b++) {
        PairedDifference d = PairedDifference.of(a, b, 40);
        assertEquals(d.pValue() < 0.04, d.lower() > 0 || d.upper() < 0, a + ":" + b);
        assertEquals(-d.upper(), PairedDifference.of(b, a, 40).lower(), 1e-15, "either may be the first");
      }
    }
  }
}
