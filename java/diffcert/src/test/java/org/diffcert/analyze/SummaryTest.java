package org.diffcert.analyze;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The tables, letter by letter. */
class SummaryTest {
  private static final List<Row> ROWS = List.of(new Row(0, 0, 0, 0.5), new Row(1, 0, 1, 0.9), new Row(2, 1, -1, 0));
  private static final Log LOG = AnalysisTest.log("a_b, \"c\"|d", ROWS);
  private static final Log PREDICTIONS = new Log("p", Log.Form.PREDICTIONS, ROWS, Optional.empty(),
      new PrintedRadii(0, false), Optional.empty(), List.of(), List.of());
  private static final List<Summary.Radius> RADII =
      List.of(new Summary.Radius("0", 0), new Summary.Radius("0.50", 0.5), new Summary.Radius("1e0", 1));

  @Test
  void csv() {
    assertEquals("""
        log,rows,abstain,acr,0,0.50,1e0
        "a_b, ""c""|d",3,0.33333333333333331,0.16666666666666666,0.33333333333333331,0.33333333333333331,0
        p,3,0.33333333333333331,,,,
        none,0,,,,,
        """, new Summary(List.of(LOG, PREDICTIONS, AnalysisTest.log("none", List.of())), RADII).csv());
  }

  @Test
  void text() {
    assertEquals("""
        log          rows                 r=0              r=0.50                r=1e0       ACR  abstain
        -------------------------------------------------------------------------------------------------
        a_b, "c"|d      3  0.333 [0.008, 0.906]  0.333 [0.008, 0.906]  0.000 [0.000, 0.708]  0.166667    0.333
        """.replaceAll(" +|-+", " "), new Summary(List.of(LOG), RADII).text().replaceAll(" +|-+", " "));
  }

  @Test
  void markdown() {
    String table = new Summary(List.of(LOG, PREDICTIONS), RADII).markdown();
    assertTrue(table.startsWith("| log | rows | accuracy | r = 0 | r = 0.50 | r = 1e0 | ACR | abstain |\n|:---|---:|"),
        table);
    assertTrue(table.contains("| a_b, \"c\"\\|d | 3 | 33.3 [0.8, 90.6] | 33.3 [0.8, 90.6] |"), table);
    assertTrue(table.contains("| p | 3 | 33.3 [0.8, 90.6] | - | - | - | - | 33.3 |"), table);
  }

  @Test
  void latex() {
    String table = new Summary(List.of(LOG), RADII.subList(0, 1)).latex();
    assertEquals("""
        % Certified accuracy in percent, with exact 95% intervals.
        \\begin{tabular}{lrrrr}
        \\hline
        log & rows & $r=0$ & ACR & abstain \\\\
        \\hline
        a\\_b, "c"|d & 3 & $33.3$ {\\scriptsize$[0.8,\\,90.6]$} & 0.166667 & $33.3$ \\\\
        \\hline
        \\end{tabular}
        """, table);
  }

  @Test
  void theBestOfSeveralIsMarkedAsASelection() {
    Summary two = new Summary(List.of(LOG, AnalysisTest.log("e", ROWS)), RADII);
    for (String table : List.of(two.text(), two.markdown(), two.latex())) {
      assertTrue(table.contains("best at each radius") && table.contains("selection"), table);
    }
    assertEquals(3, two.csv().lines().count(), "for machines it is left out");
  }
}
