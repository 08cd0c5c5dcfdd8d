package org.diffcert.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.diffcert.analyze.Analysis;
import org.diffcert.analyze.Comparison;
import org.diffcert.analyze.ComparisonFiles;
import org.diffcert.analyze.HtmlComparison;
import org.diffcert.analyze.HtmlReport;
import org.diffcert.analyze.PairedDifference;
import org.diffcert.analyze.Report;
import org.diffcert.analyze.Summary;
import org.diffcert.run.Methods;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert compare}: methods on the images that all of their runs have. What each certifies, what it costs, and
 * how it differs from the first, image by image.
 */
@Command(name = "compare", mixinStandardHelpOptions = true,
    description = "Methods on the same images: one table of certified accuracy, ACR, abstention, network calls a vote "
        + "and seconds an image; differences from the first run, image by image, with exact 95%% intervals.")
final class CompareCommand implements Callable<Integer> {
  @Parameters(arity = "1..*", paramLabel = "RUN|TSV",
      description = "Run directories, or tables of certificates; the first is what the others are compared with.")
  List<Path> paths;

  @Option(names = "--radii", defaultValue = "0,0.25,0.5,0.75,1.0", paramLabel = "R[,R..]",
      description = "Radii in [0,1] units. Default: ${DEFAULT-VALUE}.")
  String radii;

  @Option(names = "--tsv", paramLabel = "FILE", description = "Write a line a method and radius, 17 digits.")
  Path tsv;

  @Option(names = "--json", paramLabel = "FILE", description = "Write the same as JSON.")
  Path json;

  @Option(names = "--plot", paramLabel = "FILE.svg|FILE.png", description = "Draw the curves with their 95%% bands.")
  List<Path> plots = List.of();

  @Option(names = "--html", paramLabel = "FILE", description = "Write a report: one file, no network.")
  Path html;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    List<Summary.Radius> columns = AnalyzeCommand.columns(radii);
    plots.forEach(AnalyzeCommand::drawing);
    List<Comparison.Method> given = new ArrayList<>();
    paths.forEach(path -> given.addAll(Methods.read(path)));
    List<Report.Panel> named = Report.withShortNames(given.stream().map(Comparison.Method::panel).toList());
    List<Comparison.Method> methods = new ArrayList<>();
    for (int i = 0; i < given.size(); i++) {
      methods.add(given.get(i).with(named.get(i)));
    }
    Comparison comparison = Comparison.of(methods);
    print(spec.commandLine().getOut(), comparison, columns);
    AnalyzeCommand.write(tsv, ComparisonFiles.tsv(comparison, columns));
    AnalyzeCommand.write(json, ComparisonFiles.json(comparison, columns));
    List<Report.Panel> panels = comparison.methods().stream().map(Comparison.Method::panel).toList();
    AnalyzeCommand.draw(plots, panels.stream().map(Report.Panel::log).toList());
    if (html != null) {
      AnalyzeCommand.write(html, HtmlReport.of(new Report(panels.size() + " methods on the same "
          + comparison.images().size() + " images", "diffcert compare", panels, Optional.empty(),
          Optional.of(new HtmlComparison(comparison, columns)))));
    }
    return 0;
  }

  private static void print(PrintWriter out, Comparison comparison, List<Summary.Radius> columns) {
    out.println("On the " + comparison.images().size() + " images that all have, certified accuracy at radius r (exact "
        + "95% interval over the images):");
    List<String> head = new ArrayList<>(List.of("log", "images"));
    columns.forEach(radius -> head.add("r=" + radius.typed()));
    head.addAll(List.of("ACR", "abstain", "calls a vote", "s an image", "method"));
    Table table = new Table(head.toArray(String[]::new));
    List<Double> values = columns.stream().map(Summary.Radius::value).toList();
    for (int i = 0; i < comparison.methods().size(); i++) {
      Comparison.Method method = comparison.methods().get(i);
      Analysis analysis = comparison.analysis(i);
      List<String> cells = new ArrayList<>(Arrays.asList(AnalyzeCommand.cells(method.panel().log().name(), analysis,
          values)));
      cells.add(method.callsPerVote().map(calls -> text("%.1f", calls)).orElse("-"));
      cells.add(method.secondsPerImage().map(seconds -> text("%.3g", seconds)).orElse("-"));
      cells.add(method.name());
      table.row(cells.toArray(String[]::new));
    }
    out.println(table);
    if (comparison.methods().stream().map(Comparison.Method::work).distinct().count() < comparison.methods().size()) {
      out.println("Calls and seconds of a run at several sigmas are for all of them.");
    }
    comparison.notes().forEach(note -> out.println("note: " + note));
    out.println();
    out.println("Difference from " + comparison.methods().get(0).panel().log().name() + ", image by image (exact 95% "
        + "interval; images that only this one : only the first certifies at r):");
    differences(out, comparison, columns);
  }

  private static void differences(PrintWriter out, Comparison comparison, List<Summary.Radius> columns) {
    List<String> head = new ArrayList<>(List.of("log"));
    columns.forEach(radius -> head.add("r=" + radius.typed()));
    head.add("ACR (standard error)");
    Table table = new Table(head.toArray(String[]::new));
    for (int i = 1; i < comparison.methods().size(); i++) {
      List<String> cells = new ArrayList<>(List.of(comparison.methods().get(i).panel().log().name()));
      for (Summary.Radius radius : columns) {
        PairedDifference d = comparison.difference(i, radius.value());
        cells.add(text("%+.3f [%+.3f, %+.3f] %d:%d", d.value(), d.lower(), d.upper(), d.onlyOther(), d.onlyFirst()));
      }
      Comparison.RadiusDifference d = comparison.radiusDifference(i);
      cells.add(Double.isNaN(d.standardError()) ? text("%+.4f", d.value())
          : text("%+.4f (%.4f)", d.value(), d.standardError()));
      table.row(cells.toArray(String[]::new));
    }
    out.println(table);
  }

  private static String text(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
