package org.diffcert.attack;

import java.util.stream.IntStream;

/** What an attack makes large, as a function of the scores, with its gradient. Sources: Croce and Hein 2020 for DLR. */
public enum AttackLoss {
  /** Cross entropy: ln sum exp z - z_y. */
  CE {
    @Override
    public double value(double[] z, int label, int target) {
      double top = z[AttackLoss.order(z)[0]];
      double sum = 0;
      for (double value : z) {
        sum += Math.exp(value - top);
      }
      return top + Math.log(sum) - z[label];
    }

    @Override
    public double[] gradient(double[] z, int label, int target) {
      double top = z[AttackLoss.order(z)[0]];
      double[] a = new double[z.length];
      double sum = 0;
      for (int k = 0; k < z.length; k++) {
        a[k] = Math.exp(z[k] - top);
        sum += a[k];
      }
      for (int k = 0; k < z.length; k++) {
        a[k] = a[k] / sum - (k == label ? 1 : 0);
      }
      return a;
    }
  },
  /**
   * Difference of logits ratio: -(z_y - max of the others) / (z_1st - z_3rd); of no scale and no offset. At least three
   * classes.
   */
  DLR {
    @Override
    public double value(double[] z, int label, int target) {
      int[] order = AttackLoss.order(z);
      return -(z[label] - z[AttackLoss.other(order, label)]) / (z[order[0]] - z[order[2]] + TINY);
    }

    @Override
    public double[] gradient(double[] z, int label, int target) {
      int[] order = AttackLoss.order(z);
      int other = AttackLoss.other(order, label);
      double spread = z[order[0]] - z[order[2]] + TINY;
      double slope = (z[label] - z[other]) / (spread * spread);
      double[] a = new double[z.length];
      a[label] -= 1 / spread;
      a[other] += 1 / spread;
      a[order[0]] += slope;
      a[order[2]] -= slope;
      return a;
    }
  },
  /** The same towards one class: -(z_y - z_t) / (z_1st - (z_3rd + z_4th) / 2). At least four classes. */
  DLR_TARGETED {
    @Override
    public double value(double[] z, int label, int target) {
      int[] order = AttackLoss.order(z);
      return -(z[label] - z[target]) / (z[order[0]] - (z[order[2]] + z[order[3]]) / 2 + TINY);
    }

    @Override
    public double[] gradient(double[] z, int label, int target) {
      int[] order = AttackLoss.order(z);
      double spread = z[order[0]] - (z[order[2]] + z[order[3]]) / 2 + TINY;
      double slope = (z[label] - z[target]) / (spread * spread);
      double[] a = new double[z.length];
      a[label] -= 1 / spread;
      a[target] += 1 / spread;
      a[order[0]] += slope;
      a[order[2]] -= slope / 2;
      a[order[3]] -= slope / 2;
      return a;
    }
  },
  /** The largest score of another class less the label's: above 0 once the answer is wrong. */
  MARGIN {
    @Override
    public double value(double[] z, int label, int target) {
      return z[AttackLoss.other(AttackLoss.order(z), label)] - z[label];
    }

    @Override
    public double[] gradient(double[] z, int label, int target) {
      double[] a = new double[z.length];
      a[AttackLoss.other(AttackLoss.order(z), label)] = 1;
      a[label] = -1;
      return a;
    }
  };

  /** Keeps a spread of equal scores from being divided by. */
  private static final double TINY = 1e-12;

  /**
   * The loss.
   *
   * @param z the scores
   * @param label the class that is to be left
   * @param target the class that is to be reached; read by {@link #DLR_TARGETED} alone
   * @return larger for scores that are further from the label
   */
  public abstract double value(double[] z, int label, int target);

  /**
   * Its gradient by the scores.
   *
   * @param z the scores
   * @param label the class that is to be left
   * @param target the class that is to be reached
   * @return one a class
   */
  public abstract double[] gradient(double[] z, int label, int target);

  /**
   * Whether its gradient has few entries other than 0.
   *
   * @return false for cross entropy
   */
  public boolean isSparse() {
    return this != CE;
  }

  /**
   * How many classes it needs.
   *
   * @return 2 to 4
   */
  public int leastClasses() {
    return this == DLR ? 3 : this == DLR_TARGETED ? 4 : 2;
  }

  /** The classes by score, the largest first, the lowest class of equals first. */
  static int[] order(double[] z) {
    return IntStream.range(0, z.length).boxed().sorted((a, b) -> Double.compare(z[b], z[a])).mapToInt(Integer::intValue)
        .toArray();
  }

  private static int other(int[] order, int label) {
    return order[0] == label ? order[1] : order[0];
  }
}
