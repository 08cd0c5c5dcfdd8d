package org.diffcert.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Prediction;
import org.diffcert.certify.Predictor;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageData;
import org.diffcert.run.AttackLog;
import org.diffcert.run.AttackRecord;
import org.diffcert.run.RunLog;
import org.diffcert.run.RunRecord;
import org.diffcert.stats.IntegerRadius;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert attack check-all}: every image that attacks have handed in and a certificate covers, predicted by the
 * smoothed classifier that the certificate is about.
 */
@Command(name = "check-all", mixinStandardHelpOptions = true, sortOptions = false,
    description = "Predicts all attacked images that certificates of a run cover: exit code 6 if one is significantly "
        + "of another class than its certificate says.")
final class AttackCheckAllCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "RUN", description = "The run directory with the certificates.")
  Path run;

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "ATTACK",
      description = "Directories of attacks on the same images.")
  List<Path> attacks;

  @Option(names = "--n", defaultValue = "100", paramLabel = "N",
      description = "Samples of fresh noise an image. Default: ${DEFAULT-VALUE}.")
  int n;

  @Option(names = "--data", paramLabel = "SET",
      description = "The run's images. Default: those of the recorded name, here or in data/.")
  String data;

  @Mixin
  RunNetwork network;

  @Spec
  private CommandSpec spec;

  /** An attacked image and the certificates that cover it. */
  private record Covered(int image, ByteImage changed, List<Certificate> certificates) {}

  @Override
  public Integer call() {
    RunLog log = RunLog.read(run);
    if (log.header().cascade().isPresent()) {
      throw DiffcertException.usage("check-all does not go with the run of a cascade: it asks the smoothed classifier "
          + "of each sigma for itself, and the certificate is about none of them, but about the cascade");
    }
    AttackCheckCommand.refuseUnverified(log);
    List<AttackLog> given = attacks.stream().map(AttackLog::read).toList();
    for (AttackLog attack : given) {
      if (!attack.header().dataDigest().equals(log.header().dataDigest())) {
        throw DiffcertException.usage("an attack is on " + attack.header().data() + ", the run on other images, "
            + log.header().data());
      }
    }
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    try (ImageData set = RunFiles.open(log.header(), data)) {
      List<Covered> covered = covered(log, given, set, terminal);
      if (!covered.isEmpty()) {
        predict(log, set, covered, terminal);
      }
      return 0;
    }
  }

  /** The different attacked images, each with the certificates that cover it, by integer arithmetic. */
  private static List<Covered> covered(RunLog log, List<AttackLog> attacks, ImageData set, Terminal terminal) {
    Map<Integer, RunRecord> certified = new LinkedHashMap<>();
    log.records().forEach(record -> certified.put(record.image(), record));
    Set<List<Object>> seen = new HashSet<>();
    List<Covered> covered = new ArrayList<>();
    int tried = 0;
    for (AttackLog attack : attacks) {
      for (AttackRecord record : attack.records()) {
        if (record.changed().isEmpty() || !certified.containsKey(record.image())) {
          continue;
        }
        ByteImage clean = set.image(record.image());
        ByteImage changed = record.changed().get();
        if (changed.equals(clean) || !seen.add(List.of(record.image(), changed))) {
          continue;
        }
        tried++;
        long distance = IntegerRadius.distance(clean, changed);
        List<Certificate> over = certified.get(record.image()).certificates().stream()
            .filter(c -> AttackCheckCommand.covers(c, distance)).toList();
        if (!over.isEmpty()) {
          covered.add(new Covered(record.image(), changed, over));
        }
      }
    }
    terminal.say(tried + " attacked images of " + certified.size() + " certified ones, " + covered.size()
        + " of them within a certified radius");
    return covered;
  }

  /**
   * Noise is fresh: whoever made the images may know the run's (S10). The error probability is shared among all
   * predictions, so that with the run's alpha none of them is another than the smoothed classifier's class.
   */
  private void predict(RunLog log, ImageData set, List<Covered> covered, Terminal terminal) {
    double alpha = log.header().config().alpha() / covered.size();
    BooleanSupplier stop = StopSignal.begin();
    int same = 0;
    int unsure = 0;
    List<String> broken = new ArrayList<>();
    try (ClassifierArguments.Opened opened =
        network.open(log, spec, OptionalLong.of(Arguments.freshSeed()), terminal)) {
      RunNetwork.differences(log, set, opened, true);
      Predictor predictor = new Predictor(opened.classifier(), n, alpha);
      for (int i = 0; i < covered.size(); i++) {
        Covered one = covered.get(i);
        terminal.progress("predict", i, covered.size(), 0);
        List<Prediction> predictions = predictor.predict(one.changed(), one.image(), (phase, done, total) -> { }, stop);
        for (Certificate certificate : one.certificates()) {
          Prediction found = predictions.stream().filter(p -> p.sigma().equals(certificate.sigma())).findFirst()
              .orElseThrow();
          same += found.predict() == certificate.predict() ? 1 : 0;
          unsure += found.predict() == Certificate.ABSTAIN ? 1 : 0;
          if (found.predict() != Certificate.ABSTAIN && found.predict() != certificate.predict()) {
            broken.add(String.format(Locale.ROOT, "image %d at sigma %s is %s, certified %s", one.image(),
                certificate.sigma(), log.header().classNames().get(found.predict()),
                log.header().classNames().get(certificate.predict())));
          }
        }
      }
    } finally {
      terminal.wipe();
      StopSignal.end();
    }
    terminal.say(String.format(Locale.ROOT,
        "predicted with %d samples each at alpha %.3g (the run's, shared among all): "
        + "%d as certified, %d with too few votes to say, %d of another class", n, alpha, same, unsure, broken.size()));
    if (!broken.isEmpty()) {
      throw new DiffcertException(Kind.MISMATCH, broken.size() + " certificates are broken: " + broken.get(0));
    }
  }
}
