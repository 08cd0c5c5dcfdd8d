package org.diffcert.analyze;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.diffcert.DiffcertException;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The dialects of tables, and what is refused. */
class TableReaderTest {
  private static final String HEAD = "idx\tlabel\tpredict\tradius\tcorrect\ttime\n";

  @TempDir Path temp;

  private Log read(String name, String text) throws Exception {
    return TableReader.read(Files.writeString(temp.resolve(name), text));
  }

  private static List<String> rules(Log log, Finding.Verdict verdict) {
    return log.findings().stream().filter(f -> f.verdict() == verdict).map(Finding::rule).toList();
  }

  @Test
  void aCorrectColumnThatCountsUp() throws Exception {
    Log log = read("running.tsv", HEAD + "0\t3\t3\t0.5\t1\tx\n1\t3\t3\t0.5\t2\tx\n2\t3\t-1\t0.0\t2\tx\n");
    assertEquals(2, new Analysis(log.rows()).certifiedAccuracy(0).count());
    assertEquals(List.of("correct column"), rules(log, Finding.Verdict.SUSPECT));
    assertTrue(log.findings().get(0).sentence().contains("running total"), log.findings().toString());
  }

  @Test
  void aCorrectColumnIsOneOrTheOther() throws Exception {
    DiffcertException e = assertThrows(DiffcertException.class, () -> read("mixed.tsv",
        HEAD + "0\t3\t3\t0.5\t1\tx\n1\t3\t3\t0.5\t1\tx\n2\t3\t-1\t0.0\t2\tx\n"));
    assertTrue(e.getMessage().contains("line 4"), e.getMessage());
  }

  @Test
  void aLastLineThatWasCutOff() throws Exception {
    String whole = HEAD + "0\t3\t3\t0.5\t1\t0:01\n1\t3\t2\t0.4\t0\t0:01";
    for (int length = HEAD.length(); length <= whole.length(); length++) {
      Log log = read("cut.tsv", whole.substring(0, length));
      String rest = whole.substring(HEAD.length(), length);
      long tabs = rest.chars().filter(c -> c == '\t').count();
      assertEquals(tabs / 5, log.rows().size(), "cut after '" + rest + "'");
      String last = rest.substring(rest.lastIndexOf('\n') + 1);
      boolean partial = !last.isEmpty() && last.chars().filter(c -> c == '\t').count() < 5;
      assertEquals(partial, rules(log, Finding.Verdict.NOTE).contains("last line"), "cut after '" + rest + "'");
    }
  }

  @Test
  void aTableWithoutRowsIsReadAndSaysSo() throws Exception {
    assertEquals(List.of("rows"), rules(read("empty.tsv", HEAD), Finding.Verdict.SUSPECT));
  }

  @Test
  void predictions() throws Exception {
    Log log = read("predict.tsv", "idx\tlabel\tpredict\tcorrect\ttime\n0\t1\t1\t1\tx\n1\t1\t-1\t0\tx\n");
    assertEquals(Log.Form.PREDICTIONS, log.form());
    assertEquals(1, new Analysis(log.rows()).abstention().count());
    Log base = read("base.tsv", "idx\tlabel\tpredict\tbasePredict\tcorrect\ttime\n"
        + "0\t1\t1\t0\t1\tx\n1\t1\t-1\t1\t0\tx\n");
    assertTrue(base.findings().toString().contains("right in 1 of 2 rows"), base.findings().toString());
  }

  @Test
  void aCascade() throws Exception {
    Log log = read("cascade.tsv", "idx\tlabel\tpredict\tradius\tr_neg\tcorrect\tpred_uc\tcorr_uc\tstage\ttime\n"
        + "0\t1\t1\t0.5\t-0.7\t1\t1\t1\t0\tx\n1\t1\t-2\t0.0\t-100\t0\t1\t1\t1\tx\n");
    assertEquals(Log.Form.CASCADE, log.form());
    assertEquals(1, new Analysis(log.rows()).abstention().count());
    assertTrue(log.findings().toString().contains("2 of 2 predictions are right"), log.findings().toString());
    assertTrue(Audit.of(log).alpha().isEmpty());
    assertThrows(DiffcertException.class, () -> read("plain.tsv", HEAD + "1\t1\t-2\t0.0\t0\tx\n"));
  }

  @Test
  void windowsLineEndsAndStrangeColumns() throws Exception {
    Log log = read("strange.tsv", "idx\tlabel\tnote\tpredict\tradius\tcorrect\ttime\r\n7\t1\thm\t1\t0.25\t1\tx\r\n");
    assertEquals(List.of(new Row(7, 1, 1, 0.25)), log.rows());
    assertTrue(log.findings().toString().contains("not read: note"));
  }

  @ParameterizedTest
  @CsvSource({"sigma_0.25,0.25", "results-sigma0.5.tsv,0.5", "sigma_1.00,1", "results.tsv,", "sigma_99,",
      "sigma=0.12.tsv,0.12"})
  void theFilesNameTellsSigma(String name, Double sigma) throws Exception {
    assertEquals(Optional.ofNullable(sigma).map(Sigma::new), read(name, HEAD + "0\t3\t3\t0.5\t1\tx\n").sigma());
  }

  @ParameterizedTest
  @CsvSource({"0.123 1.9 0.0612,3,false", "0.4574 3.7391 0.0500,4,true", "0.5 0.25,2,false",
    "0.95286412345678901,17,false", "1.77e-05 0.12,3,false", "\u00010.50\u0001\u0001 0.250,3,false"})
  void howRadiiWerePrinted(String radii, int digits, boolean fixed) throws Exception {
    StringBuilder text = new StringBuilder(HEAD);
    int image = 0;
    for (String radius : radii.split(" ")) {
      text.append(image++).append("\t3\t3\t").append(radius).append("\t1\tx\n");
    }
    assertEquals(new PrintedRadii(digits, fixed), read("radii.tsv", text.toString()).printed());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "idx label predict radius correct time\n", "H0\t3\t3\t0.5\t1\n",
    "H0\t3\t3\t0.5\t1\tx\ty\n", "H0\t3\t3\tfar\t1\tx\n", "H0\t3\t3\tNaN\t1\tx\n", "H0\t3\t3\t-1\t1\tx\n",
    "H0\t3\t3\tInfinity\t1\tx\n", "H0\t3\t-2\t0\t0\tx\n", "H0\t3\t3\t0.5\t0\tx\n", "H0\t3\t-1\t0.5\t0\tx\n",
    "H0\t3\t3\t0.5\t1\tx\n0\t3\t3\t0.5\t1\tx\n", "H99999999999\t3\t3\t0\t1\tx\n",
    "H0\t3\t3\t0.5\t1\tx\n\n1\t3\t3\t0.5\t1\tx\n", "idx\tidx\tlabel\tpredict\tradius\tcorrect\ttime\n"})
  void malformedTablesAreBadInput(String text) throws Exception {
    Path file = Files.writeString(temp.resolve("bad.tsv"), text.replace("H", HEAD));
    DiffcertException e = assertThrows(DiffcertException.class, () -> TableReader.read(file));
    assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    assertTrue(e.getMessage().contains("bad.tsv") && e.getMessage().length() < 400, e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }

  @Test
  void anEndlessLineIsRefusedEarly() throws Exception {
    DiffcertException e = assertThrows(DiffcertException.class, () -> read("long.tsv", HEAD + "9".repeat(5000)));
    assertTrue(e.getMessage().contains("longer than"), e.getMessage());
    assertThrows(DiffcertException.class, () -> TableReader.read(temp.resolve("nothing.tsv")));
  }
}
