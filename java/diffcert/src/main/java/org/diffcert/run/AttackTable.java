package org.diffcert.run;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.diffcert.attack.AttackKind;
import org.diffcert.attack.AttackPlan;
import org.diffcert.attack.Budget;

/**
 * Robust accuracy: the share of images that a classifier gets right as they are and under attack, as far as the log has
 * all of an image. Immutable.
 *
 * @param images how many there are
 * @param clean how many are right as they are
 * @param rows one an attack and budget, then one a budget for all attacks together
 */
public record AttackTable(int images, int clean, List<Row> rows) {
  /** The name of the rows about all attacks together. */
  public static final String ALL = "all";

  /**
   * One attack, or all, within one budget.
   *
   * @param attack its name, or {@link #ALL}
   * @param budget within what
   * @param right images that are still right, a success within a smaller budget counting here, too: so no larger budget
   *     is weaker
   * @param raw images that are still right under the attempts of this very budget
   */
  public record Row(String attack, Budget budget, int right, int raw) {}

  /**
   * The table of a log.
   *
   * @param log the log
   * @return counts over the images all of whose records are there
   */
  public static AttackTable of(AttackLog log) {
    AttackPlan plan = log.header().plan();
    List<Integer> images = new ArrayList<>();
    List<Integer> right = new ArrayList<>();
    for (int i = 0; i < log.header().images().size(); i++) {
      int image = log.header().images().get(i);
      log.record(image, AttackRecord.CLEAN, "0").filter(clean -> clean.isWrong() || complete(log, image))
          .ifPresent(clean -> {
        images.add(image);
        if (!clean.isWrong()) {
          right.add(image);
        }
      });
    }
    List<Row> rows = new ArrayList<>();
    List<List<String>> groups = new ArrayList<>(plan.attacks().stream().map(a -> List.of(a.cliName())).toList());
    if (groups.size() > 1) {
      groups.add(plan.attacks().stream().map(AttackKind::cliName).toList());
    }
    for (List<String> attacks : groups) {
      for (int b = 0; b < plan.budgets().size(); b++) {
        List<Budget> upTo = plan.budgets().subList(0, b + 1);
        Budget budget = plan.budgets().get(b);
        rows.add(new Row(attacks.size() == 1 ? attacks.get(0) : ALL, budget,
            count(right, image -> upTo.stream().noneMatch(smaller -> falls(log, image, attacks, smaller))),
            count(right, image -> !falls(log, image, attacks, budget))));
      }
    }
    return new AttackTable(images.size(), right.size(), List.copyOf(rows));
  }

  private static boolean complete(AttackLog log, int image) {
    return log.header().plan().attacks().stream().allMatch(attack -> log.header().plan().budgets().stream().allMatch(
        budget -> log.record(image, attack.cliName(), budget.text()).isPresent()));
  }

  static boolean falls(AttackLog log, int image, List<String> attacks, Budget budget) {
    return attacks.stream().anyMatch(attack -> log.record(image, attack, budget.text()).map(AttackRecord::isWrong)
        .orElse(false));
  }

  private static int count(List<Integer> images, Predicate<Integer> which) {
    return (int) images.stream().filter(which).count();
  }
}
