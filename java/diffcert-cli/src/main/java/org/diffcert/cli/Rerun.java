package org.diffcert.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.image.ImageData;
import org.diffcert.run.ImageCertifier;
import org.diffcert.run.RunLog;
import org.diffcert.run.RunRecord;
import org.diffcert.run.Verify;
import picocli.CommandLine.Model.CommandSpec;

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

  /** Casts their votes again, with the run's network as the options of a command give it. */
  void run(List<RunRecord> picked, String data, RunNetwork network, CommandSpec spec) {
    try (ImageData set = RunFiles.open(log.header(), data);
        ClassifierArguments.Opened opened = network.open(log, spec, OptionalLong.empty(), terminal)) {
      List<String> builds = RunNetwork.differences(log, set, opened, false);
      List<String> differences = new ArrayList<>();
      for (int i = 0; i < picked.size(); i++) {
        differences.addAll(compare(picked.get(i), i, picked.size(), set, opened));
      }
      if (!differences.isEmpty()) {
        throw mismatch(differences, builds);
      }
      String images = picked.size() + (picked.size() == 1 ? " image" : " images");
      terminal.say("OK: the votes of " + images + ", cast again on " + opened.device()
          + ", are those in the log" + (builds.isEmpty() ? "" : ", though it was made elsewhere: "
          + String.join("; ", builds)));
    }
  }

  private List<String> compare(RunRecord record, int done, int total, ImageData set,
      ClassifierArguments.Opened opened) {
    ImageCertifier certifier = new ImageCertifier(opened.classifier(), log.header());
    BooleanSupplier stop = StopSignal.begin();
    long start = System.nanoTime();
    try {
      RunRecord again = certifier.certify(set, record.image(), (phase, samples, all) ->
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
