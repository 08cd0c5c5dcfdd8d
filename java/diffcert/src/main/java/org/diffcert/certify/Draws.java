package org.diffcert.certify;

/** What soft certificates do with draws of one number a class, {@code [draw][class]}. */
final class Draws {
  private Draws() {}

  /** The number of classes, at least 2, the same in every draw of both sets, each of which has at least one. */
  static int classes(double[][] selection, double[][] estimation) {
    if (selection.length == 0 || estimation.length == 0) {
      throw new IllegalArgumentException(selection.length + " draws to select by and " + estimation.length
          + " to estimate from");
    }
    int classes = selection[0].length;
    boolean same = classes >= 2;
    for (double[] draw : selection) {
      same &= draw.length == classes;
    }
    for (double[] draw : estimation) {
      same &= draw.length == classes;
    }
    if (!same) {
      throw new IllegalArgumentException("draws must have one number of classes, at least 2");
    }
    return classes;
  }

  /** The class of the largest sum of sign times value over the draws that are finite; ties: the lowest index. */
  static int top(double[][] draws, int sign) {
    double[] sums = new double[draws[0].length];
    for (double[] draw : draws) {
      for (int c = 0; c < sums.length && allFinite(draw); c++) {
        sums[c] += sign * draw[c];
      }
    }
    int best = 0;
    for (int c = 1; c < sums.length; c++) {
      if (sums[c] > sums[best]) {
        best = c;
      }
    }
    return best;
  }

  static boolean allFinite(double[] draw) {
    boolean finite = true;
    for (double value : draw) {
      finite &= Double.isFinite(value);
    }
    return finite;
  }
}
