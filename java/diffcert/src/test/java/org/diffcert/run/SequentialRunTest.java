package org.diffcert.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.certify.Stopping;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs that stop early: recorded, gone on with, verified. */
class SequentialRunTest {
  @TempDir Path temp;

  private static CertifyRun run(Stopping.Kind kind, int family) {
    CertifyConfig config = CertifyConfig.of(10, 500, 0.001).withFamily(family)
        .withStop(new Stopping(kind, List.of(0.05, 0.1)));
    return new CertifyRun(Toys.SOURCE, new Toys.Data(4), new ImageRange(0, 4, 1), config, "0.1.0", "", "toy",
        Toys.ORIGIN);
  }

  @ParameterizedTest
  @EnumSource(value = Stopping.Kind.class, names = {"SEQUENTIAL", "STAGED"})
  void aRunIsRecordedGoneOnWithAndVerified(Stopping.Kind kind) throws Exception {
    Path directory = temp.resolve("whole");
    run(kind, 1).run(directory, RunListener.NONE, () -> false);
    Path file = directory.resolve(RunLog.FILE);
    String whole = Files.readString(file);
    RunLog log = RunLog.read(directory);
    assertEquals(kind, log.header().config().stop().kind());
    assertEquals(List.of(0.05, 0.1), log.header().config().stop().radii());
    assertFalse(log.header().joint());
    assertTrue(log.records().stream().allMatch(r -> r.certificates().get(0).samples() < 500), "it pays");
    assertEquals(8, Verify.run(directory).certificates());
    assertTrue(Files.readString(directory.resolve("results-sigma0.25.tsv")).startsWith(
        "idx\\tlabel\\tpredict\\tradius\\tcorrect\\ttime\\tsamples\\n0\\t0\\t0\\t".translateEscapes()));

    Files.writeString(file, whole.substring(0, whole.length() * 2 / 3));
    run(kind, 1).run(directory, RunListener.NONE, () -> false);
    assertEquals(Toys.withoutTimes(whole), Toys.withoutTimes(Files.readString(file)));
    DiffcertException other = assertThrows(DiffcertException.class,
        () -> run(kind, 8).run(directory, RunListener.NONE, () -> false));
    assertTrue(other.getMessage().contains("config.family is 1 there and 8 here"), other.getMessage());
  }

  /** Histograms of other samples than those at which the rule stops are no result of the run. */
  @Test
  void votesThatGoOnAreAMismatch() throws Exception {
    run(Stopping.Kind.SEQUENTIAL, 1).run(temp, RunListener.NONE, () -> false);
    RunRecord record = RunLog.read(temp).records().get(0);
    int samples = record.certificates().get(0).samples();
    LogLine line = record.encode();
    Map<String, Object> result = Fields.object("result", ((List<?>) line.body().get("results")).get(0));
    List<?> votes = (List<?>) result.get("estimation");
    result.put("estimation", List.of((Long) votes.get(0) - 1, votes.get(1)));
    Path file = temp.resolve(RunLog.FILE);
    String header = Files.readAllLines(file).get(0);
    Files.writeString(file, header + "\n" + new String(line.write(), StandardCharsets.UTF_8) + "\n");
    DiffcertException e = assertThrows(DiffcertException.class, () -> Verify.run(temp));
    assertEquals(DiffcertException.Kind.MISMATCH, e.kind());
    assertTrue(e.getMessage().contains("the votes end after " + (samples - 1) + " samples"), e.getMessage());
  }

  @Test
  void aFamilyOfAllRowsIsJoint() throws Exception {
    assertTrue(run(Stopping.Kind.SEQUENTIAL, 8).header().joint());
    assertFalse(run(Stopping.Kind.SEQUENTIAL, 7).header().joint());
    run(Stopping.Kind.SEQUENTIAL, 8).run(temp, RunListener.NONE, () -> false);
    assertTrue(Files.readString(temp.resolve("report.html")).contains("all certificates of this run hold at once"));
  }
}
