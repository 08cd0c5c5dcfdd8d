package org.diffcert.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Certifier;
import org.diffcert.diffusion.NativeLibrary;
import org.diffcert.image.ImageData;
import org.diffcert.run.CertifyRun;
import org.diffcert.run.RunHeader;
import org.diffcert.run.RunLog;
import org.diffcert.run.RunRecord;
import org.diffcert.run.Verify;
import picocli.CommandLine;

/**
 * Casts the votes of some images of a run again, with the run's own keys, and holds them against the log: the check
 * that recorded histograms are what the network gives, where recomputing bounds takes them as they are.
 */
final class Rerun {
  private static final int SHOWN = 5;

  private final RunLog log;
  private final Terminal terminal;

  Rerun(RunLog log, Terminal terminal) {
    this.log = log;
    this.terminal = terminal;
  }

  /** A random subset of the records, in the log's order; all if there are no more. */
  List<RunRecord> pick(int count, long seed) {
    List<RunRecord> left = new ArrayList<>(log.records());
    SplittableRandom random = new SplittableRandom(seed);
    while (left.size() > count) {
      left.remove(random.nextInt(left.size()));
    }
    return left;
  }

  /** Casts their votes again. options are those of the network (model, device, threads), as words. */
  void run(List<RunRecord> picked, String data, List<String> options) {
    try (ImageData set = RunFiles.open(log.header(), data);
        ClassifierArguments.Opened opened = open(options)) {
      List<String> builds = checkHeader(set, opened);
      List<String> differences = new ArrayList<>();
      for (int i = 0; i < picked.size(); i++) {
        differences.addAll(compare(picked.get(i), i, picked.size(), set, opened));
      }
      if (!differences.isEmpty()) {
        throw mismatch(differences, builds);
      }
      String images = picked.size() + (picked.size() == 1 ? " image" : " images");
      terminal.say("OK: the votes of " + images + ", cast again on " + opened.device().name()
          + ", are those in the log" + (builds.isEmpty() ? "" : ", though it was made elsewhere: "
          + String.join("; ", builds)));
    }
  }

  private ClassifierArguments.Opened open(List<String> options) {
    List<String> words = new ArrayList<>(RunOptions.words(RunOptions.ofClassifier(log.header())));
    options.forEach(option -> words.removeIf(word -> word.startsWith(option.replaceFirst("=.*", "="))));
    words.addAll(options);
    ClassifierArguments classifier = new ClassifierArguments();
    try {
      CommandLine.populateCommand(classifier, words.toArray(String[]::new));
    } catch (CommandLine.ParameterException e) {
      throw DiffcertException.badInput("the run's options are none of certify: " + e.getMessage());
    }
    return classifier.open(terminal, classifier.options(OptionalLong.empty()));
  }

  /** The run as it would be made here: equal to the log's but for device and build, which are given back. */
  private List<String> checkHeader(ImageData set, ClassifierArguments.Opened opened) {
    RunHeader there = log.header();
    RunHeader here = new CertifyRun(opened.classifier(), set, there.images(), there.config(), there.library(),
        NativeLibrary.buildDigest(), opened.device().name(), opened.origin()).header();
    List<String> differences = here.differences(there);
    List<String> builds = differences.stream().filter(d -> Builds.isOne(d) || d.startsWith("device is ")).toList();
    if (builds.size() < differences.size()) {
      throw DiffcertException.usage("this is not what the run was made with: " + differences.stream()
          .filter(d -> !builds.contains(d)).collect(Collectors.joining("; ")));
    }
    return builds;
  }

  private List<String> compare(RunRecord record, int done, int total, ImageData set,
      ClassifierArguments.Opened opened) {
    Certifier certifier = new Certifier(opened.classifier(), log.header().config());
    BooleanSupplier stop = StopSignal.begin();
    long start = System.nanoTime();
    try {
      List<Certificate> again = certifier.certify(set.image(record.image()), record.image(),
          (phase, samples, all) ->
              terminal.progress("image " + record.image(), done + (double) samples / all, total, 0), stop);
      List<String> differences = Verify.votes(record, again);
      terminal.say(String.format(Locale.ROOT, "image %5d  %s  %.1f s", record.image(),
          differences.isEmpty() ? "the same votes" : "OTHER VOTES", (System.nanoTime() - start) / 1e9));
      return differences;
    } finally {
      StopSignal.end();
    }
  }

  private static DiffcertException mismatch(List<String> differences, List<String> builds) {
    String first = String.join("; ", differences.subList(0, Math.min(SHOWN, differences.size())));
    String more = differences.size() > SHOWN ? "; and " + (differences.size() - SHOWN) + " more" : "";
    String note = builds.isEmpty() ? "" : " (" + String.join("; ", builds) + ": " + Builds.CONSEQUENCE + ")";
    return new DiffcertException(Kind.MISMATCH, "votes cast again are not those in the log: " + first + more + note);
  }
}
