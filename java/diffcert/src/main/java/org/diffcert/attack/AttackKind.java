package org.diffcert.attack;

import org.diffcert.Named;

/** The attacks, by name. */
public enum AttackKind implements Named {
  /** Projected gradient ascent of cross entropy from a random start, with a fixed step (Madry et al. 2018). */
  PGD("pgd", AttackLoss.CE),
  /** Gradient ascent with momentum and a step that halves itself, of cross entropy (Croce and Hein 2020). */
  APGD_CE("apgd-ce", AttackLoss.CE),
  /** The same of DLR, which no scale of the scores can blind. */
  APGD_DLR("apgd-dlr", AttackLoss.DLR),
  /** The same of targeted DLR, towards each of the best other classes in turn. */
  APGD_T("apgd-t", AttackLoss.DLR_TARGETED),
  /** Random search over squares, by scores alone (Andriushchenko et al. 2020). */
  SQUARE("square", AttackLoss.MARGIN);

  private final String cliName;
  private final AttackLoss loss;

  AttackKind(String cliName, AttackLoss loss) {
    this.cliName = cliName;
    this.loss = loss;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * What it makes large.
   *
   * @return the loss
   */
  public AttackLoss loss() {
    return loss;
  }

  /**
   * Whether it reads gradients.
   *
   * @return false for {@link #SQUARE}
   */
  public boolean isWhiteBox() {
    return this != SQUARE;
  }

  /**
   * The attack of a name.
   *
   * @param name as on the command line
   * @return the attack
   * @throws org.diffcert.DiffcertException of kind USAGE if there is none of that name
   */
  public static AttackKind of(String name) {
    return Named.find(values(), name, "attack");
  }
}
