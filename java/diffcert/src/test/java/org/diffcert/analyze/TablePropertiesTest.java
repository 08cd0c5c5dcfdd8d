package org.diffcert.analyze;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.diffcert.DiffcertException;

/** What holds for every table and every set of rows; jqwik prints the seed of each property. */
class TablePropertiesTest {
  private static Path folder;

  @BeforeContainer
  static void makeFolder() throws IOException {
    folder = Files.createTempDirectory("tables");
  }

  @AfterContainer
  static void removeFolder() throws IOException {
    Files.deleteIfExists(folder.resolve("table.tsv"));
    Files.delete(folder);
  }

  private static Log read(byte[] bytes) throws IOException {
    return TableReader.read(Files.write(folder.resolve("table.tsv"), bytes));
  }

  @Provide
  Arbitrary<List<Row>> rows() {
    Arbitrary<Row> row = Combinators.combine(Arbitraries.integers().between(0, 3),
        Arbitraries.integers().between(-1, 3), Arbitraries.doubles().between(0, 4)).as((label, predict, radius) ->
            new Row(0, label, predict, predict < 0 ? 0 : radius));
    return row.list().ofMinSize(1).ofMaxSize(60).map(list -> {
      List<Row> numbered = new ArrayList<>();
      for (Row r : list) {
        numbered.add(new Row(7 * numbered.size(), r.label(), r.predict(), r.radius()));
      }
      return numbered;
    });
  }

  /** Columns in any order, correct as flag or total, either line end: the same rows come back. */
  @Property
  void everyDialectReadsBack(@ForAll("rows") List<Row> rows, @ForAll Random random, @ForAll boolean running,
      @ForAll boolean windows) throws IOException {
    List<String> columns = new ArrayList<>(List.of("idx", "label", "predict", "radius", "correct", "time", "note"));
    Collections.shuffle(columns, random);
    StringBuilder text = new StringBuilder(String.join("\t", columns)).append(windows ? "\r\n" : "\n");
    int right = 0;
    for (Row row : rows) {
      right += row.correct() ? 1 : 0;
      int correct = running ? right : row.correct() ? 1 : 0;
      List<String> cells = new ArrayList<>();
      for (String column : columns) {
        cells.add(switch (column) {
          case "idx" -> "" + row.image();
          case "label" -> "" + row.label();
          case "predict" -> "" + row.predict();
          case "radius" -> "" + row.radius();
          case "correct" -> "" + correct;
          default -> "x";
        });
      }
      text.append(String.join("\t", cells)).append(windows ? "\r\n" : "\n");
    }
    assertEquals(rows, read(text.toString().getBytes(StandardCharsets.UTF_8)).rows());
  }

  /** However a table is damaged: rows or one sentence, an audit either way, and memory in proportion. */
  @Property
  void damagedTablesAreReadOrRefused(@ForAll("rows") List<Row> rows, @ForAll Random random) throws IOException {
    StringBuilder text = new StringBuilder("idx\tlabel\tpredict\tradius\tcorrect\ttime\n");
    rows.forEach(row -> text.append(row.image() + "\t" + row.label() + "\t" + row.predict() + "\t" + row.radius() + "\t"
        + (row.correct() ? 1 : 0) + "\t0:00:01\n"));
    for (int depth = Integer.getInteger("depth", 1); depth > 0; depth--) {
      byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
      for (int i = 1 + random.nextInt(3); i > 0; i--) {
        String alphabet = "\t\n\r0123456789-.eE\u0000x";
        bytes[random.nextInt(bytes.length)] = random.nextBoolean() ? (byte) random.nextInt(256)
            : (byte) alphabet.charAt(random.nextInt(alphabet.length()));
      }
      long before = allocated();
      try {
        Log log = read(bytes);
        assertTrue(allocated() - before < 1 << 22, "reading allocates");
        assertTrue(!Audit.of(log).findings().isEmpty());
      } catch (DiffcertException e) {
        assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
        assertTrue(!e.getMessage().contains("\n") && e.getMessage().length() < 500, e.getMessage());
      }
    }
  }

  @Property
  void figuresAgreeWithEachOther(@ForAll("rows") List<Row> rows) {
    Analysis analysis = new Analysis(rows);
    double last = 1;
    double area = 0;
    double from = 0;
    for (double radius : analysis.steps()) {
      Proportion p = analysis.certifiedAccuracy(radius);
      assertTrue(p.value() <= last && p.lower() <= p.value() && p.value() <= p.upper());
      area += (radius - from) * p.value();
      from = radius;
      last = p.value();
    }
    assertEquals(analysis.averageCertifiedRadius(), area, 1e-9, "ACR is the area under the curve");
    assertTrue(analysis.certifiedAccuracy(analysis.medianRadius()).count() * 2 >= rows.size()
        || analysis.medianRadius() == 0);
    assertEquals(0, analysis.certified(Math.nextUp(analysis.largestRadius())));
    int byClass = analysis.byClass().values().stream().mapToInt(part -> part.certified(0)).sum();
    assertEquals(analysis.certified(0), byClass);
  }

  private static long allocated() {
    return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
        .getThreadAllocatedBytes(Thread.currentThread().getId());
  }
}
