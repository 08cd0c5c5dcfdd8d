package org.diffcert.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.diffcert.run.Analysis;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert analyze}: certified accuracy at radii, average certified radius and abstention of runs and of
 * anybody's tables.
 */
@Command(name = "analyze", mixinStandardHelpOptions = true,
    description = "Certified accuracy at radii with exact 95%% intervals, average certified radius (ACR), abstention.")
final class AnalyzeCommand implements Callable<Integer> {
  @Parameters(arity = "1..*", paramLabel = "RUN|TSV",
      description = "Run directories, or tables with columns idx label predict radius correct time.")
  List<Path> paths;

  @Option(names = "--radii", defaultValue = "0,0.25,0.5,0.75,1.0", paramLabel = "R[,R..]",
      description = "Radii in [0,1] units. Default: ${DEFAULT-VALUE}.")
  String radii;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    List<Double> values = Arguments.radii(radii);
    String[] head = new String[4 + values.size()];
    head[0] = "log";
    head[1] = "rows";
    String[] typed = radii.split(",", -1);
    for (int i = 0; i < typed.length; i++) {
      head[2 + i] = "r=" + typed[i].strip();
    }
    head[2 + typed.length] = "ACR";
    head[3 + typed.length] = "abstain";
    Table table = new Table(head);
    for (Path path : paths) {
      for (Map.Entry<String, Analysis> entry : Analysis.read(path).entrySet()) {
        String name = entry.getKey().startsWith("sigma ") ? path + " " + entry.getKey() : path.toString();
        table.row(cells(name, entry.getValue(), values));
      }
    }
    spec.commandLine().getOut().println(table);
    return 0;
  }

  /** A row: name, rows, accuracy at each radius with its interval, ACR, abstention. */
  static String[] cells(String name, Analysis analysis, List<Double> radii) {
    String[] cells = new String[4 + radii.size()];
    cells[0] = name;
    cells[1] = Integer.toString(analysis.rows().size());
    for (int i = 0; i < radii.size(); i++) {
      Analysis.Proportion share = analysis.certifiedAccuracy(radii.get(i));
      cells[2 + i] = String.format(Locale.ROOT, "%.3f [%.3f, %.3f]", share.value(), share.lower(), share.upper());
    }
    cells[2 + radii.size()] = String.format(Locale.ROOT, "%.6f", analysis.averageCertifiedRadius());
    cells[3 + radii.size()] = String.format(Locale.ROOT, "%.3f", analysis.abstention().value());
    return cells;
  }
}
