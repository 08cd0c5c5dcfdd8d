package org.diffcert.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.diffcert.DiffcertException;
import org.diffcert.analyze.Analysis;
import org.diffcert.analyze.Audit;
import org.diffcert.analyze.Log;
import org.diffcert.analyze.TableReader;
import org.diffcert.certify.Cascade;
import org.diffcert.certify.CascadeCertificate.Outcome;
import org.diffcert.certify.CascadeVotes;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.certify.ToySource;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs of a cascade: recorded, gone on with, verified, analysed; logs that lie or make no sense are found out. */
class CascadeRunTest {
  private static final int IMAGES = 12;
  @TempDir Path temp;

  /** The larger sigma is near a coin's toss between passing and answering, so all outcomes and stages occur. */
  private static CertifyRun run(Cascade cascade) {
    ToySource large = new ToySource(42, 2, List.of(new Sigma(1)), (s, normal) -> normal < 0.6 ? 0 : 1);
    ToySource small = new ToySource(42, 2, List.of(new Sigma(0.25)), (s, normal) -> normal < 2.9 ? 0 : 1);
    CertifyConfig config = CertifyConfig.of(10, 200, 0.01);
    return new CertifyRun(new CascadeVotes(List.of(large, small)), new Toys.Data(IMAGES), new ImageRange(0, IMAGES, 1),
        config, Optional.of(cascade), "0.1.0", "", "toy", Toys.ORIGIN);
  }

  private static final Cascade P0 = new Cascade(0.8, Cascade.Walk.FIRST);

  @Test
  void aRunIsRecordedGoneOnWithAndVerified() throws Exception {
    run(P0).run(temp, RunListener.NONE, () -> false);
    String whole = Files.readString(temp.resolve(RunLog.FILE));
    RunLog log = RunLog.read(temp);
    assertEquals(Optional.of(P0), log.header().cascade());
    assertEquals(1, log.header().certificates());
    assertTrue(log.records().stream().anyMatch(r -> r.cascade().get().stage() == 1
        && r.cascade().get().outcome() == Outcome.CERTIFIED), "some are certified by the second stage");
    assertEquals(IMAGES, Verify.run(temp).certificates());

    Files.writeString(temp.resolve(RunLog.FILE), whole.substring(0, whole.length() * 2 / 3));
    run(P0).run(temp, RunListener.NONE, () -> false);
    assertEquals(Toys.withoutTimes(whole), Toys.withoutTimes(Files.readString(temp.resolve(RunLog.FILE))));
    DiffcertException other = assertThrows(DiffcertException.class,
        () -> run(new Cascade(0.7, Cascade.Walk.ALL)).run(temp, RunListener.NONE, () -> false));
    assertTrue(other.getMessage().contains("config.cascade.p0 is 0.8 there and 0.7 here"), other.getMessage());
    assertTrue(other.getMessage().contains("config.cascade.walk"), other.getMessage());
  }

  /** The table has the published columns, is read as a cascade's, and no ladder is looked for in it. */
  @Test
  void theTableIsThatOfACascade() throws Exception {
    run(P0).run(temp, RunListener.NONE, () -> false);
    Path table = temp.resolve("results.tsv");
    assertTrue(Files.readString(table).startsWith(
        "idx\\tlabel\\tpredict\\tradius\\tr_neg\\tcorrect\\tpred_uc\\tcorr_uc\\tstage\\ttime\\n".translateEscapes()));
    Log read = TableReader.read(table);
    assertEquals(Log.Form.CASCADE, read.form());
    assertTrue(Audit.of(read).sentence().contains("cascade"), Audit.of(read).sentence());
    Log own = Logs.read(temp).get(0);
    assertEquals(own.rows(), read.rows());
    assertEquals(Log.Form.RUN, own.form());
    assertTrue(own.sigma().isEmpty(), "a cascade has no sigma of its own");
    assertTrue(Audit.of(own).findings().stream().anyMatch(f -> f.rule().equals("cascade")
        && f.sentence().contains("the deployed predictor, which no certificate is about")));
    assertEquals(new Analysis(own.rows()).averageCertifiedRadius(), new Analysis(read.rows()).averageCertifiedRadius());
    String report = Files.readString(temp.resolve("report.html"));
    assertTrue(report.contains("not about the deployed predictor") && report.contains("1.0, 0.25"),
        "the report says so");
  }

  /** Every recorded value that votes give is computed again. */
  @Test
  void changedValuesAreAMismatch() throws Exception {
    run(P0).run(temp, RunListener.NONE, () -> false);
    RunRecord record = RunLog.read(temp).records().stream()
        .filter(r -> r.cascade().get().stages().size() == 2 && !r.cascade().get().abstains()).findFirst().orElseThrow();
    mismatch(record, c -> c.put("radius", 0.7), "radius is 0.7 in the log");
    mismatch(record, c -> c.put("integerRadius", 99_999L), "integerRadius is 99999");
    mismatch(record, c -> c.put("predict", 1L), "predict is 1");
    mismatch(record, c -> c.put("alpha", 0.02), "alpha is 0.02");
    mismatch(record, c -> c.put("outcome", "passed"), "outcome is passed");
    mismatch(record, c -> c.put("stage", 0L), "stage is 0");
    mismatch(record, c -> c.put("earlier", List.of(9.0)), "earlier is [9.0]");
    mismatch(record, c -> deployed(c).put("predict", 1L), "deployed is");
    mismatch(record, c -> stage(c, 0).put("leavesOthers", 5.0), "leavesOthers is 5.0");
    mismatch(record, c -> stage(c, 1).put("answers", 5.0), "answers is 5.0");
    mismatch(record, c -> stage(c, 1).put("pALower", 1.0), "pALower is 1.0");
    mismatch(record, c -> stage(c, 0).put("leavesTop", 5.0), "leavesTop is 5.0");
    mismatch(record, c -> {
      Map<String, Object> unseen = new LinkedHashMap<>();
      unseen.put("selection", stage(c, 1).get("selection"));
      unseen.put("selectionNone", stage(c, 1).get("selectionNone"));
      c.put("stages", List.of(stage(c, 0)));
      c.put("unseen", List.of(unseen));
      c.put("stage", 0L);
    }, "the walk ends after 1 stages, where it goes on");
  }

  private void mismatch(RunRecord record, Consumer<Map<String, Object>> change, String expected) throws Exception {
    DiffcertException e = assertThrows(DiffcertException.class, () -> Verify.run(changed(record, change)));
    assertEquals(DiffcertException.Kind.MISMATCH, e.kind());
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }

  @Test
  void malformedRecordsAreBadInput() throws Exception {
    run(P0).run(temp, RunListener.NONE, () -> false);
    RunRecord record = RunLog.read(temp).records().stream()
        .filter(r -> r.cascade().get().stages().size() == 2).findFirst().orElseThrow();
    List<Consumer<Map<String, Object>>> changes = List.of(c -> c.remove("outcome"), c -> c.put("outcome", "maybe"),
        c -> c.put("stage", 2L), c -> c.put("stage", -1L), c -> c.put("radius", -0.5), c -> c.put("predict", 2L),
        c -> c.put("stages", List.of()), c -> c.put("stages", List.of(stage(c, 1), stage(c, 0))),
        c -> c.put("stages", List.of(stage(c, 0), stage(c, 1), stage(c, 1))),
        c -> c.put("stages", List.of(stage(c, 0))), c -> c.put("earlier", List.of("near")), c -> c.put("deployed", 0L),
        c -> deployed(c).put("stage", 3L), c -> stage(c, 0).put("answers", -0.5),
        c -> stage(c, 0).put("pALower", 1.5), c -> stage(c, 0).put("estimation", List.of(1L, 2L)),
        c -> stage(c, 0).put("selection", List.of(1L, 2L)), c -> stage(c, 0).put("more", 1L));
    for (int i = 0; i < changes.size(); i++) {
      Consumer<Map<String, Object>> change = changes.get(i);
      Path file = changed(record, change);
      DiffcertException e = assertThrows(DiffcertException.class, () -> RunLog.read(file), "case " + i);
      assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    }
  }

  @Test
  void impossibleHeadersAreBadInput() throws Exception {
    RunHeader header = run(P0).header();
    List<Consumer<Map<String, Object>>> changes = List.of(c -> cascade(c).put("p0", 0.4), c -> cascade(c).put("p0", 1L),
        c -> cascade(c).put("walk", "back"), c -> cascade(c).put("skip", 1L), c -> cascade(c).remove("p0"),
        c -> c.put("cascade", 0.5), c -> c.put("alpha", 1e-323));
    for (Consumer<Map<String, Object>> change : changes) {
      Map<String, Object> body = header.encode();
      change.accept(Fields.object("config", body.get("config")));
      Path file = temp.resolve("bad.jsonl");
      Files.write(file, new LogLine(body, Toys.ORIGIN.encode()).write());
      Files.writeString(file, Files.readString(file) + "\n");
      DiffcertException e = assertThrows(DiffcertException.class, () -> RunLog.read(file));
      assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    }
    assertThrows(IllegalArgumentException.class, () -> new CertifyRun(Toys.SOURCE, new Toys.Data(2),
        new ImageRange(0, 2, 1), Toys.CONFIG, Optional.of(P0), "", "", "", Toys.ORIGIN));
  }

  /** A log of the run's header and that one record, changed, with its checksum made good. */
  private Path changed(RunRecord record, Consumer<Map<String, Object>> change) throws Exception {
    LogLine line = record.encode();
    Map<String, Object> cascade = cascade(line.body());
    cascade.put("stages", new ArrayList<>((List<?>) cascade.get("stages")));
    change.accept(cascade);
    Path file = temp.resolve("changed.jsonl");
    String header = Files.readAllLines(temp.resolve(RunLog.FILE)).get(0);
    Files.writeString(file, header + "\n" + new String(line.write(), StandardCharsets.UTF_8) + "\n");
    return file;
  }

  private static Map<String, Object> cascade(Map<String, Object> map) {
    return Fields.object("cascade", map.get("cascade"));
  }

  private static Map<String, Object> deployed(Map<String, Object> cascade) {
    return Fields.object("deployed", cascade.get("deployed"));
  }

  private static Map<String, Object> stage(Map<String, Object> cascade, int stage) {
    return Fields.object("stage", ((List<?>) cascade.get("stages")).get(stage));
  }
}
