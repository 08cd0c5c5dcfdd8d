package org.diffcert.analyze;

import static org.diffcert.analyze.Finding.Verdict.NOTE;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.diffcert.DiffcertException;
import org.diffcert.analyze.Finding.Verdict;
import org.diffcert.certify.Certificate;
import org.diffcert.noise.Sigma;

/**
 * Reads tables of results, ours and those of the published repositories: tab-separated columns under a header with
 * at least {@code idx}, {@code label}, {@code predict} and {@code correct}; with {@code radius} they are certificates.
 * A {@code correct} column that counts up and a last line that was cut off are recognised. Nothing in a table is
 * trusted: lines and rows are limited, and a row that makes no sense is refused with its line.
 */
public final class TableReader {
  /** What a cascade logs for an image where a stage neither decided nor passed. */
  private static final int UNDECIDED = -2;
  private static final int MOST_ROWS = 2_000_000;
  private static final int MOST_SHOWN = 60;
  private static final Set<String> KNOWN = Set.of("idx", "label", "predict", "radius", "correct", "time",
      "basePredict", "r_neg", "pred_uc", "corr_uc", "stage", "pred0", "c_max", "samples");
  private static final Pattern SIGMA_IN_NAME = Pattern.compile("sigma[_=-]?(\\d{1,3}(?:\\.\\d{1,6})?)(?!\\d)");

  private final Path file;
  private final List<Row> rows = new ArrayList<>();
  private final List<Finding> findings = new ArrayList<>();
  private final PrintedRadii.Learner printed = new PrintedRadii.Learner();
  private List<String> columns;
  private int right;
  private int undecided;
  private int withoutDefence;
  private boolean zeroOrOne = true;
  private boolean running = true;

  private TableReader(Path file) {
    this.file = file;
  }

  /**
   * Reads a table.
   *
   * @param file the table
   * @return the log, named by the path; its sigma is the one in the file's name, such as {@code sigma_0.25}, if any
   * @throws DiffcertException of kind BAD_INPUT if the file is missing or malformed, naming the line
   */
  public static Log read(Path file) {
    return new TableReader(file).read();
  }

  private Log read() {
    int number = 1;
    try (InputStream in = Files.newInputStream(file)) {
      LineReader lines = new LineReader(in);
      header(lines.next());
      for (String line = lines.next(); line != null; line = lines.next()) {
        number++;
        String[] cells = line.split("\t", -1);
        if (!lines.ended() && cells.length < columns.size()) {
          findings.add(new Finding("last line", NOTE, "line " + number
              + " was cut off while it was written and is left out"));
          break;
        }
        row(cells);
      }
    } catch (NumberFormatException e) {
      throw DiffcertException.badInput(file + ", line " + number + " is no row of results: "
          + printable(String.valueOf(e.getMessage())));
    } catch (DiffcertException e) {
      throw DiffcertException.badInput(file + ", line " + number + ": " + e.getMessage());
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, "the table " + file + " cannot be read: "
          + DiffcertException.reason(e), e);
    }
    refuseTwice();
    Log.Form form = !columns.contains("radius") ? Log.Form.PREDICTIONS
        : columns.contains("r_neg") ? Log.Form.CASCADE : Log.Form.CERTIFICATES;
    note(form);
    return new Log(file.toString(), form, rows, sigmaInName(), printed.learnt(), Optional.empty(), List.of(), findings);
  }

  private void header(String line) {
    columns = line == null ? List.of() : List.of(line.split("\t", -1));
    if (!columns.containsAll(List.of("idx", "label", "predict", "correct"))
        || Set.copyOf(columns).size() != columns.size()) {
      throw DiffcertException.badInput(
          "a table of results begins with the columns idx, label, predict, radius, correct, time");
    }
    List<String> strange = columns.stream().filter(c -> !KNOWN.contains(c)).map(TableReader::printable).toList();
    if (!strange.isEmpty()) {
      findings.add(new Finding("columns", NOTE, "not read: " + printable(String.join(", ", strange))));
    }
  }

  private void row(String[] cells) {
    if (cells.length != columns.size()) {
      throw new NumberFormatException(cells.length + " columns instead of " + columns.size());
    }
    if (rows.size() == MOST_ROWS) {
      throw DiffcertException.badInput("the table has more than " + MOST_ROWS + " rows");
    }
    int predict = integer(cells, "predict");
    if (predict == UNDECIDED && columns.contains("r_neg")) {
      undecided++;
      predict = Certificate.ABSTAIN;
    }
    double radius = 0;
    if (columns.contains("radius")) {
      String text = cells[columns.indexOf("radius")];
      radius = Double.parseDouble(text);
      printed.see(text, radius);
    }
    Row row = new Row(integer(cells, "idx"), integer(cells, "label"), predict, radius);
    boolean possible = row.image() >= 0 && row.label() >= 0 && predict >= Certificate.ABSTAIN
        && radius >= 0 && radius < Double.POSITIVE_INFINITY && !(row.abstains() && radius > 0);
    if (!possible) {
      throw new NumberFormatException("a value is out of range");
    }
    correct(row, integer(cells, "correct"));
    withoutDefence += columns.contains("basePredict") && integer(cells, "basePredict") == row.label() ? 1 : 0;
    withoutDefence += columns.contains("corr_uc") && integer(cells, "corr_uc") == 1 ? 1 : 0;
    rows.add(row);
  }

  /** The column is 1 or 0 in every row or, as one published script writes it, the number of correct rows so far. */
  private void correct(Row row, int correct) {
    right += row.correct() ? 1 : 0;
    zeroOrOne &= correct == (row.correct() ? 1 : 0);
    running &= correct == right;
    if (!zeroOrOne && !running) {
      throw new NumberFormatException("correct is " + correct + " for label " + row.label() + " and prediction "
          + row.predict());
    }
  }

  private int integer(String[] cells, String column) {
    return Integer.parseInt(cells[columns.indexOf(column)]);
  }

  private void refuseTwice() {
    int[] images = rows.stream().mapToInt(Row::image).sorted().toArray();
    for (int i = 1; i < images.length; i++) {
      if (images[i] == images[i - 1]) {
        throw DiffcertException.badInput(file + ": image " + images[i] + " comes twice");
      }
    }
  }

  private void note(Log.Form form) {
    if (rows.isEmpty()) {
      findings.add(new Finding("rows", Verdict.SUSPECT, "the table has a header and no row"));
      return;
    }
    if (!zeroOrOne) {
      findings.add(new Finding("correct column", Verdict.SUSPECT, "it is a running total (it ends at " + right
          + "), not 1 or 0 a row; correctness is taken from label and prediction"));
    } else if (!running) {
      findings.add(new Finding("correct column", Verdict.SHOWN, "1 where the prediction is the label, else 0"));
    }
    if (form == Log.Form.PREDICTIONS) {
      findings.add(new Finding("radii", NOTE, "a log of predictions: it has accuracy and abstention, but no radii"));
    }
    if (columns.contains("basePredict")) {
      findings.add(new Finding("base classifier", NOTE, "its own prediction is right in " + withoutDefence + " of "
          + rows.size() + " rows"));
    }
    if (form == Log.Form.CASCADE) {
      findings.add(new Finding("cascade", NOTE, undecided + " rows abstain undecided (-2); without regard to "
          + "certificates "
          + withoutDefence + " of " + rows.size() + " predictions are right"));
    }
  }

  private Optional<Sigma> sigmaInName() {
    Path name = file.getFileName();
    Matcher matcher = SIGMA_IN_NAME.matcher(name == null ? "" : name.toString());
    double unit = matcher.find() ? Double.parseDouble(matcher.group(1)) : 0;
    return unit > 0 && unit <= 16 ? Optional.of(new Sigma(unit)) : Optional.empty();
  }

  /** At most 60 printable characters of a stranger's text, for a message. */
  private static String printable(String text) {
    String clean = text.length() > 10 * MOST_SHOWN ? text.substring(0, 10 * MOST_SHOWN) : text;
    clean = clean.replaceAll("[^\\x20-\\x7e]", "?");
    return clean.length() <= MOST_SHOWN ? clean : clean.substring(0, MOST_SHOWN - 3) + "...";
  }
}
