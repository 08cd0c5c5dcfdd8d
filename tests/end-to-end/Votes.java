import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.diffcert.certify.Histogram;
import org.diffcert.run.RunLog;
import org.diffcert.run.RunRecord;

/**
 * What the single votes of run logs say; exit code 1 where a share is less than asked. "right LEAST RUN": the share of all votes of a run, in both
 * phases, that are for the image's label. "first LEAST RUN": the same of those that choose the class. "agree LEAST RUN RUN": of two runs on the same images with the same seed and sigmas, the share of votes
 * that are the same, of those that were alone in their phase (--n0 1).
 */
public final class Votes {
  private Votes() {}

  public static void main(String[] a) {
    long[] counted = switch (a[0]) {
      case "right" -> right(log(a[2]), false);
      case "first" -> right(log(a[2]), true);
      case "agree" -> agree(log(a[2]), log(a[3]));
      default -> throw new IllegalArgumentException(a[0]);
    };
    double share = (double) counted[0] / counted[1];
    System.out.printf(Locale.ROOT, "%s: %d of %d votes, %.2f %% (at least %s)%n", a[0], counted[0], counted[1], 100 * share, a[1]);
    System.exit(share >= Double.parseDouble(a[1]) ? 0 : 1);
  }

  private static RunLog log(String directory) {
    return RunLog.read(Path.of(directory));
  }

  private static long[] right(RunLog run, boolean first) {
    long right = 0;
    long all = 0;
    for (RunRecord record : run.records()) {
      for (Histogram votes : histograms(record).subList(0, first ? 1 : histograms(record).size())) {
        right += votes.count(record.label());
        all += votes.total() + votes.noVote();
      }
    }
    return new long[] {right, all};
  }

  private static long[] agree(RunLog one, RunLog other) {
    if (one.records().size() != other.records().size()) {
      throw new IllegalArgumentException("the runs have " + one.records().size() + " and " + other.records().size() + " images");
    }
    long same = 0;
    long all = 0;
    for (int i = 0; i < one.records().size(); i++) {
      List<Histogram> votes = histograms(one.records().get(i));
      List<Histogram> others = histograms(other.records().get(i));
      for (int h = 0; h < votes.size(); h++) {
        if (votes.get(h).total() + votes.get(h).noVote() == 1) {
          same += votes.get(h).equals(others.get(h)) ? 1 : 0;
          all++;
        }
      }
    }
    return new long[] {same, all};
  }

  private static List<Histogram> histograms(RunRecord record) {
    return record.certificates().stream().flatMap(c -> List.of(c.selection(), c.estimation()).stream()).toList();
  }
}
