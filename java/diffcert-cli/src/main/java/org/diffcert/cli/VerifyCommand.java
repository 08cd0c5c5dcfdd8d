package org.diffcert.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;
import org.diffcert.run.RunLog;
import org.diffcert.run.RunRecord;
import org.diffcert.run.Verify;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert verify}: recompute every bound and radius of a run from its histograms, with neither network nor GPU;
 * with {@code --rerun} also cast the votes of some images again.
 */
@Command(name = "verify", mixinStandardHelpOptions = true, sortOptions = false,
    description = "Recomputes every class, bound, radius and integer radius of a run from its vote histograms; with "
        + "--rerun also casts the votes of some images again.")
final class VerifyCommand implements Callable<Integer> {
  @Parameters(paramLabel = "RUN", description = "The run directory.")
  Path run;

  @Option(names = "--rerun", paramLabel = "K",
      description = "Cast the votes of K random images again; on the run's device and build they are the same to the "
          + "bit.")
  Integer rerun;

  @Option(names = "--rerun-seed", defaultValue = "auto", paramLabel = "N",
      description = "Which images: auto, or the seed that an earlier --rerun printed.")
  String rerunSeed;

  @Option(names = "--data", paramLabel = "SET",
      description = "The run's images. Default: those of the recorded name, here or in data/.")
  String data;

  @Mixin
  RunNetwork network;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    refuseWithoutRerun();
    PrintWriter out = spec.commandLine().getOut();
    Verify.Outcome outcome = Verify.run(run);
    out.println("OK: " + outcome.certificates() + " certificates of " + outcome.images()
        + " images are what their histograms give"
        + (outcome.missing() > 0 ? "; " + outcome.missing() + " images of the run are not done yet" : "")
        + (outcome.tornBytes() > 0 ? "; a torn last line of " + outcome.tornBytes() + " bytes was left out" : ""));
    out.println("run SHA-256 " + outcome.digest());
    if (rerun != null) {
      castAgain(new Terminal(out));
    }
    return 0;
  }

  private void castAgain(Terminal terminal) {
    RunLog log = RunLog.read(run);
    if (log.records().isEmpty()) {
      throw DiffcertException.usage(run + " has no image yet whose votes could be cast again");
    }
    long seed = Arguments.seed(rerunSeed).orElseGet(Arguments::freshSeed);
    Rerun again = new Rerun(log, terminal);
    List<RunRecord> picked = again.pick(rerun, seed);
    terminal.say("rerun    " + picked.size() + " of " + log.records().size() + " images, picked by --rerun-seed "
        + Long.toUnsignedString(seed) + ": "
        + picked.stream().map(record -> Integer.toString(record.image())).collect(Collectors.joining(", ")));
    again.run(picked, data, network, spec);
  }

  private void refuseWithoutRerun() {
    if (rerun != null && rerun < 1) {
      throw DiffcertException.usage("--rerun is " + rerun + ", must be at least 1");
    }
    if (rerun == null) {
      RunNetwork.refuseWithout("--rerun", spec);
      for (String name : List.of("--rerun-seed", "--data")) {
        if (spec.commandLine().getParseResult().hasMatchedOption(name)) {
          throw DiffcertException.usage(name + " goes with --rerun");
        }
      }
    }
  }
}
