package org.diffcert.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.diffcert.analyze.Analysis;
import org.diffcert.analyze.Audit;
import org.diffcert.analyze.Log;
import org.diffcert.analyze.Probabilities;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs of ours, handed over to analysis. */
class LogsTest {
  @TempDir Path temp;

  @Test
  void aRunIsAnalysedFromItsLogAndItsTableAlike() {
    Toys.goOn(temp, 8);
    List<Log> run = Logs.read(temp);
    assertEquals(List.of(temp + " sigma 0.25", temp + " sigma 0.5"), run.stream().map(Log::name).toList());
    Log table = Logs.read(temp.resolve("results-sigma0.25.tsv")).get(0);
    assertEquals(run.get(0).rows(), table.rows());
    assertEquals(run.get(0).sigma(), table.sigma(), "from the table's name");
    assertEquals(new Analysis(run.get(0).rows()).averageCertifiedRadius(),
        new Analysis(table.rows()).averageCertifiedRadius());
    assertTrue(Probabilities.of(run.get(0)).orElseThrow().shares());
    assertEquals("far <&>", run.get(0).className(1));
  }

  @Test
  void alphaIsRecorded() {
    Toys.goOn(temp, 2);
    Audit audit = Audit.of(Logs.read(temp.resolve(RunLog.FILE)).get(0));
    assertEquals(0.0005, audit.alpha().orElseThrow(), 1e-15, "half of 0.001, for two sigmas");
    assertEquals(60, audit.n().orElseThrow());
  }
}
