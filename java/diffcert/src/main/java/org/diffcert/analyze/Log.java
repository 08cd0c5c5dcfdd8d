package org.diffcert.analyze;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.IntStream;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.Norm;
import org.diffcert.stats.NormRadii;

/**
 * The outcome of certification or prediction at one sigma, whoever wrote it. Immutable, thread-safe.
 *
 * @param name what to call it in tables
 * @param form what it holds
 * @param rows one an image, in the log's order, possibly none
 * @param sigma the smoothing level, where it is known
 * @param printed how its radii were printed
 * @param votes what is known of the votes; only our own runs say it
 * @param classNames names of the classes in label order, empty where unknown
 * @param findings what reading it brought to light
 */
public record Log(String name, Form form, List<Row> rows, Optional<Sigma> sigma, PrintedRadii printed,
    Optional<Votes> votes, List<String> classNames, List<Finding> findings) {

  /** What a log holds. */
  public enum Form {
    /** A run of ours, with its votes. */
    RUN,
    /** A table of certificates in the common columns. */
    CERTIFICATES,
    /** A table of a cascade over noise levels, whose radii are minima over several bounds. */
    CASCADE,
    /** A table of predictions without radii. */
    PREDICTIONS
  }

  /**
   * The votes behind the rows.
   *
   * @param n estimation samples of each row, or the most there can be
   * @param alpha probability of error of each row
   * @param shares votes for the candidate class over all votes, of each row in the order of the rows
   */
  public record Votes(int n, double alpha, List<Double> shares) {
    /**
     * Copies the list.
     *
     * @param n estimation samples
     * @param alpha probability of error
     * @param shares votes for the candidate over all votes
     */
    public Votes {
      shares = List.copyOf(shares);
    }
  }

  /**
   * Copies the lists.
   *
   * @param name what to call it
   * @param form what it holds
   * @param rows one an image
   * @param sigma the smoothing level
   * @param printed how its radii were printed
   * @param votes the votes, if known
   * @param classNames names of the classes
   * @param findings what reading it brought to light
   */
  public Log {
    rows = List.copyOf(rows);
    classNames = List.copyOf(classNames);
    findings = List.copyOf(findings);
  }

  /**
   * Whether its rows have radii.
   *
   * @return false for predictions
   */
  public boolean certifies() {
    return form != Form.PREDICTIONS;
  }

  /**
   * The name of a class.
   *
   * @param label the class
   * @return its name, or its number where no name is known
   */
  public String className(int label) {
    return label < classNames.size() ? classNames.get(label) : Integer.toString(label);
  }

  /**
   * The same log with a level that its reader knows.
   *
   * @param known the smoothing level
   * @return a copy
   */
  public Log withSigma(Sigma known) {
    return new Log(name, form, rows, Optional.of(known), printed, votes, classNames, findings);
  }

  /**
   * The same log under another name.
   *
   * @param other what to call it
   * @return a copy
   */
  public Log named(String other) {
    return new Log(other, form, rows, sigma, printed, votes, classNames, findings);
  }

  /**
   * The same log with every radius, which is an L2 radius, in another norm. It is for figures: an audit needs the radii
   * as they were written.
   *
   * @param norm the norm
   * @param values how many values an image has, at least 1
   * @return a copy
   */
  public Log inNorm(Norm norm, int values) {
    List<Row> changed = rows.stream().map(row -> new Row(row.image(), row.label(), row.predict(),
        NormRadii.fromL2(norm, row.radius(), values))).toList();
    return new Log(name, form, changed, sigma, printed, votes, classNames, findings);
  }

  /**
   * The same log with some of its images alone.
   *
   * @param images which
   * @return a copy
   */
  public Log only(Set<Integer> images) {
    List<Row> kept = rows.stream().filter(row -> images.contains(row.image())).toList();
    Optional<Votes> keptVotes = votes.map(v -> new Votes(v.n(), v.alpha(), IntStream.range(0, rows.size())
        .filter(i -> images.contains(rows.get(i).image())).mapToObj(v.shares()::get).toList()));
    return new Log(name, form, kept, sigma, printed, keptVotes, classNames, findings);
  }

  /** The level as a number. */
  OptionalDouble sigmaUnit() {
    return sigma.isPresent() ? OptionalDouble.of(sigma.get().unit()) : OptionalDouble.empty();
  }
}
