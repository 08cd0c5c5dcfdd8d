package org.diffcert.analyze;

import org.diffcert.certify.Certificate;

/**
 * One image's outcome at one sigma: what analysis needs.
 *
 * @param image index in the data set
 * @param label its label
 * @param predict the predicted class, or {@link Certificate#ABSTAIN}
 * @param radius certified L2 radius in [0,1] pixel units, 0 when it abstains and where a log has no radii
 */
public record Row(int image, int label, int predict, double radius) {
  /**
   * Whether the prediction is the label.
   *
   * @return false for an abstention
   */
  public boolean correct() {
    return predict == label;
  }

  /**
   * Whether there is no prediction.
   *
   * @return true for an abstention
   */
  public boolean abstains() {
    return predict == Certificate.ABSTAIN;
  }
}
