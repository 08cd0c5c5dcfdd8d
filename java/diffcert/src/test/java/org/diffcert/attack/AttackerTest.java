package org.diffcert.attack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Attacks on a classifier whose boundaries are known: they find what there is, and nothing where there is nothing. */
class AttackerTest {
  private static final AttackSettings SETTINGS = new AttackSettings(40, 2, 3, 2.5, 1, 3000, 7);

  private static AttackResult attack(ToyTarget target, AttackKind kind, int label, double size, AttackNorm norm) {
    Budget budget = Budget.of(norm, String.format("%.4f", size));
    AttackResult result = new Attacker(target).attack(kind, SETTINGS, target.centre(label), 5, label, budget);
    assertTrue(budget.distance(target.centre(label), result.image()) <= budget.bound());
    return result;
  }

  @ParameterizedTest
  @EnumSource(AttackKind.class)
  void theNearestBoundaryIsFoundAndNoNearerOne(AttackKind kind) {
    ToyTarget target = new ToyTarget(0, true);
    double slack = kind == AttackKind.SQUARE ? 2.5 : 1.04;
    for (int label = 0; label < ToyTarget.CLASSES; label++) {
      AttackResult near = attack(target, kind, label, slack * target.margin(label), AttackNorm.L2);
      assertTrue(near.found(), kind + " misses class " + label);
      assertFalse(new Attacker(target).answer(near.image(), 5) == label, "found, and right");
      AttackResult far = attack(target, kind, label, 0.97 * target.margin(label), AttackNorm.L2);
      assertFalse(far.found());
      assertEquals(label, new Attacker(target).answer(far.image(), 5));
      AttackResult box = attack(target, kind, label, 0.5, AttackNorm.LINF);
      assertTrue(box.found(), kind + " misses class " + label + " in linf");
      assertEquals(kind == AttackKind.SQUARE ? 0 : 1, Math.min(1, box.gradients()));
    }
  }

  @ParameterizedTest
  @EnumSource(AttackKind.class)
  void theSameArgumentsGiveTheSameImage(AttackKind kind) {
    ToyTarget random = new ToyTarget(0.1, true);
    ByteImage once = attack(random, kind, 1, 0.6, AttackNorm.L2).image();
    assertEquals(once, attack(new ToyTarget(0.1, true), kind, 1, 0.6, AttackNorm.L2).image());
  }

  /** No attack may ever ask for the draw that it is judged by. */
  @Test
  void theJudgesDrawIsNotRead() {
    ToyTarget guarded = new ToyTarget(0.1, true) {
      @Override
      public double[] logits(double[] x, int imageId, int draw) {
        assertTrue(draw > JUDGE);
        return super.logits(x, imageId, draw);
      }

      @Override
      public Pull pull(double[] x, int imageId, int draw, Cotangent cotangent) {
        assertTrue(draw > JUDGE);
        return super.pull(x, imageId, draw, cotangent);
      }
    };
    for (AttackKind kind : AttackKind.values()) {
      new Attacker(guarded).attack(kind, SETTINGS, guarded.centre(0), 5, 0, Budget.of(AttackNorm.L2, "0.4"));
    }
  }

  /** Under noise the boundary between two centres stays where it is: the attack finds it through means over draws. */
  @Test
  void theSmoothedClassifierIsAttackedThroughMeans() {
    ToyTarget toy = new ToyTarget(0, true);
    AttackTarget smoothed = new SmoothedTarget(toy, new org.diffcert.noise.Sigma(0.25), 3);
    assertTrue(smoothed.isRandom());
    assertFalse(java.util.Arrays.equals(smoothed.logits(Attempt.units(toy.centre(0)), 5, 1),
        smoothed.logits(Attempt.units(toy.centre(0)), 5, 2)));
    AttackSettings averaged = new AttackSettings(30, 1, 3, 2.5, 40, 100, 7);
    for (int label = 0; label < ToyTarget.CLASSES; label++) {
      Budget near = Budget.of(AttackNorm.L2, String.format("%.4f", 1.2 * toy.margin(label)));
      AttackResult found = new Attacker(smoothed).attack(AttackKind.APGD_DLR, averaged, toy.centre(label), 5, label,
          near);
      assertTrue(found.found());
      assertFalse(new Attacker(toy).answer(found.image(), 5) == label,
          "over the boundary itself, not by luck of a draw");
    }
  }

  @Test
  void gradientsOfDrawsAgreeAsFarAsTheyDo() {
    assertEquals(1, new Attacker(new ToyTarget(0, true)).agreement(new ToyTarget(0, true).centre(0), 5, 1, 5), 1e-9);
    double noisy = new Attacker(new ToyTarget(1.5, true)).agreement(new ToyTarget(0, true).centre(0), 5, 1, 50);
    assertTrue(noisy > 0.05 && noisy < 0.99, "" + noisy);
  }

  @Test
  void whatATargetDoesNotAllowIsRefused() {
    Attacker blind = new Attacker(new ToyTarget(0, false));
    assertThrows(DiffcertException.class, () -> blind.check(AttackKind.PGD));
    blind.check(AttackKind.SQUARE);
  }
}
