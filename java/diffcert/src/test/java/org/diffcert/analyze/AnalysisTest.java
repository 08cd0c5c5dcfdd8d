package org.diffcert.analyze;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.diffcert.DiffcertException;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;

/** The figures, on rows small enough to be counted by hand. */
class AnalysisTest {
  private static final List<Row> FIVE = List.of(new Row(0, 0, 0, 0.1), new Row(1, 0, 1, 0.9), new Row(2, 1, -1, 0),
      new Row(3, 1, 1, 0.3), new Row(4, 1, 1, 0.3));

  /** 8 of 10: the interval that every statistics package prints for it. */
  @Test
  void intervalsAreExact() {
    List<Row> rows = IntStream.range(0, 10)
        .mapToObj(i -> i < 8 ? new Row(i, 0, 0, 0.5) : new Row(i, 0, -1, 0)).toList();
    Proportion p = new Analysis(rows).certifiedAccuracy(0.5);
    assertEquals(8, p.count());
    assertEquals(0.4439045376923585, p.lower(), 1e-12);
    assertEquals(0.9747892736731666, p.upper(), 1e-12);
    assertEquals(0.2, new Analysis(rows).abstention().value());
    assertEquals(0.4, new Analysis(rows).averageCertifiedRadius(), 1e-15);
  }

  @Test
  void wrongAndAbstainingRowsCountAsZero() {
    Analysis analysis = new Analysis(FIVE);
    assertEquals(3, analysis.certifiedAccuracy(0).count());
    assertEquals(2, analysis.certifiedAccuracy(0.3).count(), "a radius reaches itself");
    assertEquals(0, analysis.certifiedAccuracy(Math.nextUp(0.3)).count());
    assertEquals(0.14, analysis.averageCertifiedRadius(), "the decimals' mean, rounded once");
    assertEquals(0.1, analysis.medianRadius());
    assertEquals(0.3, analysis.largestRadius());
    assertThrows(DiffcertException.class, () -> new Analysis(List.of()));
  }

  @Test
  void classesAreApart() {
    Analysis one = new Analysis(FIVE).byClass().get(1);
    assertEquals(Set.of(0, 1), new Analysis(FIVE).byClass().keySet());
    assertEquals(3, one.rows().size());
    assertEquals(0.2, one.averageCertifiedRadius());
    assertEquals(1, one.abstention().count());
  }

  /** Neither the order of the rows nor how many analyses there are plays a part. */
  @Test
  void orderPlaysNoPart() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      rows.add(new Row(i, i % 7, random.nextInt(3) == 0 ? -1 : i % 7, 0));
      Row row = rows.get(i);
      rows.set(i, row.abstains() ? row : new Row(i, row.label(), row.predict(), random.nextDouble()));
    }
    Analysis before = new Analysis(rows);
    Collections.shuffle(rows, random);
    Analysis after = new Analysis(rows);
    assertEquals(before.averageCertifiedRadius(), after.averageCertifiedRadius(), "seed " + seed);
    assertEquals(before.medianRadius(), after.medianRadius(), "seed " + seed);
    double r = random.nextDouble();
    assertEquals(rows.stream().filter(x -> x.correct() && x.radius() >= r).count(),
        after.certifiedAccuracy(r).count(), "seed " + seed);
  }

  @Test
  void theEnvelopeIsTheBestOfComparableLogs() {
    Log near = log("near", FIVE);
    List<Row> farther = List.of(new Row(0, 0, 0, 2), new Row(1, 0, 1, 0.9), new Row(2, 1, -1, 0), new Row(3, 1, -1, 0),
        new Row(4, 1, 0, 0.3));
    Log far = log("far", farther);
    Envelope envelope = Envelope.of(List.of(near, far)).orElseThrow();
    assertEquals(0.6, envelope.certifiedAccuracy(0));
    assertEquals("near", envelope.chosen(0).name());
    assertEquals(0.2, envelope.certifiedAccuracy(1));
    assertEquals("far", envelope.chosen(1).name());
    assertTrue(Envelope.of(List.of(near)).isEmpty(), "one log has no best");
    assertTrue(Envelope.of(List.of(near, log("other images", FIVE.subList(0, 3)))).isEmpty());
  }

  @Test
  void probabilities() {
    Log unknown = log("unknown sigma", FIVE);
    assertTrue(Probabilities.of(unknown).isEmpty());
    Probabilities bounds = Probabilities.of(unknown.withSigma(new Sigma(0.3))).orElseThrow();
    assertEquals(4, bounds.size(), "the row that abstains has no bound");
    assertEquals(0.8413447460685429, bounds.median(), 1e-12, "Phi(1)");
    Log run = new Log("run", Log.Form.RUN, FIVE, Optional.of(new Sigma(0.3)), PrintedRadii.EXACT,
        Optional.of(new Log.Votes(10, 0.001, List.of(1.0, 0.9, 0.35, 0.5, 0.9995))), List.of(), List.of());
    Probabilities shares = Probabilities.of(run).orElseThrow();
    assertTrue(shares.shares() && !bounds.shares());
    assertEquals(0.9, shares.median());
    assertArrayEquals(new int[] {0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 2}, shares.histogram());
  }

  @Test
  void radiiArePrintedDown() {
    assertEquals("1.95", Decimals.down(1.9553, 3));
    assertEquals("0.99999", Decimals.down(0.999999, 5));
    assertEquals("0.00002243", Decimals.down(0.000022437, 4));
    assertEquals("0.0", Decimals.down(0, 3));
    assertEquals("2.0", Decimals.down(2, 3));
  }

  @Test
  void figuresForMachinesReadBack() {
    assertEquals("0.10000000000000001", Decimals.seventeen(0.1));
    for (double x : new double[] {0, 1, 0.1, 1 / 3.0, 1e-9, 0.428884, 500}) {
      assertEquals(x, Double.parseDouble(Decimals.seventeen(x)));
    }
  }

  static Log log(String name, List<Row> rows) {
    return new Log(name, Log.Form.CERTIFICATES, rows, Optional.empty(), new PrintedRadii(3, false), Optional.empty(),
        List.of(), List.of());
  }
}
