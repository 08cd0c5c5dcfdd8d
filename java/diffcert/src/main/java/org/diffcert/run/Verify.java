package org.diffcert.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Histogram;
import org.diffcert.stats.StopRule;

/**
 * Recomputes a run from its histograms: every class, bound, radius and integer radius, and the tables made from them.
 */
public final class Verify {
  private static final int SHOWN = 5;

  private Verify() {}

  /**
   * What was found in order.
   *
   * @param images records checked
   * @param certificates certificates checked
   * @param missing images of the run that have no record yet
   * @param tornBytes bytes of a torn last line, which was left out
   * @param digest SHA-256 of the run's header
   */
  public record Outcome(int images, int certificates, int missing, long tornBytes, String digest) {}

  /**
   * Checks a run.
   *
   * @param path the run directory, or its log alone
   * @return what was checked
   * @throws DiffcertException of kind MISMATCH with the first differences if a recorded value is not the recomputed
   *     one, of kind BAD_INPUT if the log is missing or malformed
   */
  public static Outcome run(Path path) {
    RunLog log = RunLog.read(path);
    List<String> differences = differences(log);
    if (Files.isDirectory(path)) {
      compareTables(path, log, differences);
    }
    if (!differences.isEmpty()) {
      String first = String.join("; ", differences.subList(0, Math.min(SHOWN, differences.size())));
      String more = differences.size() > SHOWN ? "; and " + (differences.size() - SHOWN) + " more" : "";
      throw new DiffcertException(Kind.MISMATCH, path + " is not what its histograms give: " + first + more);
    }
    int each = log.header().certificates();
    int images = log.records().size();
    int missing = log.header().images().size() - images;
    return new Outcome(images, images * each, missing, log.tornBytes(), log.header().digest());
  }

  /**
   * The recorded values that differ from the recomputed ones.
   *
   * @param log the run
   * @return for example {@code image 3, sigma 0.5: radius is 0.9 in the log and 0.7 recomputed}; empty if all is well
   */
  public static List<String> differences(RunLog log) {
    List<String> differences = new ArrayList<>();
    if (log.header().cascade().isPresent()) {
      VerifyCascade.differences(log, differences);
      return differences;
    }
    // The bound depends on the two histograms only through the candidate's count, but comparing whole certificates is
    // simpler, and equal pairs of histograms are common (unanimous votes), so those are computed once.
    Map<List<Object>, Certificate> known = new HashMap<>();
    List<StopRule> rules = rules(log.header());
    for (RunRecord record : log.records()) {
      for (int s = 0; s < rules.size(); s++) {
        Certificate recorded = record.certificates().get(s);
        StopRule rule = rules.get(s);
        String where = "image " + record.image() + ", sigma " + recorded.sigma() + ": ";
        // Only where it stopped does a rule state anything: a staged one has no other bound. A sequential bound would
        // hold anywhere, but a record that ends elsewhere is not what this run writes.
        int candidate = recorded.selection().top();
        if (!rule.stops(recorded.estimation().count(candidate), recorded.samples())) {
          differences.add(where + "the votes end after " + recorded.samples() + " samples, where stop "
              + log.header().config().stop().kind().cliName() + " goes on");
          continue;
        }
        Certificate computed = known.computeIfAbsent(
            List.of(recorded.sigma(), recorded.selection(), recorded.estimation()),
            key -> Certificate.of(recorded.sigma(), recorded.selection(), recorded.estimation(), rule));
        compare(where + "alpha", recorded.alpha(), computed.alpha(), differences);
        compare(where + "candidate", recorded.candidate(), computed.candidate(), differences);
        compare(where + "predict", recorded.predict(), computed.predict(), differences);
        compare(where + "pALower", recorded.pALower(), computed.pALower(), differences);
        compare(where + "radius", recorded.radius(), computed.radius(), differences);
        compare(where + "integerRadius", recorded.integerRadius().squared(), computed.integerRadius().squared(),
            differences);
      }
    }
    return differences;
  }

  /**
   * The recorded votes of an image that differ from those cast again.
   *
   * @param recorded the record
   * @param again what the same keys gave this time
   * @return for example {@code image 3, sigma 0.5: 2 of 60 estimation votes moved, class 7 has 58 in the log and
   *     56 cast again}; empty if all are the same
   */
  public static List<String> votes(RunRecord recorded, RunRecord again) {
    List<String> differences = new ArrayList<>();
    if (recorded.cascade().isPresent()) {
      VerifyCascade.votes(recorded, again, differences);
      return differences;
    }
    for (int s = 0; s < recorded.certificates().size(); s++) {
      Certificate there = recorded.certificates().get(s);
      Certificate here = again.certificates().get(s);
      String where = "image " + recorded.image() + ", sigma " + there.sigma() + ": ";
      compareVotes(where, "selection", there.selection(), here.selection(), differences);
      compareVotes(where, "estimation", there.estimation(), here.estimation(), differences);
    }
    return differences;
  }

  static void compareVotes(String where, String phase, Histogram there, Histogram here,
      List<String> differences) {
    if (there.equals(here)) {
      return;
    }
    if (there.total() != here.total()) {
      differences.add(where + there.total() + " " + phase + " votes in the log and " + here.total() + " cast again");
      return;
    }
    long moved = Math.abs((long) there.noVote() - here.noVote());
    int first = -1;
    for (int c = 0; c < there.classes(); c++) {
      moved += Math.abs((long) there.count(c) - here.count(c));
      first = first < 0 && there.count(c) != here.count(c) ? c : first;
    }
    differences.add(where + moved / 2 + " of " + there.total() + " " + phase + " votes moved, class " + first + " has "
        + there.count(first) + " in the log and " + here.count(first) + " cast again");
  }

  private static List<StopRule> rules(RunHeader header) {
    try {
      return header.config().rules(header.sigmas());
    } catch (DiffcertException e) { // what no run could have begun with
      throw DiffcertException.badInput("the header is impossible: " + e.getMessage());
    }
  }

  private static void compareTables(Path directory, RunLog log, List<String> differences) {
    for (int s = 0; s < log.header().certificates(); s++) {
      Path table = directory.resolve(Results.fileName(log.header(), s));
      if (!Files.exists(table) || !log.complete()) {
        continue; // tables are written when a run ends, so an unfinished one has none, or an older one
      }
      try {
        if (!Files.readString(table, StandardCharsets.UTF_8).equals(Results.text(log, s))) {
          differences.add(table.getFileName() + " is not the table of the log");
        }
      } catch (IOException e) {
        throw new DiffcertException(Kind.BAD_INPUT, "the table " + table + " cannot be read: "
            + DiffcertException.reason(e), e);
      }
    }
  }

  static void compare(String what, Object recorded, Object computed, List<String> differences) {
    if (!Objects.equals(recorded, computed)) {
      differences.add(what + " is " + recorded + " in the log and " + computed + " recomputed");
    }
  }
}
