package org.diffcert.attack;

import java.util.LinkedHashMap;
import java.util.Map;
import org.diffcert.DiffcertException;

/**
 * How hard an attack tries. Immutable.
 *
 * @param steps gradient steps of a start, 1 to 100,000
 * @param restarts starts of {@link AttackKind#PGD} and APGD, each from another random point, 1 to 1,000
 * @param targets classes that {@link AttackKind#APGD_T} goes to, in turn, at least 1
 * @param stepSize step of PGD as a multiple of the budget over the number of steps, above 0
 * @param repeats draws of a random defence over which each gradient and each score is averaged, 1 to 10,000
 *     (expectation over transformation)
 * @param queries scores that {@link AttackKind#SQUARE} may ask for, 1 to 1,000,000
 * @param seed key of random starts and of random search
 */
public record AttackSettings(int steps, int restarts, int targets, double stepSize, int repeats, int queries,
    long seed) {
  /** 100 steps from one start, 9 targets, PGD's step 2.5 budgets over the number of steps, one draw, 5,000 queries. */
  public static final AttackSettings DEFAULT = new AttackSettings(100, 1, 9, 2.5, 1, 5000, 0);

  /**
   * Checks the ranges.
   *
   * @param steps gradient steps of a start
   * @param restarts starts
   * @param targets classes to go to
   * @param stepSize step of PGD
   * @param repeats draws to average over
   * @param queries scores of random search
   * @param seed key of random choices
   * @throws DiffcertException of kind USAGE if one is out of range
   */
  public AttackSettings {
    check("steps", steps, 100_000);
    check("restarts", restarts, 1_000);
    check("targets", targets, 1_000_000);
    check("eot", repeats, 10_000);
    check("queries", queries, 1_000_000);
    if (!(stepSize > 0 && stepSize <= 1e6)) {
      throw DiffcertException.usage("--step-size is " + stepSize + ", must be above 0 and at most 1000000");
    }
  }

  private static void check(String option, int value, int most) {
    if (value < 1 || value > most) {
      throw DiffcertException.usage("--" + option + " is " + value + ", must be 1 to " + most);
    }
  }

  /**
   * Twice the effort: for the check that more of it finds no more.
   *
   * @return twice the steps and queries
   */
  public AttackSettings doubled() {
    return new AttackSettings(Math.min(100_000, 2 * steps), restarts, targets, stepSize, repeats,
        Math.min(1_000_000, 2 * queries), seed);
  }

  /**
   * The settings as a run's header has them.
   *
   * @return an ordered map
   */
  public Map<String, Object> identity() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("steps", (long) steps);
    map.put("restarts", (long) restarts);
    map.put("targets", (long) targets);
    map.put("stepSize", stepSize);
    map.put("eot", (long) repeats);
    map.put("queries", (long) queries);
    map.put("seed", Long.toUnsignedString(seed));
    return map;
  }
}
