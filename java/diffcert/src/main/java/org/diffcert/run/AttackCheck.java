package org.diffcert.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import org.diffcert.attack.AttackKind;
import org.diffcert.attack.AttackPlan;
import org.diffcert.attack.Budget;

/**
 * One of the field's checks that an attack is what it says (Athalye et al. 2018, Carlini et al. 2019): one that fails
 * means that the robust accuracies say more about the attack than about the defence.
 *
 * @param name what is checked
 * @param passed whether it is as it must be
 * @param finding in words
 */
public record AttackCheck(String name, boolean passed, String finding) {
  /** A gradient that the attack averages should point this well along the mean gradient. */
  private static final double LEAST_COSINE = 0.5;
  /** Share of images that may be right without any budget to speak of. */
  private static final double MOST_UNBOUNDED = 0.05;

  /**
   * The checks of a log, those that its plan allows.
   *
   * @param log the log
   * @return in a fixed order
   */
  public static List<AttackCheck> of(AttackLog log) {
    AttackPlan plan = log.header().plan();
    List<AttackCheck> checks = new ArrayList<>();
    if (!plan.attacks().isEmpty()) {
      checks.add(budgets(log));
      blackBox(log).ifPresent(checks::add);
      unbounded(log).ifPresent(checks::add);
      doubled(log).ifPresent(checks::add);
    }
    agreement(log).ifPresent(checks::add);
    return List.copyOf(checks);
  }

  /** By construction; what the attempts of each budget alone would have said is told. */
  private static AttackCheck budgets(AttackLog log) {
    AttackTable table = AttackTable.of(log);
    int less = table.rows().stream().mapToInt(row -> row.raw() - row.right()).sum();
    boolean ascending = IntStream.range(1, table.rows().size()).allMatch(i -> {
      AttackTable.Row before = table.rows().get(i - 1);
      AttackTable.Row row = table.rows().get(i);
      return !row.attack().equals(before.attack()) || row.right() <= before.right();
    });
    return new AttackCheck("larger budget never weaker", ascending, "a success counts for every larger budget; "
        + "without that the table would miss " + less + (less == 1 ? " success" : " successes"));
  }

  private static Optional<AttackCheck> blackBox(AttackLog log) {
    List<String> white = names(log, true);
    List<String> black = names(log, false);
    if (white.isEmpty() || black.isEmpty()) {
      return Optional.empty();
    }
    int stronger = 0;
    int alone = 0;
    for (Budget budget : log.header().plan().budgets()) {
      int byWhite = 0;
      int byBlack = 0;
      for (AttackRecord clean : log.records()) {
        if (clean.attack().equals(AttackRecord.CLEAN) && !clean.isWrong()) {
          boolean whiteFound = AttackTable.falls(log, clean.image(), white, budget);
          boolean blackFound = AttackTable.falls(log, clean.image(), black, budget);
          byWhite += whiteFound ? 1 : 0;
          byBlack += blackFound ? 1 : 0;
          alone += blackFound && !whiteFound ? 1 : 0;
        }
      }
      stronger += byBlack > byWhite ? 1 : 0;
    }
    return Optional.of(new AttackCheck("black box not stronger than white box", stronger == 0, "stronger within "
        + stronger + " of "
        + log.header().plan().budgets().size() + " budgets; " + alone + " times an image fell to the black box alone"));
  }

  private static List<String> names(AttackLog log, boolean white) {
    return log.header().plan().attacks().stream().filter(attack -> attack.isWhiteBox() == white)
        .map(AttackKind::cliName).toList();
  }

  private static Optional<AttackCheck> unbounded(AttackLog log) {
    List<AttackRecord> records = log.records().stream().filter(record -> record.attack().equals(AttackRun.UNBOUNDED))
        .toList();
    long right = records.stream().filter(record -> !record.isWrong()).count();
    return records.isEmpty() ? Optional.empty() : Optional.of(new AttackCheck("no budget, no robustness",
        right <= MOST_UNBOUNDED * records.size(), right + " of " + records.size()
            + " images are right with no budget to speak of"));
  }

  private static Optional<AttackCheck> doubled(AttackLog log) {
    List<AttackRecord> records = log.records().stream().filter(record -> record.attack().equals(AttackRun.DOUBLED))
        .toList();
    long fallen = records.stream().filter(AttackRecord::isWrong).count();
    return records.isEmpty() ? Optional.empty() : Optional.of(new AttackCheck("twice the effort finds no more",
        fallen == 0, fallen + " of "
        + records.size() + " images that had survived " + log.header().plan().attacks().get(0).cliName()
            + " fall to it with twice the effort"));
  }

  /**
   * With a mean cosine of c over pairs, the mean of k gradients is expected to have cosine sqrt(k c / (1 + (k - 1) c))
   * with that of all.
   */
  private static Optional<AttackCheck> agreement(AttackLog log) {
    double[] cosines = log.records().stream().flatMap(record -> record.agreement().stream())
        .mapToDouble(Double::doubleValue).toArray();
    if (cosines.length == 0) {
      return Optional.empty();
    }
    double mean = Math.max(0, java.util.Arrays.stream(cosines).average().orElseThrow());
    int k = log.header().plan().settings().repeats();
    double expected = Math.sqrt(k * mean / (1 + (k - 1) * mean));
    return Optional.of(new AttackCheck("gradients of different draws agree", expected >= LEAST_COSINE,
        String.format(Locale.ROOT,
        "mean cosine %.3f over %d gradients of %d images; the mean of the attack's %d is expected to have cosine %.3f "
            + "with that of all", mean,
        log.header().plan().agreement(), cosines.length, k, expected)));
  }
}
