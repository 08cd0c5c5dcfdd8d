package org.diffcert.analyze;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.diffcert.noise.Sigma;

/**
 * What a report shows, before it is laid out: one panel a log, and what stands above them. {@link HtmlReport} makes a
 * page of it. Immutable, thread-safe.
 *
 * @param title what was certified
 * @param subtitle one line below it
 * @param panels one a log, at least one
 * @param pictures the images, in the order of the rows of every panel with details; empty for none
 * @param comparison the panels side by side, at radii to be shown; empty for none
 */
public record Report(String title, String subtitle, List<Panel> panels, Optional<Pictures> pictures,
    Optional<HtmlComparison> comparison) {
  private static final int MOST_PARTS = 64;

  /**
   * Copies the list.
   *
   * @param title what was certified
   * @param subtitle one line below it
   * @param panels one a log
   * @param pictures the images
   * @param comparison the panels side by side
   */
  public Report {
    panels = List.copyOf(panels);
  }

  /**
   * A report without a comparison.
   *
   * @param title what was certified
   * @param subtitle one line below it
   * @param panels one a log
   * @param pictures the images
   */
  public Report(String title, String subtitle, List<Panel> panels, Optional<Pictures> pictures) {
    this(title, subtitle, panels, pictures, Optional.empty());
  }

  /**
   * The same panels, with names of as few last parts of their paths as tell them apart: what has to fit into a legend.
   *
   * @param panels one a log
   * @return panels with shorter names
   */
  public static List<Panel> withShortNames(List<Panel> panels) {
    List<String> whole = panels.stream().map(panel -> panel.log().name()).toList();
    int parts = 1;
    long different = whole.stream().distinct().count();
    while (parts < MOST_PARTS && whole.stream().map(last(parts)).distinct().count() < different) {
      parts++;
    }
    UnaryOperator<String> shortened = last(parts);
    return panels.stream().map(panel -> panel.named(shortened.apply(panel.log().name()))).toList();
  }

  private static UnaryOperator<String> last(int parts) {
    return path -> {
      int from = path.length();
      for (int i = 0; i < parts && from >= 0; i++) {
        from = path.lastIndexOf('/', from - 1);
      }
      return path.substring(from + 1);
    };
  }

  /**
   * A log and what only its maker can say about it.
   *
   * @param log the rows; its name is the panel's label
   * @param statement what its rows state, a paragraph each
   * @param warning what has to be read before anything else
   * @param largestPossible the radius of n of n votes
   * @param details one a row, or none
   * @param facts where it comes from
   */
  public record Panel(Log log, List<String> statement, Optional<String> warning, OptionalDouble largestPossible,
      List<Detail> details, List<Fact> facts) {
    /**
     * Copies the lists.
     *
     * @param log the rows
     * @param statement what its rows state
     * @param warning what has to be read before anything else
     * @param largestPossible the radius of n of n votes
     * @param details one a row, or none
     * @param facts where it comes from
     */
    public Panel {
      statement = List.copyOf(statement);
      details = List.copyOf(details);
      facts = List.copyOf(facts);
    }

    /**
     * The same panel under another name.
     *
     * @param name what to call its log
     * @return a copy
     */
    public Panel named(String name) {
      return new Panel(log.named(name), statement, warning, largestPossible, details, facts);
    }

    /**
     * The same panel with some of its images alone.
     *
     * @param images which
     * @return a copy
     */
    public Panel only(Set<Integer> images) {
      List<Detail> kept = details.isEmpty() ? List.of() : IntStream.range(0, details.size())
          .filter(i -> images.contains(log.rows().get(i).image())).mapToObj(details::get).toList();
      return new Panel(log.only(images), statement, warning, largestPossible, kept, facts);
    }

    /**
     * The same panel at a level that its reader knows.
     *
     * @param known the smoothing level
     * @return a copy; for a table, whose facts and audit change with it
     */
    public Panel withSigma(Sigma known) {
      return of(log.withSigma(known));
    }

    /**
     * A table that somebody made, of which nothing is known but its rows.
     *
     * @param log the table
     * @return its panel
     */
    public static Panel of(Log log) {
      List<String> statement = List.of("A table was read, not made, here. Its rows claim that the smoothed classifier "
          + "predicts as they say within their radius; by which noise, model and error probability is not in it. "
          + "What the radii themselves show is in the audit below.");
      List<Fact> facts = List.of(new Fact("file", log.name()), new Fact("rows", Integer.toString(log.rows().size())),
          new Fact("radii", log.printed().digits() == 0 ? "none" : log.printed().words()),
          new Fact("sigma", log.sigma().map(Object::toString).orElse("not known")));
      return new Panel(log, statement, Optional.empty(), OptionalDouble.empty(), List.of(), facts);
    }
  }

  /**
   * What is known of a row beyond its radius.
   *
   * @param votes votes for the candidate
   * @param samples of so many
   * @param pALower the bound
   * @param integerRadius the largest sum of squared 8-bit differences that is covered, -1 for none
   * @param seconds how long the image took
   */
  public record Detail(int votes, int samples, double pALower, long integerRadius, double seconds) {}

  /**
   * A line of provenance.
   *
   * @param name what it is
   * @param value its value
   */
  public record Fact(String name, String value) {}
}
