package org.diffcert.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.certify.ToySource;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run tells how it goes, stops when asked, goes on where it stopped, and refuses parts that do not fit. */
class CertifyRunTest {
  @TempDir Path temp;

  /** Keeps what it is told. */
  private static final class Diary implements RunListener {
    private final List<String> lines = new ArrayList<>();

    @Override
    public void started(int done, int total) {
      lines.add("started " + done + "/" + total);
    }

    @Override
    public void samples(Phase phase, int done, int total) {
      if (done == total) {
        lines.add(phase + " " + total);
      }
    }

    @Override
    public void imageDone(RunRecord record, int done, int total) {
      lines.add("image " + record.image() + " " + done + "/" + total);
    }
  }

  @Test
  void stopsBetweenChunksAndGoesOn() throws Exception {
    Diary first = new Diary();
    DiffcertException e = assertThrows(DiffcertException.class,
        () -> Toys.run(3).run(temp, first, () -> first.lines.contains("image 1 2/3")));
    assertEquals(DiffcertException.Kind.INTERRUPTED, e.kind());
    assertEquals(List.of("started 0/3", "SELECT 10", "ESTIMATE 60", "image 0 1/3", "SELECT 10", "ESTIMATE 60",
        "image 1 2/3"), first.lines);
    assertEquals(3, Files.readString(temp.resolve("results-sigma0.5.tsv")).lines().count(), "a table of two images");
    assertTrue(Files.readString(temp.resolve("report.html")).contains("2 of 3 images are done"));

    Diary second = new Diary();
    assertEquals(temp.resolve("report.html"), Toys.run(3).run(temp, second, () -> false));
    assertEquals(List.of("started 2/3", "SELECT 10", "ESTIMATE 60", "image 2 3/3"), second.lines);
    assertEquals(0, Verify.run(temp).missing());

    Path whole = temp.resolve("whole");
    Toys.goOn(whole, 3);
    assertEquals(Toys.withoutTimes(Files.readString(whole.resolve(RunLog.FILE))),
        Toys.withoutTimes(Files.readString(temp.resolve(RunLog.FILE))));
  }

  @Test
  void stoppedBeforeTheFirstImageStillReports() throws Exception {
    assertThrows(DiffcertException.class, () -> Toys.run(2).run(temp, RunListener.NONE, () -> true));
    assertTrue(Files.readString(temp.resolve("report.html")).contains("0 of 2 images are done"));
    assertTrue(Logs.read(temp).stream().allMatch(log -> log.rows().isEmpty()), "there is nothing to analyse");
  }

  @Test
  void anEarlierHeaderTellsTheSeed() {
    Toys.goOn(temp, 1);
    assertEquals("42", RunDirectory.peek(temp).orElseThrow().source().get("seed"));
    assertTrue(RunDirectory.peek(temp.resolve("nothing")).isEmpty());
  }

  @Test
  void aStepTakesEveryOtherImage() {
    ImageRange range = new ImageRange(1, 10, 4);
    assertEquals(List.of(1, 5, 9), List.of(range.get(0), range.get(1), range.get(2)));
    assertEquals(3, range.size());
    assertTrue(range.contains(5) && !range.contains(6) && !range.contains(13) && !range.contains(0));
    assertEquals(DiffcertException.Kind.USAGE,
        assertThrows(DiffcertException.class, () -> new ImageRange(3, 3, 1)).kind());
  }

  @Test
  void partsThatDoNotFitAreUsageErrors() {
    List<Sigma> sigmas = List.of(new Sigma(1));
    ToySource threeClasses = new ToySource(1, 3, sigmas, (sigma, normal) -> 0);
    ToySource otherShape = new ToySource(1, 2, sigmas, (sigma, normal) -> 0) {
      @Override
      public ImageShape shape() {
        return new ImageShape(3, 32, 32);
      }
    };
    for (ToySource source : List.of(threeClasses, otherShape)) {
      DiffcertException e = assertThrows(DiffcertException.class, () -> new CertifyRun(source, new Toys.Data(2),
          new ImageRange(0, 2, 1), Toys.CONFIG, "", "", "", Toys.ORIGIN));
      assertEquals(DiffcertException.Kind.USAGE, e.kind());
    }
    DiffcertException e = assertThrows(DiffcertException.class, () -> new CertifyRun(Toys.SOURCE, new Toys.Data(2),
        new ImageRange(0, 3, 1), Toys.CONFIG, "", "", "", Toys.ORIGIN));
    assertTrue(e.getMessage().contains("image 2") && e.getMessage().contains("2 images"), e.getMessage());
  }
}
