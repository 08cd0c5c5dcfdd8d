package org.diffcert.run;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.diffcert.DiffcertException;
import org.diffcert.certify.Certificate;

/**
 * Result tables in the columns that the field's plotting scripts read: {@code idx label predict radius correct time},
 * separated by tabs. Ours carry the radius at full precision, cut off, never rounded up; the reader also takes the
 * tables of the published repositories.
 */
public final class Results {
  private static final String COLUMNS = "idx\tlabel\tpredict\tradius\tcorrect\ttime";
  private static final long LARGEST = 256L << 20;

  private Results() {}

  /**
   * The name of the table of one sigma in a run directory.
   *
   * @param header the run
   * @param sigma position of the sigma in the header
   * @return {@code results.tsv}, or with the sigma in the name if there are several
   */
  public static String fileName(RunHeader header, int sigma) {
    return header.sigmas().size() == 1 ? "results.tsv" : "results-sigma" + header.sigmas().get(sigma) + ".tsv";
  }

  /**
   * The rows of one sigma of a run.
   *
   * @param log the run
   * @param sigma position of the sigma in the header
   * @return one an image, in the log's order
   */
  public static List<Row> rows(RunLog log, int sigma) {
    List<Row> rows = new ArrayList<>();
    for (RunRecord record : log.records()) {
      Certificate c = record.certificates().get(sigma);
      rows.add(new Row(record.image(), record.label(), c.predict(), c.radius()));
    }
    return rows;
  }

  /**
   * Reads a table. A {@code correct} column that counts up, as one published script writes it, is taken too.
   *
   * @param file the table
   * @return its rows
   * @throws DiffcertException of kind BAD_INPUT if the file is missing or malformed, naming the line
   */
  public static List<Row> readTsv(Path file) {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      if (Files.size(file) > LARGEST) {
        throw DiffcertException.badInput(file + " is larger than " + (LARGEST >> 20) + " MiB, no table of results");
      }
      bytes = in.readAllBytes();
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, "the table " + file + " cannot be read: "
          + DiffcertException.reason(e), e);
    }
    String[] lines = new String(bytes, StandardCharsets.UTF_8).split("\r?\n", -1);
    if (!lines[0].equals(COLUMNS)) {
      throw DiffcertException.badInput(
          file + " does not begin with the columns idx, label, predict, radius, correct, time");
    }
    List<Row> rows = new ArrayList<>();
    Set<Integer> seen = new HashSet<>();
    int right = 0;
    for (int i = 1; i < lines.length && !(i == lines.length - 1 && lines[i].isEmpty()); i++) {
      try {
        String[] cells = lines[i].split("\t", -1);
        Row row = row(cells);
        right += row.correct() ? 1 : 0;
        int correct = Integer.parseInt(cells[4]);
        if (correct != (row.correct() ? 1 : 0) && correct != right) {
          throw new NumberFormatException("correct is " + correct);
        }
        if (!seen.add(row.image())) {
          throw new NumberFormatException("image " + row.image() + " comes twice");
        }
        rows.add(row);
      } catch (NumberFormatException e) {
        throw DiffcertException.badInput(file + ", line " + (i + 1) + " is no row of results: "
            + Fields.abbreviate(String.valueOf(e.getMessage())));
      }
    }
    return rows;
  }

  private static Row row(String[] cells) {
    if (cells.length != 6) {
      throw new NumberFormatException(cells.length + " columns instead of 6");
    }
    Row row = new Row(Integer.parseInt(cells[0]), Integer.parseInt(cells[1]), Integer.parseInt(cells[2]),
        Double.parseDouble(cells[3]));
    boolean possible = row.image() >= 0 && row.label() >= 0 && row.predict() >= Certificate.ABSTAIN
        && row.radius() >= 0 && row.radius() < Double.POSITIVE_INFINITY && !(row.abstains() && row.radius() > 0);
    if (!possible) {
      throw new NumberFormatException("a value is out of range");
    }
    return row;
  }

  /** The table of one sigma of a run. */
  static String text(RunLog log, int sigma) {
    StringBuilder out = new StringBuilder(COLUMNS).append('\n');
    for (RunRecord record : log.records()) {
      Certificate c = record.certificates().get(sigma);
      out.append(record.image()).append('\t').append(record.label()).append('\t').append(c.predict()).append('\t')
          .append(cut(c.radius(), 18)).append('\t').append(c.predict() == record.label() ? 1 : 0).append('\t')
          .append(time(record.elapsed())).append('\n');
    }
    return out.toString();
  }

  /** A number of at most that many significant digits, never above the value: what may be printed of a radius (S23). */
  static String cut(double value, int digits) {
    if (value == 0) {
      return "0.0";
    }
    BigDecimal below = new BigDecimal(value).round(new MathContext(digits, RoundingMode.DOWN));
    String plain = below.stripTrailingZeros().toPlainString();
    return plain.contains(".") ? plain : plain + ".0";
  }

  /** Hours, minutes, seconds, microseconds, as the published scripts print a time. */
  static String time(Duration elapsed) {
    return String.format(Locale.ROOT, "%d:%02d:%02d.%06d", elapsed.toHours(), elapsed.toMinutesPart(),
        elapsed.toSecondsPart(), elapsed.toNanosPart() / 1000);
  }
}
