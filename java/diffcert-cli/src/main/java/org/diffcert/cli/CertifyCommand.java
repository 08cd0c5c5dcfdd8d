package org.diffcert.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.certify.Stopping;
import org.diffcert.image.ImageData;
import org.diffcert.noise.Sigma;
import org.diffcert.run.ImageRange;
import org.diffcert.run.RunDirectory;
import org.diffcert.run.RunHeader;
import org.diffcert.run.RunLog;
import org.diffcert.stats.ClopperPearson;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert certify}: certificates for images of a data set, in a run directory that can be resumed at any
 * moment.
 */
@Command(name = "certify", mixinStandardHelpOptions = true, sortOptions = false,
    description = "Certifies images; the same command again goes on with a run that was stopped.")
final class CertifyCommand implements Callable<Integer> {
  @Mixin
  ClassifierArguments classifier;

  @Mixin
  ImagesArguments images;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "The run directory.")
  Path out;

  @Option(names = "--like", paramLabel = "RUN",
      description = "Repeat this run: its options are the defaults, its network and images are found by name or given "
          + "by --model and --data; an option that makes it another run is refused.")
  Path like;

  @Option(names = "--n0", defaultValue = "100", paramLabel = "N",
      description = "Samples that choose the class. Default: ${DEFAULT-VALUE}.")
  int n0;

  @Option(names = "--n", defaultValue = "10000", paramLabel = "N",
      description = "Samples that bound its probability. Default: ${DEFAULT-VALUE}.")
  int n;

  @Option(names = "--alpha", defaultValue = "0.001", paramLabel = "A",
      description = "Error probability of an image's certificates together. Default: ${DEFAULT-VALUE}.")
  double alpha;

  @Option(names = "--stop", defaultValue = "fixed", paramLabel = "RULE",
      description = "fixed: n samples. sequential: as soon as it is known, for each --radius, whether the certificate "
          + "reaches it, n at most. staged: the same, with looks at n, n/2, n/4, ... samples only. "
          + "Default: ${DEFAULT-VALUE}.")
  String stop;

  @Option(names = "--radius", paramLabel = "R[,R..]",
      description = "What sequential and staged sampling decides about, in [0,1] pixel units.")
  String radius;

  @Option(names = "--family", defaultValue = "1", paramLabel = "N|rows",
      description = "Share alpha among N certificates (several runs of which the best is reported), or rows: among "
          + "all of this run, so that they hold together. Default: an image's own, one a sigma.")
  String family;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    List<Double> radii = radius == null ? List.of() : Arguments.radii("--radius", radius);
    CertifyConfig given = CertifyConfig.of(n0, n, alpha).withStop(new Stopping(Stopping.Kind.of(stop), radii));
    ClassifierArguments.Plan plan = classifier.plan(recordedSeed(out));
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    try (ImageData set = images.open()) {
      ImageRange range = images.range(set);
      CertifyConfig config = given.withFamily(
          Arguments.family(family, range.size(), plan.cascade().isPresent() ? 1 : plan.sigmas().size()));
      if (plan.cascade().isPresent()) {
        CascadeArguments.refuseHopeless(plan.cascade().get(), plan.sigmas(), config);
      } else {
        refuseHopeless(config, plan.sigmas());
      }
      try (ClassifierArguments.Opened opened = plan.open(terminal, set.classNames())) {
        classifier.refuseUnfit(opened, set);
        CertifyJob job = new CertifyJob(terminal, opened, set, range, config, plan.cascade(), out);
        if (like != null) {
          refuseOther(terminal, RunLog.read(like).header(), job.header());
        }
        return job.run();
      }
    }
  }

  /** A repetition is the same run in all but the build that computes it, which is said. */
  private void refuseOther(Terminal terminal, RunHeader there, RunHeader here) {
    List<String> differences = here.differences(there);
    List<String> builds = differences.stream().filter(Builds::isOne).toList();
    if (builds.size() < differences.size()) {
      throw DiffcertException.usage("this is not the run in " + like + ": "
          + differences.stream().filter(d -> !Builds.isOne(d)).collect(Collectors.joining("; "))
          + "; leave such options out, or run without --like");
    }
    if (!builds.isEmpty()) {
      terminal.say("note     " + String.join("; ", builds) + ": " + Builds.CONSEQUENCE);
    }
  }

  /** Too few samples for anything to come of it. */
  private static void refuseHopeless(CertifyConfig config, List<Sigma> sigmas) {
    config.rules(sigmas);
    double alphaEach = config.alphaEach(sigmas.size());
    if (ClopperPearson.smallestCertifying(config.n(), alphaEach).isEmpty()) {
      throw DiffcertException.usage("--n " + config.n() + " is too few for alpha " + alphaEach
          + ": even unanimous votes bound no class above 1/2, so every image would abstain; take more samples");
    }
  }

  /** The seed of a run that is already there. */
  static OptionalLong recordedSeed(Path directory) {
    Map<String, Object> source = RunDirectory.peek(directory).map(RunHeader::source).orElse(Map.of());
    return source.get("seed") instanceof String text ? Arguments.seed(text) : OptionalLong.empty();
  }
}
