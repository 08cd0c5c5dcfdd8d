package org.diffcert.attack;

import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;

/** Attacks images, one at a time. As thread-safe as its target. */
public final class Attacker {
  private final AttackTarget target;

  /**
   * An attacker of one classifier.
   *
   * @param target the classifier; stays the caller's to close
   */
  public Attacker(AttackTarget target) {
    this.target = target;
  }

  /**
   * Refuses an attack that the classifier does not allow.
   *
   * @param kind the attack
   * @throws DiffcertException of kind USAGE if it needs gradients or classes that are not there
   */
  public void check(AttackKind kind) {
    if (kind.isWhiteBox() && !target.isDifferentiable()) {
      throw DiffcertException.usage(kind.cliName()
          + " needs gradients, which this classifier has none of; use square, or attack another "
          + "model and look with 'attack transfer' whether its images carry over");
    }
    if (target.classes() < kind.loss().leastClasses()) {
      throw DiffcertException.usage(kind.cliName() + " needs at least " + kind.loss().leastClasses()
          + " classes, the classifier has "
          + target.classes());
    }
  }

  /**
   * Attacks an image.
   *
   * @param kind the attack
   * @param settings how hard it tries
   * @param clean the image
   * @param imageId its index in the data set, which keys the noise of classifier and attack
   * @param label the class that is to be left
   * @param budget how far the image may be changed
   * @return an image inside the budget: a pure function of the arguments and the classifier
   * @throws DiffcertException of kind USAGE if the classifier does not allow the attack
   */
  public AttackResult attack(AttackKind kind, AttackSettings settings, ByteImage clean, int imageId, int label,
      Budget budget) {
    check(kind);
    Attempt attempt = new Attempt(settings, target, clean, imageId, label, budget, kind.cliName());
    switch (kind) {
      case PGD -> ProjectedGradient.run(attempt);
      case SQUARE -> SquareAttack.run(attempt);
      default -> AutoProjectedGradient.run(attempt, kind.loss());
    }
    return attempt.result();
  }

  /**
   * The answer that an image is judged by.
   *
   * @param image an 8-bit image
   * @param imageId its index in the data set
   * @return the class of the scores of {@link AttackTarget#JUDGE}, or -1 where a score is not finite
   */
  public int answer(ByteImage image, int imageId) {
    return AttackTarget.answer(target.logits(Attempt.units(image), imageId, AttackTarget.JUDGE));
  }

  /**
   * How much gradients of different draws agree: the mean cosine over all pairs, of cross entropy's gradient.
   *
   * @param image an 8-bit image
   * @param imageId its index in the data set
   * @param label its class
   * @param draws how many gradients, at least 2
   * @return from -1 to 1; 1 for a classifier whose draws do not differ
   */
  public double agreement(ByteImage image, int imageId, int label, int draws) {
    double[] sum = new double[image.shape().elements()];
    int counted = 0;
    Attempt attempt = new Attempt(new AttackSettings(1, 1, 1, 1, 1, 1, 0), target, image, imageId, label,
        Budget.unbounded(AttackNorm.LINF, sum.length), "agreement");
    for (int r = 0; r < draws; r++) {
      double[] unit = AttackNorm.L2.steepest(attempt.slope(attempt.origin, AttackLoss.CE, label).gradient());
      if (AttackNorm.L2.of(unit) > 0) {
        counted++;
      }
      for (int e = 0; e < sum.length; e++) {
        sum[e] += unit[e];
      }
    }
    // |sum of unit vectors|^2 = draws + sum over ordered pairs of their cosines
    double length = AttackNorm.L2.of(sum);
    return counted < 2 ? 0 : (length * length - counted) / ((double) counted * (counted - 1));
  }
}
