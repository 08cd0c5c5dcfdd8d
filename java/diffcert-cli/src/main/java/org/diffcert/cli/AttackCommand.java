package org.diffcert.cli;

import java.nio.file.Path;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.certify.Certificate;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageData;
import org.diffcert.image.SingleImage;
import org.diffcert.noise.Sigma;
import org.diffcert.run.RunHeader;
import org.diffcert.run.RunLog;
import org.diffcert.run.RunRecord;
import org.diffcert.run.Verify;
import org.diffcert.stats.IntegerRadius;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code diffcert attack}: changed images held against the certificates of a run. */
@Command(name = "attack", mixinStandardHelpOptions = true,
    description = "Holds changed images against the certificates of a run.")
final class AttackCommand implements Runnable {
  @Spec
  private CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "say what to do: check");
  }

  /**
   * Whether a certificate of a run covers an image, by integer arithmetic alone: neither rounding nor network is in it.
   */
  @Command(name = "check", mixinStandardHelpOptions = true, sortOptions = false,
      description = "Says whether a certificate of a run covers the image X: exit code 0 if it does, 6 if it does not.")
  int check(@Parameters(paramLabel = "RUN", description = "The run directory.") Path run,
      @Parameters(paramLabel = "X", description = "A uint8 image: PNG, .npy, .npz or idx.") Path x,
      @Option(names = "--image", paramLabel = "I",
          description = "Which image of the run X was made from, by index. May be left out if the run has one.")
          Integer image,
      @Option(names = "--sigma", paramLabel = "S", description = "Only the certificate of this sigma. Default: any.")
          String sigma,
      @Option(names = "--data", paramLabel = "SET",
          description = "The run's images. Default: those of the recorded name, here or in data/.") String data) {
    RunLog log = RunLog.read(run);
    RunRecord record = record(log, run, image);
    List<Certificate> certificates = certificates(record, log.header(), sigma);
    List<String> differences = Verify.differences(log);
    if (!differences.isEmpty()) {
      throw new DiffcertException(Kind.MISMATCH, run + " does not verify, so its certificates say nothing: "
          + differences.get(0));
    }
    long distance;
    try (ImageData set = RunFiles.open(log.header(), data)) {
      ByteImage changed = SingleImage.read(x, set.shape());
      distance = IntegerRadius.distance(set.image(record.image()), changed);
    }
    if ("float".equals(log.header().source().get("noise"))) {
      say("warning: the run used float noise, so its certificates are not proven");
    }
    boolean covered = false;
    for (Certificate certificate : certificates) {
      covered |= report(record.image(), certificate, distance, log.header());
    }
    return covered ? 0 : Kind.MISMATCH.exitCode();
  }

  private boolean report(int image, Certificate certificate, long distance, RunHeader header) {
    String of = "image " + image + ", sigma " + certificate.sigma();
    if (certificate.abstains()) {
      say("not covered: sum of squared differences " + distance + ", but there is no certificate (" + of
          + ": abstention)");
      return false;
    }
    long most = certificate.integerRadius().squared();
    boolean covered = distance <= most;
    say((covered ? "covered: " : "not covered: ") + "sum of squared differences " + distance
        + (covered ? " <= " : " > ") + most + " (" + of + ", class "
        + header.classNames().get(certificate.predict()) + ")");
    return covered;
  }

  private static RunRecord record(RunLog log, Path run, Integer image) {
    if (image == null && log.records().size() != 1) {
      throw DiffcertException.usage(run + " has " + log.records().size()
          + " images; say which X was made from with --image");
    }
    return log.records().stream().filter(record -> image == null || record.image() == image).findFirst()
        .orElseThrow(() -> DiffcertException.usage(run + " has no row of image " + image
            + (log.header().images().contains(image) ? " yet" : "")));
  }

  private static List<Certificate> certificates(RunRecord record, RunHeader header, String sigma) {
    if (sigma == null) {
      return record.certificates();
    }
    List<Sigma> wanted = Arguments.sigmas(sigma);
    List<Certificate> found =
        record.certificates().stream().filter(certificate -> wanted.contains(certificate.sigma())).toList();
    if (found.size() < wanted.size()) {
      throw DiffcertException.usage("--sigma is '" + sigma + "', the run has " + header.sigmas());
    }
    return found;
  }

  private void say(String line) {
    spec.commandLine().getOut().println(line);
  }
}
