package org.diffcert.attack;

import java.util.List;
import org.diffcert.DiffcertException;

/**
 * Which attacks within which budgets, and what is done to find out whether they are any good. Immutable.
 *
 * @param attacks none for clean accuracy alone; no attack twice
 * @param budgets ascending, of one norm; at least one if there is an attack
 * @param settings how hard they try
 * @param checked how many images the checks of the attack itself are made on, 0 for none
 * @param agreement gradients at each clean image whose cosines are measured, 0 for none, else 2 to 1,000
 */
public record AttackPlan(List<AttackKind> attacks, List<Budget> budgets, AttackSettings settings, int checked,
    int agreement) {
  /**
   * Checks and copies.
   *
   * @param attacks which
   * @param budgets within what
   * @param settings how hard
   * @param checked images for checks
   * @param agreement gradients that are compared
   * @throws DiffcertException of kind USAGE if they do not fit each other
   */
  public AttackPlan {
    attacks = List.copyOf(attacks);
    budgets = List.copyOf(budgets);
    if (attacks.stream().distinct().count() < attacks.size()) {
      throw DiffcertException.usage("an attack is named twice");
    }
    if (attacks.isEmpty() != budgets.isEmpty()) {
      throw DiffcertException.usage(attacks.isEmpty() ? "there are budgets and no attack"
          : "there are attacks and no budget; give --budgets");
    }
    for (int i = 1; i < budgets.size(); i++) {
      if (budgets.get(i).norm() != budgets.get(0).norm() || budgets.get(i - 1).compareTo(budgets.get(i)) >= 0) {
        throw DiffcertException.usage("the budgets " + budgets + " must be of one norm and ascend");
      }
    }
    if (checked < 0 || agreement < 0 || agreement == 1 || agreement > 1000) {
      throw DiffcertException.usage("checks are made on 0 or more images, with 0 or 2 to 1000 gradients, not on "
          + checked + " with "
          + agreement);
    }
  }
}
