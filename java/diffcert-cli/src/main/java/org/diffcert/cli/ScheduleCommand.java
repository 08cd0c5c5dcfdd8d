package org.diffcert.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.diffcert.noise.Sigma;
import org.diffcert.schedule.ClassifierKind;
import org.diffcert.schedule.GridKind;
import org.diffcert.schedule.Schedule;
import org.diffcert.schedule.Weighting;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code diffcert schedule}: the noise levels and weights of a classifier, as numbers. */
@Command(name = "schedule", mixinStandardHelpOptions = true, sortOptions = false,
    description = "Prints lower, level and weight of each network call as TSV with 17 digits; levels are in EDM space.")
final class ScheduleCommand implements Callable<Integer> {
  @Option(names = "--classifier", required = true, paramLabel = "NAME",
      description = "dc, epndc, apndc, apndc-conditional or apndc-ensemble.")
  String classifier;

  @Option(names = "--sigma", required = true, paramLabel = "S[,S..]",
      description = "Smoothing noise in [0,1] pixel units. Several for epndc: the list of levels that they share.")
  String sigma;

  @Option(names = "--levels", defaultValue = "126", paramLabel = "N",
      description = "Grid points. Default: ${DEFAULT-VALUE}.")
  int levels;

  @Option(names = "--grid", defaultValue = "linear", paramLabel = "KIND",
      description = "linear or log. Default: ${DEFAULT-VALUE}.")
  String grid;

  @Option(names = "--weights", defaultValue = "edm", paramLabel = "KIND",
      description = "edm, published or elbo. Default: ${DEFAULT-VALUE}.")
  String weights;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    ClassifierKind kind = ClassifierKind.of(classifier);
    List<Sigma> sigmas = Arguments.sigmas(sigma);
    GridKind spacing = GridKind.of(grid);
    Weighting weighting = Weighting.of(weights);
    List<Schedule> schedules = kind == ClassifierKind.EPNDC && sigmas.size() > 1
        ? Schedule.shared(sigmas, levels, spacing, weighting)
        : sigmas.stream().map(s -> Schedule.of(kind, s, levels, spacing, weighting)).toList();
    PrintWriter out = spec.commandLine().getOut();
    out.println("sigma\tlower\tlevel\tweight");
    for (Schedule schedule : schedules) {
      double[] lower = schedule.lower();
      double[] upper = schedule.upper();
      double[] weight = schedule.weights();
      for (int i = 0; i < schedule.size(); i++) {
        out.println(String.format(
            Locale.ROOT, "%s\t%.16e\t%.16e\t%.16e", schedule.sigma(), lower[i], upper[i], weight[i]));
      }
    }
    out.flush();
    return 0;
  }
}
