package org.diffcert.run;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.stats.ClopperPearson;

/** Certified accuracy, average certified radius and abstention over the rows of one sigma. Immutable, thread-safe. */
public final class Analysis {
  private static final double EACH_SIDE = 0.025;

  /**
   * A share of the rows, with the exact two-sided 95% interval for the population they were drawn from, rounded
   * outward.
   *
   * @param count rows that have the property
   * @param total all rows
   * @param lower lower end of the interval
   * @param upper upper end of the interval
   */
  public record Proportion(int count, int total, double lower, double upper) {
    /**
     * The share itself.
     *
     * @return 0 to 1
     */
    public double value() {
      return (double) count / total;
    }
  }

  private final List<Row> rows;

  /**
   * An analysis of rows.
   *
   * @param rows at least one
   * @throws DiffcertException of kind BAD_INPUT if there is none
   */
  public Analysis(List<Row> rows) {
    if (rows.isEmpty()) {
      throw DiffcertException.badInput("there are no results to analyse yet");
    }
    this.rows = List.copyOf(rows);
  }

  /**
   * Reads a run (its directory or its {@code run.jsonl}) or a table of results.
   *
   * @param path the directory or file
   * @return one analysis a sigma of a run, named like {@code sigma 0.25}; one for a table, named by its file
   * @throws DiffcertException of kind BAD_INPUT if it cannot be read or holds no row
   */
  public static Map<String, Analysis> read(Path path) {
    Map<String, Analysis> analyses = new LinkedHashMap<>();
    if (Files.isDirectory(path) || path.getFileName().toString().endsWith(".jsonl")) {
      RunLog log = RunLog.read(path);
      for (int s = 0; s < log.header().sigmas().size(); s++) {
        analyses.put("sigma " + log.header().sigmas().get(s), new Analysis(Results.rows(log, s)));
      }
    } else {
      analyses.put(path.getFileName().toString(), new Analysis(Results.readTsv(path)));
    }
    return analyses;
  }

  /**
   * The rows.
   *
   * @return at least one
   */
  public List<Row> rows() {
    return rows;
  }

  /**
   * The share of images that are classified correctly and certified at least as far as a radius.
   *
   * @param radius in [0,1] pixel units, at least 0; at 0 every correct prediction counts
   * @return the certified accuracy
   */
  public Proportion certifiedAccuracy(double radius) {
    return proportion((int) rows.stream().filter(row -> row.correct() && row.radius() >= radius).count());
  }

  /**
   * The share of images without a prediction.
   *
   * @return the abstention rate
   */
  public Proportion abstention() {
    return proportion((int) rows.stream().filter(Row::abstains).count());
  }

  /**
   * The average certified radius (ACR): wrong and abstaining rows count as 0.
   *
   * @return in [0,1] pixel units
   */
  public double averageCertifiedRadius() {
    return rows.stream().mapToDouble(row -> row.correct() ? row.radius() : 0).sum() / rows.size();
  }

  /**
   * The largest radius of a correct row.
   *
   * @return 0 when there is none
   */
  public double largestRadius() {
    return rows.stream().mapToDouble(row -> row.correct() ? row.radius() : 0).max().orElse(0);
  }

  private Proportion proportion(int count) {
    int total = rows.size();
    return new Proportion(
        count, total, ClopperPearson.lower(count, total, EACH_SIDE), ClopperPearson.upper(count, total, EACH_SIDE));
  }
}
