package org.diffcert.run;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.analyze.Comparison;
import org.diffcert.analyze.Report;
import org.diffcert.noise.Sigma;

/** Hands runs, and anybody's tables, over to be compared: what each is called, under which conditions, at what cost. */
public final class Methods {
  private Methods() {}

  /**
   * Reads a run or a table.
   *
   * @param path the directory or file
   * @return one a log: a run's each sigma, a cascade, a table
   * @throws org.diffcert.DiffcertException of kind BAD_INPUT if it cannot be read
   */
  public static List<Comparison.Method> read(Path path) {
    if (!Files.isDirectory(path) && !path.toString().endsWith(".jsonl")) {
      return Logs.panels(path).stream().map(panel -> new Comparison.Method(panel, "a table"
          + panel.log().sigma().map(sigma -> ", sigma " + sigma).orElse(""), "", Map.of(), List.of())).toList();
    }
    RunLog run = RunLog.read(path);
    List<Comparison.Work> work = run.records().stream().map(record ->
        new Comparison.Work(record.calls(), record.samples(), record.elapsed().toNanos() / 1e9)).toList();
    List<Comparison.Method> methods = new ArrayList<>();
    for (Report.Panel panel : RunReport.panels(path.toString(), run)) {
      String sigma = panel.log().sigma().map(Sigma::toString).orElse(Results.descending(run.header()));
      methods.add(new Comparison.Method(panel, name(run.header()) + ", sigma " + sigma, run.header().dataDigest(),
          conditions(run), work));
    }
    return methods;
  }

  /**
   * What a run's votes are cast by, in a few words, from its header.
   *
   * @param header the run
   * @return such as {@code densepure 10 x 5}, {@code epndc, pruned} or {@code cascade of denoised}
   */
  public static String name(RunHeader header) {
    Map<String, Object> source = new LinkedHashMap<>(header.source());
    if (source.get("scales") instanceof List<?> scales && scales.get(0) instanceof Map<?, ?> smallest) {
      smallest.forEach((key, value) -> source.put((String) key, value));
    }
    String name = String.valueOf(source.getOrDefault("classifier", "classifier"));
    if (source.get("classifier") instanceof Map<?, ?> described) {
      name = String.valueOf(described.get("kind"));
      if (described.get("votes") instanceof Long votes && described.get("steps") instanceof Long steps
          && votes * steps > 1) {
        name += " " + votes + " x " + steps;
      }
    }
    boolean pruned = source.get("prune") instanceof String rule && !rule.equals("none");
    return (header.cascade().isPresent() ? "cascade of " : "") + name + (pruned ? ", pruned" : "");
  }

  private static Map<String, String> conditions(RunLog run) {
    RunHeader header = run.header();
    Map<String, String> conditions = new LinkedHashMap<>();
    conditions.put("n0", Integer.toString(header.config().n0()));
    conditions.put("n", Integer.toString(header.config().n()));
    conditions.put("the error probability of a certificate", Double.toString(header.alphaEach()));
    conditions.put("the stopping rule", header.config().stop().kind().cliName());
    conditions.put("noise", "float".equals(header.source().get("noise")) ? "float, not proven" : "integer");
    if (!run.origin().device().isEmpty()) {
      conditions.put("the device, and with it what a second is,", run.origin().device());
    }
    return conditions;
  }
}
