package org.diffcert.train;

/**
 * The part of the fine-tuning loss that looks at a classifier's answers, for one image at one stage, and its gradient
 * (docs/spec/finetune.md has the derivation). Immutable, thread-safe.
 *
 * @param consistent weight of the aim that copies agree on the right class
 * @param diverse weight of the aim that no wrong class gathers them
 */
record CalibrationLoss(double consistent, double diverse) {
  /** Where a probability would make a logarithm infinite. */
  private static final double LEAST = 1e-30;

  /**
   * The loss r A + (1 - r) B with its weights; adds share times its gradient by the logits.
   *
   * @param logits [copies][classes]
   * @param label the right class
   * @param share what the stage counts
   * @param gradient [copies][classes], added to
   * @return share times the loss
   */
  double add(double[][] logits, int label, double share, double[][] gradient) {
    int copies = logits.length;
    int classes = logits[0].length;
    double[][] p = new double[copies][];
    double[] mean = new double[classes];
    double agreement = 0;
    for (int m = 0; m < copies; m++) {
      double scale = logSum(logits[m]);
      p[m] = new double[classes];
      for (int c = 0; c < classes; c++) {
        p[m][c] = Math.exp(logits[m][c] - scale);
        mean[c] += p[m][c] / copies;
      }
      agreement += (scale - logits[m][label]) / copies;
    }
    double recovered = mean[label];
    double gathered = 0;
    double[] slope = new double[classes];
    for (int c = 0; c < classes; c++) {
      if (c != label) {
        double left = Math.max(LEAST, others(mean, c));
        gathered -= Math.log(left);
        slope[c] = 1 / left;
      }
    }
    double toAgree = share * consistent * recovered / copies;
    double toSpread = share * diverse * (1 - recovered) / copies;
    for (int m = 0; m < copies; m++) {
      double[] pulls = new double[classes];
      for (int c = 0; c < classes; c++) {
        pulls[c] = slope[c] * p[m][c];
      }
      for (int c = 0; c < classes; c++) {
        double other = others(p[m], c);
        gradient[m][c] += toAgree * (c == label ? -other : p[m][c])
            + toSpread * p[m][c] * (slope[c] * other - others(pulls, c));
      }
    }
    return share * (consistent * recovered * agreement + diverse * (1 - recovered) * gathered);
  }

  /** The sum of all values but one; of probabilities 1 less that one, with its digits kept where it is near 1. */
  private static double others(double[] values, int but) {
    double sum = 0;
    for (int c = 0; c < values.length; c++) {
      sum += c == but ? 0 : values[c];
    }
    return sum;
  }

  /** ln of the sum of exponentials. */
  private static double logSum(double[] logits) {
    double largest = Double.NEGATIVE_INFINITY;
    for (double logit : logits) {
      largest = Math.max(largest, logit);
    }
    double sum = 0;
    for (double logit : logits) {
      sum += Math.exp(logit - largest);
    }
    return largest + Math.log(sum);
  }
}
