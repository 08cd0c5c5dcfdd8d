package org.diffcert.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.diffcert.run.Verify;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code diffcert verify}: recompute every bound and radius of a run from its histograms; no GPU, no network. */
@Command(name = "verify", mixinStandardHelpOptions = true,
    description = "Recomputes every class, bound, radius and integer radius of a run from its vote histograms.")
final class VerifyCommand implements Callable<Integer> {
  @Parameters(paramLabel = "RUN", description = "The run directory.")
  Path run;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    Verify.Outcome outcome = Verify.run(run);
    spec.commandLine().getOut().println("OK: " + outcome.certificates() + " certificates of " + outcome.images()
        + " images are what their histograms give"
        + (outcome.missing() > 0 ? "; " + outcome.missing() + " images of the run are not done yet" : "")
        + (outcome.tornBytes() > 0 ? "; a torn last line of " + outcome.tornBytes() + " bytes was left out" : ""));
    spec.commandLine().getOut().println("run SHA-256 " + outcome.digest());
    return 0;
  }
}
