package org.diffcert.certify;

import java.util.Arrays;
import java.util.Map;
import org.diffcert.image.ImageShape;

/**
 * Class 0 while the values sum to at most a threshold, else class 1: a half-space, whose smoothed classifier is known.
 */
record Below(ImageShape shape, int threshold) implements BaseClassifier {
  @Override
  public int classes() {
    return 2;
  }

  @Override
  public Map<String, Object> identity() {
    return Map.of("threshold", threshold);
  }

  @Override
  public void classify(int[][] inputs, int[] classes) {
    for (int j = 0; j < inputs.length; j++) {
      classes[j] = Arrays.stream(inputs[j]).sum() <= threshold ? 0 : 1;
    }
  }

  @Override
  public void close() {}
}
