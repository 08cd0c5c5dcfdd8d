package org.diffcert.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.diffcert.DiffcertException;
import org.diffcert.analyze.Analysis;
import org.diffcert.analyze.Audit;
import org.diffcert.analyze.Finding;
import org.diffcert.analyze.HtmlReport;
import org.diffcert.analyze.Log;
import org.diffcert.analyze.PngPlot;
import org.diffcert.analyze.Probabilities;
import org.diffcert.analyze.Proportion;
import org.diffcert.analyze.Report;
import org.diffcert.analyze.Summary;
import org.diffcert.analyze.SvgPlot;
import org.diffcert.noise.Sigma;
import org.diffcert.run.Logs;
import org.diffcert.stats.Norm;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert analyze}: certified accuracy at radii, average certified radius and abstention of runs and of
 * anybody's tables, and what the radii show about how they were made.
 */
@Command(name = "analyze", mixinStandardHelpOptions = true,
    description = "Certified accuracy at radii with exact 95%% intervals, average certified radius (ACR), abstention; "
        + "and an audit: the alpha and n that the radii show, rounding, multiplied votes.")
final class AnalyzeCommand implements Callable<Integer> {
  @Parameters(arity = "1..*", paramLabel = "RUN|TSV",
      description = "Run directories, or tables with columns idx label predict radius correct time.")
  List<Path> paths;

  @Option(names = "--radii", defaultValue = "0,0.25,0.5,0.75,1.0", paramLabel = "R[,R..]",
      description = "Radii in [0,1] units. Default: ${DEFAULT-VALUE}.")
  String radii;

  @Option(names = "--sigma", paramLabel = "S",
      description = "Smoothing level of the tables, where their names do not say it (sigma_0.25).")
  String sigma;

  @Option(names = "--norm", defaultValue = "l2", paramLabel = "NORM",
      description = "The norm of radii and ACR in the tables: l2, l1 or linf. Default: ${DEFAULT-VALUE}.")
  String norm;

  @Option(names = "--values", paramLabel = "D",
      description = "How many values an image has, for --norm linf: 3072 for 3x32x32.")
  Integer values;

  @Option(names = "--by-class", description = "Print the figures of each class as well.")
  boolean byClass;

  @Option(names = "--audit", description = "Print every finding of the audit, not only alpha and n.")
  boolean audit;

  @Option(names = "--csv", paramLabel = "FILE", description = "Write the table as CSV, 17 digits.")
  Path csv;

  @Option(names = "--markdown", paramLabel = "FILE", description = "Write the table as Markdown.")
  Path markdown;

  @Option(names = "--latex", paramLabel = "FILE", description = "Write the table as LaTeX.")
  Path latex;

  @Option(names = "--plot", paramLabel = "FILE.svg|FILE.png", description = "Draw the curves with their 95%% bands.")
  List<Path> plots = List.of();

  @Option(names = "--html", paramLabel = "FILE", description = "Write a report: one file, no network.")
  Path html;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    List<Summary.Radius> columns = columns(radii);
    Norm asked = norm();
    plots.forEach(AnalyzeCommand::drawing);
    List<Report.Panel> panels = panels();
    List<Log> logs = panels.stream().map(Report.Panel::log).toList();
    List<Log> counted = logs.stream().map(log -> log.inNorm(asked, dimension(asked))).toList();
    Summary summary = new Summary(counted, columns);
    PrintWriter out = spec.commandLine().getOut();
    if (asked != Norm.L2) {
      out.println("radii and ACR in " + asked.cliName() + ": " + (asked == Norm.L1 ? "those of l2"
          : "those of l2 over the square root of " + values + ", rounded down"));
    }
    out.print(summary.text());
    logs.forEach(log -> probabilities(out, log));
    if (byClass) {
      counted.forEach(log -> classes(out, log, columns));
    }
    out.println();
    logs.forEach(log -> audit(out, log));
    write(csv, summary.csv());
    write(markdown, summary.markdown());
    write(latex, summary.latex());
    List<Report.Panel> shown = Report.withShortNames(panels);
    List<Log> drawn = shown.stream().map(Report.Panel::log).toList();
    draw(plots, drawn);
    if (html != null) {
      String title = drawn.size() == 1 ? "Certified accuracy of " + drawn.get(0).name()
          : "Certified accuracy of " + drawn.size() + " logs";
      write(html, HtmlReport.of(new Report(title, "diffcert analyze", shown, Optional.empty())));
    }
    return 0;
  }

  /** The curves of logs, in each file's own form. */
  static void draw(List<Path> plots, List<Log> logs) {
    for (Path plot : plots) {
      write(plot, drawing(plot) ? PngPlot.of(logs) : SvgPlot.of(logs).getBytes(StandardCharsets.UTF_8));
    }
  }

  private Norm norm() {
    Norm asked = Norm.of(norm);
    if (asked != Norm.L2 && (html != null || !plots.isEmpty())) {
      throw DiffcertException.usage("--norm " + norm + " is for tables; curves and reports are in l2, the norm that is "
          + "certified");
    }
    dimension(asked);
    return asked;
  }

  /** How many values an image has, which only linf asks. */
  private int dimension(Norm asked) {
    if (asked != Norm.LINF) {
      return 1;
    }
    if (values == null || values < 1) {
      throw DiffcertException.usage("--norm linf needs --values, how many values an image has, such as 3072 for "
          + "3x32x32" + (values == null ? "" : "; it is " + values));
    }
    return values;
  }

  /** The radii of the tables' columns, with the text that names them. */
  static List<Summary.Radius> columns(String radii) {
    List<Double> values = Arguments.radii("--radii", radii);
    String[] typed = radii.split(",", -1);
    List<Summary.Radius> columns = new ArrayList<>();
    for (int i = 0; i < typed.length; i++) {
      columns.add(new Summary.Radius(typed[i].strip(), values.get(i)));
    }
    return columns;
  }

  private List<Report.Panel> panels() {
    List<Sigma> given = sigma == null ? List.of() : Arguments.sigmas(sigma);
    if (given.size() > 1) {
      throw DiffcertException.usage("--sigma names " + given.size() + " levels, a table has one; analyze tables of "
          + "different levels one after the other");
    }
    List<Report.Panel> panels = new ArrayList<>();
    for (Path path : paths) {
      for (Report.Panel panel : Logs.panels(path)) {
        boolean told = given.isEmpty() || panel.log().form() == Log.Form.RUN;
        panels.add(told ? panel : panel.withSigma(given.get(0)));
      }
    }
    if (panels.stream().allMatch(panel -> panel.log().rows().isEmpty())) {
      throw DiffcertException.badInput(paths.get(0) + " holds no results to analyse yet");
    }
    return panels;
  }

  /** Whether a plot is a PNG rather than an SVG; another ending is a usage error. */
  static boolean drawing(Path plot) {
    String name = plot.toString().toLowerCase(Locale.ROOT);
    if (!name.endsWith(".png") && !name.endsWith(".svg")) {
      throw DiffcertException.usage("--plot is '" + plot + "', write a file that ends in .svg or .png");
    }
    return name.endsWith(".png");
  }

  private static void probabilities(PrintWriter out, Log log) {
    Probabilities.of(log).ifPresent(p -> out.println(String.format(Locale.ROOT, "%s: median pA %.4f of %d rows (%s)",
        log.name(), p.median(), p.size(), p.shares() ? "shares of votes" : "lower bounds of the rows that predict")));
  }

  private static void classes(PrintWriter out, Log log, List<Summary.Radius> columns) {
    if (log.rows().isEmpty()) {
      return;
    }
    String[] head = new String[columns.size() + 4];
    head[0] = "class";
    head[1] = "rows";
    for (int i = 0; i < columns.size(); i++) {
      head[2 + i] = "r=" + columns.get(i).typed();
    }
    head[columns.size() + 2] = "ACR";
    head[columns.size() + 3] = "abstain";
    Table table = new Table(head);
    List<Double> values = columns.stream().map(Summary.Radius::value).toList();
    for (Map.Entry<Integer, Analysis> part : new Analysis(log.rows()).byClass().entrySet()) {
      table.row(cells(log.className(part.getKey()), part.getValue(), values));
    }
    out.println();
    out.println(log.name() + ":");
    out.println(table);
  }

  private void audit(PrintWriter out, Log log) {
    Audit result = Audit.of(log);
    if (!audit) {
      out.println("audit of " + log.name() + ": " + result.sentence());
      return;
    }
    out.println("audit of " + log.name() + ":");
    for (Finding finding : result.findings()) {
      out.println("  " + finding);
    }
  }

  /** Writes a file that was asked for; null was not. */
  static void write(Path file, String text) {
    if (file != null) {
      write(file, text.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Writes a file. */
  static void write(Path file, byte[] bytes) {
    try {
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT,
          "the file " + file + " cannot be written: " + DiffcertException.reason(e), e);
    }
  }

  /** A row: name, rows, accuracy at each radius with its interval, ACR, abstention. */
  static String[] cells(String name, Analysis analysis, List<Double> radii) {
    String[] cells = new String[4 + radii.size()];
    cells[0] = name;
    cells[1] = Integer.toString(analysis.rows().size());
    for (int i = 0; i < radii.size(); i++) {
      Proportion share = analysis.certifiedAccuracy(radii.get(i));
      cells[2 + i] = String.format(Locale.ROOT, "%.3f [%.3f, %.3f]", share.value(), share.lower(), share.upper());
    }
    cells[2 + radii.size()] = String.format(Locale.ROOT, "%.6f", analysis.averageCertifiedRadius());
    cells[3 + radii.size()] = String.format(Locale.ROOT, "%.3f", analysis.abstention().value());
    return cells;
  }
}
