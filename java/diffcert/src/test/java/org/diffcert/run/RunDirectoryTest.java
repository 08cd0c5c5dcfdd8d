package org.diffcert.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.diffcert.DiffcertException;
import org.diffcert.analyze.TableReader;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run directory is started, interrupted, refused, finished. */
class RunDirectoryTest {
  @TempDir Path temp;

  @Test
  void aResumedRunKeepsItsFirstOrigin() {
    RunDirectory.openOrCreate(temp, Toys.header(3), Toys.ORIGIN).close();
    Origin other = Origin.here("renamed.pkl", "", "another toy", "", "");
    RunDirectory.openOrCreate(temp, Toys.header(3), other).close();
    assertEquals(Toys.ORIGIN, RunLog.read(temp).origin());
  }

  @Test
  void aRunReadsBackAsItWas() throws Exception {
    try (RunDirectory run = RunDirectory.openOrCreate(temp, Toys.header(3), Toys.ORIGIN)) {
      for (int i = 0; i < 3; i++) {
        run.append(Toys.record(i));
      }
      RunLog log = RunLog.read(temp);
      assertEquals(Toys.header(3), log.header());
      assertEquals(run.records(), log.records());
      assertTrue(log.complete());
      assertEquals(0, log.tornBytes());
      assertEquals(Optional.of(Toys.header(3)), RunDirectory.peek(temp));
    }
  }

  /** Cut at every byte, the log is completed to the same bytes, and what was cut into is kept aside. */
  @Test
  void tornAtAnyByteIsCompletedToTheSame() throws Exception {
    Toys.goOn(temp.resolve("whole"), 3);
    byte[] whole = Files.readAllBytes(temp.resolve("whole").resolve(RunLog.FILE));
    String wanted = Toys.withoutTimes(new String(whole, StandardCharsets.US_ASCII));
    Path torn = temp.resolve("torn");
    Path log = torn.resolve(RunLog.FILE);
    Path aside = torn.resolve("run.jsonl.torn");
    Files.createDirectories(torn);
    for (int length = 0; length <= whole.length; length += length < 20 ? 1 : 13) {
      Files.deleteIfExists(aside);
      Files.write(log, Arrays.copyOf(whole, length));
      Toys.goOn(torn, 3);
      assertEquals(wanted, Toys.withoutTimes(Files.readString(log)), "torn after " + length + " bytes");
      int start = length;
      while (start > 0 && whole[start - 1] != '\n') {
        start--;
      }
      String rest = new String(whole, start, length - start, StandardCharsets.US_ASCII);
      assertEquals(rest.isEmpty() ? "" : rest + "\n", Files.exists(aside) ? Files.readString(aside) : "");
    }
  }

  @Test
  void aChangedOptionIsRefusedWithTheDifference() throws Exception {
    Toys.goOn(temp, 2);
    byte[] before = Files.readAllBytes(temp.resolve(RunLog.FILE));
    RunHeader here = Toys.header(2);
    RunHeader changed = new RunHeader(CertifyConfig.of(10, 61, 0.001), List.of(new Sigma(0.25)),
        Map.of("classifier", "toy", "noise", "none", "seed", "43"), here.data(), here.dataDigest(), here.classNames(),
        here.images(), here.library(), here.nativeBuild(), here.device());
    DiffcertException e =
        assertThrows(DiffcertException.class, () -> RunDirectory.openOrCreate(temp, changed, Toys.ORIGIN));
    assertEquals(DiffcertException.Kind.USAGE, e.kind());
    for (String part : List.of("config.n is 60 there and 61 here", "config.sigmas is [0.25,0.5] there and [0.25] here",
        "source.seed is \"42\" there and \"43\" here")) {
      assertTrue(e.getMessage().contains(part), e.getMessage());
    }
    assertFalse(e.getMessage().contains("device"), e.getMessage());
    assertEquals(new String(before), Files.readString(temp.resolve(RunLog.FILE)));
  }

  /** A torn line must survive a refusal too. */
  @Test
  void aRefusalLeavesATornLineWhereItIs() throws Exception {
    Toys.goOn(temp, 2);
    Path log = temp.resolve(RunLog.FILE);
    byte[] torn = Arrays.copyOf(Files.readAllBytes(log), (int) Files.size(log) - 9);
    Files.write(log, torn);
    assertThrows(DiffcertException.class, () -> RunDirectory.openOrCreate(temp, Toys.header(5), Toys.ORIGIN));
    assertEquals(new String(torn), Files.readString(log));
    assertFalse(Files.exists(temp.resolve("run.jsonl.torn")));
  }

  @Test
  void aForeignFileIsRefusedUntouched() throws Exception {
    Path log = temp.resolve(RunLog.FILE);
    for (String foreign : List.of("my diary", "my diary\n", "{\"epoch\":1,\"loss\":0.5}\n{\"epoch\":2}\n")) {
      Files.writeString(log, foreign);
      DiffcertException e =
          assertThrows(DiffcertException.class, () -> RunDirectory.openOrCreate(temp, Toys.header(2), Toys.ORIGIN));
      assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
      assertEquals(foreign, Files.readString(log));
    }
  }

  @Test
  void oneWriterAtATime() {
    try (RunDirectory run = RunDirectory.openOrCreate(temp, Toys.header(2), Toys.ORIGIN)) {
      run.append(Toys.record(0));
      DiffcertException e =
          assertThrows(DiffcertException.class, () -> RunDirectory.openOrCreate(temp, Toys.header(2), Toys.ORIGIN));
      assertEquals(DiffcertException.Kind.USAGE, e.kind());
    }
    try (RunDirectory run = RunDirectory.openOrCreate(temp, Toys.header(2), Toys.ORIGIN)) {
      assertTrue(run.isDone(0));
      assertFalse(run.isDone(1));
      run.close(); // closing twice is fine
    }
  }

  /** An interrupt closes a file channel in Java; the run must be none the worse for it. */
  @Test
  void anInterruptedThreadCanResume() {
    try (RunDirectory run = RunDirectory.openOrCreate(temp, Toys.header(2), Toys.ORIGIN)) {
      run.append(Toys.record(0));
      Thread.currentThread().interrupt();
      DiffcertException e = assertThrows(DiffcertException.class, () -> run.append(Toys.record(1)));
      assertEquals(DiffcertException.Kind.INTERRUPTED, e.kind());
      assertFalse(run.isDone(1));
    } finally {
      assertTrue(Thread.interrupted());
    }
    Toys.goOn(temp, 2);
    assertEquals(2, Verify.run(temp).images());
  }

  @Test
  void aDirectoryThatCannotBeIsBadInput() throws Exception {
    Path file = Files.createFile(temp.resolve("file"));
    for (Path place : List.of(file, file.resolve("below"))) {
      DiffcertException e =
          assertThrows(DiffcertException.class, () -> RunDirectory.openOrCreate(place, Toys.header(2), Toys.ORIGIN));
      assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    }
  }

  @Test
  void recordsThatDoNotFitAreRefused() {
    try (RunDirectory run = RunDirectory.openOrCreate(temp, Toys.header(2), Toys.ORIGIN)) {
      run.append(Toys.record(1));
      assertThrows(IllegalArgumentException.class, () -> run.append(Toys.record(1)));
      assertThrows(IllegalArgumentException.class, () -> run.append(Toys.record(2)));
      RunRecord r = Toys.record(0);
      assertThrows(IllegalArgumentException.class, () -> run.append(
          new RunRecord(0, 5, r.certificates(), r.calls(), r.elapsed(), r.finished())));
      assertThrows(IllegalArgumentException.class, () -> run.append(
          new RunRecord(0, 0, r.certificates().subList(0, 1), r.calls(), r.elapsed(), r.finished())));
      assertEquals(1, run.records().size());
    }
  }

  @Test
  void resultsAndReportAreThere() throws Exception {
    Toys.goOn(temp, 6);
    RunLog log = RunLog.read(temp);
    for (int s = 0; s < 2; s++) {
      Path table = temp.resolve("results-sigma" + log.header().sigmas().get(s) + ".tsv");
      assertEquals(Results.rows(log, s), TableReader.read(table).rows(), "full precision survives the table");
      assertEquals(7, Files.readString(table).lines().count());
    }
    String report = Files.readString(temp.resolve("report.html"));
    assertTrue(report.contains("far &lt;&amp;&gt;") && !report.contains("far <&>"), "class names are escaped");
    assertTrue(report.contains(log.header().digest()));
    assertTrue(report.contains("<svg") && !report.matches("(?s).*(src|href)=\"(?!data:).*"), "needs nothing beside it");
  }

  @Test
  void oneSigmaHasOneTable() {
    RunHeader two = Toys.header(1);
    RunHeader one = new RunHeader(two.config(), List.of(new Sigma(0.5)), two.source(), two.data(), two.dataDigest(),
        two.classNames(), two.images(), two.library(), two.nativeBuild(), two.device());
    assertEquals("results.tsv", Results.fileName(one, 0));
  }
}
