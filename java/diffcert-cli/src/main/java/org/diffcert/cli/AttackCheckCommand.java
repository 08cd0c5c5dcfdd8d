package org.diffcert.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Prediction;
import org.diffcert.certify.Predictor;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageData;
import org.diffcert.image.SingleImage;
import org.diffcert.noise.Sigma;
import org.diffcert.run.RunLog;
import org.diffcert.run.RunRecord;
import org.diffcert.run.Verify;
import org.diffcert.stats.IntegerRadius;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert attack check}: whether a certificate of a run covers an image, by integer arithmetic alone; and, if
 * asked, what the smoothed classifier makes of the image.
 */
@Command(name = "check", mixinStandardHelpOptions = true, sortOptions = false,
    description = "Says whether a certificate of a run covers the image X: exit code 0 if one does, 6 if none does.")
final class AttackCheckCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "RUN", description = "The run directory.")
  Path run;

  @Parameters(index = "1", paramLabel = "X", description = "A uint8 image: PNG, .npy, .npz or idx.")
  Path x;

  @Option(names = "--image", paramLabel = "I",
      description = "Which image of the run X was made from, by index. May be left out if the run has one.")
  Integer image;

  @Option(names = "--sigma", paramLabel = "S",
      description = "Only the certificates of these sigmas. Default: any.")
  String sigma;

  @Option(names = "--data", paramLabel = "SET",
      description = "The run's images. Default: those of the recorded name, here or in data/.")
  String data;

  @Option(names = "--predict", paramLabel = "N",
      description = "Also predict X with N samples of fresh noise, at the run's alpha. A class other than that of a "
          + "certificate that covers X is exit code 6.")
  Integer predict;

  @Mixin
  RunNetwork network;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    if (predict == null) {
      RunNetwork.refuseWithout("--predict", spec);
    }
    RunLog log = RunLog.read(run);
    refuseOfScales(log);
    RunRecord record = record(log);
    List<Certificate> certificates = certificates(log, record);
    refuseUnverified(log);
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    if ("float".equals(log.header().source().get("noise"))) {
      terminal.say("warning: the run used float noise, so its certificates are not proven");
    }
    try (ImageData set = RunFiles.open(log.header(), data)) {
      ByteImage changed = SingleImage.read(x, set.shape());
      long distance = IntegerRadius.distance(set.image(record.image()), changed);
      boolean covered = false;
      for (Certificate certificate : certificates) {
        terminal.say(sentence(log, record, certificate, distance));
        covered |= covers(certificate, distance);
      }
      if (predict != null) {
        predict(log, set, changed, certificates, distance, terminal);
      }
      return covered ? 0 : Kind.MISMATCH.exitCode();
    }
  }

  static boolean covers(Certificate certificate, long distance) {
    return !certificate.abstains() && distance <= certificate.integerRadius().squared();
  }

  private static String sentence(RunLog log, RunRecord record, Certificate certificate, long distance) {
    String found = (covers(certificate, distance) ? "covered" : "not covered") + ": sum of squared differences "
        + distance;
    String of = record.cascade().map(c -> "cascade, stage " + c.stage()).orElse("sigma " + certificate.sigma());
    if (certificate.abstains()) {
      return found + ", and there is no certificate (" + of + ": "
          + record.cascade().map(c -> c.outcome().toString()).orElse("abstention") + ")";
    }
    return found + (covers(certificate, distance) ? " <= " : " > ") + certificate.integerRadius().squared()
        + " (" + of + ", class " + log.header().classNames().get(certificate.predict()) + ")";
  }

  /** A cascade's certificate is about all its sigmas together: what is about single ones says nothing of it. */
  private void refuseOfScales(RunLog log) {
    if (log.header().cascade().isPresent() && sigma != null) {
      throw DiffcertException.usage("--sigma does not go with the run of a cascade: its one certificate an image is "
          + "about all of its sigmas together");
    }
    if (log.header().cascade().isPresent() && predict != null) {
      throw DiffcertException.usage("--predict does not go with the run of a cascade: it asks the smoothed classifier "
          + "of each sigma for itself, and the certificate is about none of them, but about the cascade");
    }
  }

  /**
   * What the smoothed classifier makes of the image. The noise is fresh: whoever made the image may know the run's, and
   * have made it for that noise (S10).
   */
  private void predict(RunLog log, ImageData set, ByteImage changed, List<Certificate> certificates, long distance,
      Terminal terminal) {
    OptionalLong fresh = OptionalLong.of(Arguments.freshSeed());
    try (ClassifierArguments.Opened opened = network.open(log, spec, fresh, terminal)) {
      RunNetwork.differences(log, set, opened, true);
      Predictor predictor = new Predictor(opened.classifier(), predict, log.header().config().alpha());
      List<Prediction> predictions = predictor.predict(changed, 0,
          (phase, done, total) -> terminal.progress("predict", done, total, 0), () -> false);
      for (Prediction prediction : predictions) {
        for (Certificate certificate : certificates) {
          if (certificate.sigma().equals(prediction.sigma())) {
            compare(log, certificate, prediction, covers(certificate, distance), terminal);
          }
        }
      }
    }
  }

  private static void compare(RunLog log, Certificate certificate, Prediction prediction, boolean covered,
      Terminal terminal) {
    List<String> names = log.header().classNames();
    boolean abstains = prediction.predict() == Certificate.ABSTAIN;
    terminal.say(String.format(Locale.ROOT, "predicted: %s at sigma %s, p-value %.3g",
        abstains ? "nothing (the votes leave doubt)" : "class " + names.get(prediction.predict()), prediction.sigma(),
        prediction.pValue()));
    if (covered && !abstains && prediction.predict() != certificate.predict()) {
      throw new DiffcertException(Kind.MISMATCH, "the certificate at sigma " + certificate.sigma()
          + " says class " + names.get(certificate.predict()) + " and the prediction is "
          + names.get(prediction.predict()) + ": one of the two is false, which the run's alpha allows only rarely");
    }
  }

  static void refuseUnverified(RunLog log) {
    List<String> differences = Verify.differences(log);
    if (!differences.isEmpty()) {
      throw new DiffcertException(Kind.MISMATCH, "the run does not verify, so its certificates say nothing: "
          + differences.get(0));
    }
  }

  private RunRecord record(RunLog log) {
    if (image == null && log.records().size() != 1) {
      throw DiffcertException.usage(run + " has " + log.records().size()
          + " images; say which X was made from with --image");
    }
    return log.records().stream().filter(record -> image == null || record.image() == image).findFirst()
        .orElseThrow(() -> DiffcertException.usage(run + " has no row of image " + image
            + (log.header().images().contains(image) ? " yet" : "")));
  }

  private List<Certificate> certificates(RunLog log, RunRecord record) {
    if (sigma == null) {
      return record.certificates();
    }
    List<Sigma> wanted = Arguments.sigmas(sigma);
    List<Certificate> found =
        record.certificates().stream().filter(certificate -> wanted.contains(certificate.sigma())).toList();
    if (found.size() < wanted.size()) {
      throw DiffcertException.usage("--sigma is '" + sigma + "', the run has " + log.header().sigmas());
    }
    return found;
  }
}
