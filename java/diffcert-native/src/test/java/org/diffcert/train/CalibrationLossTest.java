package org.diffcert.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** The loss of the cascade's fine-tuning: its two aims, and its gradient by differences. */
class CalibrationLossTest {
  private static double[] softmax(double[] logits) {
    double sum = 0;
    double[] p = new double[logits.length];
    for (int c = 0; c < p.length; c++) {
      p[c] = Math.exp(logits[c]);
      sum += p[c];
    }
    for (int c = 0; c < p.length; c++) {
      p[c] /= sum;
    }
    return p;
  }

  private static double recovered(double[][] logits, int label) {
    double mean = 0;
    for (double[] row : logits) {
      mean += softmax(row)[label] / logits.length;
    }
    return mean;
  }

  private static double add(double consistent, double diverse, double[][] logits, int label, double[][] gradient) {
    return new CalibrationLoss(consistent, diverse).add(logits, label, 1, gradient);
  }

  /** c r A + d (1 - r) B for an r that does not move. */
  private static double held(double[][] logits, int label, double r, double c, double d) {
    double own = recovered(logits, label);
    double[][] unused = new double[logits.length][logits[0].length];
    return c * r * add(1, 0, logits, label, unused) / own + d * (1 - r) * add(0, 1, logits, label, unused) / (1 - own);
  }

  @Test
  void theGradientIsThatOfDifferencesWithRecoveryHeld() {
    Random random = new Random(11);
    for (int trial = 0; trial < 20; trial++) {
      double[][] logits = new double[3][5];
      for (double[] row : logits) {
        for (int c = 0; c < row.length; c++) {
          row[c] = 2 * random.nextGaussian();
        }
      }
      double[][] gradient = new double[3][5];
      add(0.7, 1.3, logits, 2, gradient);
      double r = recovered(logits, 2);
      for (int m = 0; m < 3; m++) {
        for (int c = 0; c < 5; c++) {
          double before = logits[m][c];
          logits[m][c] = before + 1e-5;
          double up = held(logits, 2, r, 0.7, 1.3);
          logits[m][c] = before - 1e-5;
          double down = held(logits, 2, r, 0.7, 1.3);
          logits[m][c] = before;
          assertEquals((up - down) / 2e-5, gradient[m][c], 1e-7 * (1 + Math.abs(gradient[m][c])), "trial " + trial);
        }
      }
    }
  }

  @Test
  void sharesScaleAndGradientsAdd() {
    double[][] logits = {{1, 0, -1}, {0, 2, 0}};
    double[][] once = new double[2][3];
    double[][] twice = new double[2][3];
    CalibrationLoss loss = new CalibrationLoss(1, 1);
    double whole = loss.add(logits, 0, 1, once);
    assertEquals(0.25 * whole, loss.add(logits, 0, 0.25, twice), 1e-15);
    loss.add(logits, 0, 0.75, twice);
    for (int m = 0; m < 2; m++) {
      for (int c = 0; c < 3; c++) {
        assertEquals(once[m][c], twice[m][c], 1e-15);
      }
    }
  }

  /** Votes that agree on a wrong class cost most, votes that differ less, right ones nothing. */
  @Test
  void wrongVotesAreToDiffer() {
    double[][] gathered = {{0, 30, 0, 0}, {0, 30, 0, 0}};
    double[][] spread = {{0, 30, 0, 0}, {0, 0, 30, 0}};
    double[][] right = {{30, 0, 0, 0}, {30, 0, 0, 0}};
    double[][] gradient = new double[2][4];
    double wrong = add(0, 1, gathered, 0, gradient);
    assertTrue(wrong > add(0, 1, spread, 0, new double[2][4]) + 1, "gathered " + wrong);
    assertEquals(0, add(1, 1, right, 0, new double[2][4]), 1e-10);
    assertTrue(gradient[0][1] > 0.3, "its gradient does not vanish: " + gradient[0][1]);
  }

  /** An image that is lost in the noise is not forced to its label; one that is recovered half is. */
  @Test
  void votesAreToAgreeWhereTheImageIsRecovered() {
    double[][] lost = {{-20, 5, 0}, {-20, 0, 5}};
    double[][] half = {{3, 0, 0}, {0, 3, 0}};
    double[][] gradient = new double[2][3];
    add(1, 0, lost, 0, gradient);
    assertEquals(0, gradient[0][0], 1e-6);
    add(1, 0, half, 0, gradient);
    assertTrue(gradient[0][0] < 0 && gradient[1][0] < -0.1, gradient[0][0] + " " + gradient[1][0]);
  }
}
