package org.diffcert.analyze;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The table of several logs: a line a log with certified accuracy at each radius, and the best of them last; as plain
 * text, Markdown, LaTeX or CSV. Immutable, thread-safe.
 */
public final class Summary {
  /**
   * A radius with the text it was typed as, which names its column.
   *
   * @param typed the text
   * @param value in [0,1] pixel units, at least 0
   */
  public record Radius(String typed, double value) {}

  private static final String NONE = "-";

  private final List<Log> logs;
  private final List<Radius> radii;
  private final Optional<Envelope> envelope;

  /**
   * A table of logs.
   *
   * @param logs in the order of its lines
   * @param radii in the order of its columns
   */
  public Summary(List<Log> logs, List<Radius> radii) {
    this.logs = List.copyOf(logs);
    this.radii = List.copyOf(radii);
    this.envelope = Envelope.of(logs);
  }

  /**
   * For a terminal: shares with their exact 95% intervals.
   *
   * @return lines, each ended by a line feed
   */
  public String text() {
    List<List<String>> table = table("r=", p -> format("%.3f [%.3f, %.3f]", p.value(), p.lower(), p.upper()),
        share -> format("%.3f", share));
    int columns = table.get(0).size();
    int[] width = new int[columns];
    table.forEach(row -> {
      for (int i = 0; i < columns; i++) {
        width[i] = Math.max(width[i], row.get(i).length());
      }
    });
    StringBuilder out = new StringBuilder();
    for (List<String> row : table) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        String pad = " ".repeat(width[i] - row.get(i).length());
        line.append(i == 0 ? row.get(i) + pad : "  " + pad + row.get(i));
      }
      out.append(line.toString().stripTrailing()).append('\n');
      if (row == table.get(0)) {
        out.append("-".repeat(line.length())).append('\n');
      }
    }
    return out.append(envelope.isPresent() ? Envelope.WARNING + "\n" : "").toString();
  }

  /**
   * For a page: percentages with their exact 95% intervals.
   *
   * @return a Markdown table
   */
  public String markdown() {
    StringBuilder out = new StringBuilder();
    List<List<String>> table = table("r = ", p -> format("%.1f [%.1f, %.1f]", 100 * p.value(), 100 * p.lower(),
        100 * p.upper()), share -> format("%.1f", 100 * share));
    for (List<String> row : table) {
      out.append(row.stream().map(cell -> cell.replace("|", "\\|")).collect(Collectors.joining(" | ", "| ", " |\n")));
      if (row == table.get(0)) {
        out.append("|:---|").append("---:|".repeat(row.size() - 1)).append('\n');
      }
    }
    out.append("\nIn percent, with exact 95% intervals.");
    return out.append(envelope.isPresent() ? " " + Envelope.WARNING : "").append('\n').toString();
  }

  /**
   * For a paper: percentages with their exact 95% intervals in small, in a tabular that needs no package.
   *
   * @return LaTeX
   */
  public String latex() {
    List<List<String>> table = table("$r=", p -> format("$%.1f$ {\\scriptsize$[%.1f,\\,%.1f]$}", 100 * p.value(),
        100 * p.lower(), 100 * p.upper()), share -> format("$%.1f$", 100 * share));
    StringBuilder out = new StringBuilder("% Certified accuracy in percent, with exact 95% intervals.\n");
    out.append(envelope.isPresent() ? "% " + Envelope.WARNING + "\n" : "");
    out.append("\\begin{tabular}{l").append("r".repeat(table.get(0).size() - 1)).append("}\n\\hline\n");
    for (List<String> row : table) {
      boolean head = row == table.get(0);
      List<String> cells = new ArrayList<>(row);
      cells.set(0, escaped(row.get(0)));
      if (head) {
        cells.replaceAll(cell -> cell.startsWith("$r=") ? cell + "$" : cell);
      }
      out.append(String.join(" & ", cells)).append(head ? " \\\\\n\\hline\n" : " \\\\\n");
    }
    return out.append("\\hline\n\\end{tabular}\n").toString();
  }

  /**
   * For machines: columns {@code log,rows,abstain,acr} and one a radius, named as it was typed; figures with 17 digits,
   * nothing where a log has no such figure. The best of several is left out.
   *
   * @return lines, each ended by a line feed
   */
  public String csv() {
    StringBuilder out = new StringBuilder("log,rows,abstain,acr");
    radii.forEach(radius -> out.append(',').append(quoted(radius.typed())));
    out.append('\n');
    for (Log log : logs) {
      Optional<Analysis> any = analysis(log);
      Optional<Analysis> certified = any.filter(a -> log.certifies());
      out.append(quoted(log.name())).append(',').append(log.rows().size())
          .append(',').append(any.map(a -> Decimals.seventeen(a.abstention().value())).orElse(""))
          .append(',').append(certified.map(a -> Decimals.seventeen(a.averageCertifiedRadius())).orElse(""));
      for (Radius radius : radii) {
        out.append(',').append(certified.map(a ->
            Decimals.seventeen(a.certifiedAccuracy(radius.value()).value())).orElse(""));
      }
      out.append('\n');
    }
    return out.toString();
  }

  /** Head and lines. A column for accuracy is there only if some log has no radii. */
  private List<List<String>> table(String radiusHead, Function<Proportion, String> interval,
      Function<Double, String> share) {
    boolean predictions = logs.stream().anyMatch(log -> !log.certifies());
    List<List<String>> table = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of("log", "rows"));
    if (predictions) {
      head.add("accuracy");
    }
    radii.forEach(radius -> head.add(radiusHead + radius.typed()));
    head.addAll(List.of("ACR", "abstain"));
    table.add(head);
    for (Log log : logs) {
      Optional<Analysis> any = analysis(log);
      Optional<Analysis> certified = any.filter(a -> log.certifies());
      List<String> row = new ArrayList<>(List.of(log.name(), Integer.toString(log.rows().size())));
      if (predictions) {
        row.add(any.map(a -> interval.apply(a.certifiedAccuracy(0))).orElse(NONE));
      }
      radii.forEach(radius ->
          row.add(certified.map(a -> interval.apply(a.certifiedAccuracy(radius.value()))).orElse(NONE)));
      row.add(certified.map(a -> format("%.6f", a.averageCertifiedRadius())).orElse(NONE));
      row.add(any.map(a -> share.apply(a.abstention().value())).orElse(NONE));
      table.add(row);
    }
    envelope.ifPresent(best -> {
      List<String> row = new ArrayList<>(List.of(Envelope.NAME, NONE));
      if (predictions) {
        row.add(NONE);
      }
      radii.forEach(radius -> row.add(share.apply(best.certifiedAccuracy(radius.value()))));
      row.addAll(List.of(NONE, NONE));
      table.add(row);
    });
    return table;
  }

  private static Optional<Analysis> analysis(Log log) {
    return log.rows().isEmpty() ? Optional.empty() : Optional.of(new Analysis(log.rows()));
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }

  /** As RFC 4180 has it: a cell with a comma, a quote or a line end stands in quotes. */
  private static String quoted(String cell) {
    return cell.matches("(?s).*[,\"\r\n].*") ? '"' + cell.replace("\"", "\"\"") + '"' : cell;
  }

  private static String escaped(String text) {
    StringBuilder out = new StringBuilder();
    for (char c : text.toCharArray()) {
      switch (c) {
        case '\\' -> out.append("\\textbackslash{}");
        case '~' -> out.append("\\textasciitilde{}");
        case '^' -> out.append("\\textasciicircum{}");
        case '_', '%', '&', '#', '$', '{', '}' -> out.append('\\').append(c);
        default -> out.append(c);
      }
    }
    return out.toString();
  }
}
