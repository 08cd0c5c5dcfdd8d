package org.diffcert.certify;

import java.util.Map;
import java.util.function.ToIntFunction;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;

/** A classifier that is a function of the noisy pixel values. */
record Pixels(int classes, ImageShape shape, ToIntFunction<int[]> rule) implements BaseClassifier {
  /** The probability of a noise value: that of the real noise within half a step of it. */
  static double probability(Sigma sigma, int noise) {
    return NormalDistribution.of(0, sigma.bytes()).probability(noise - 0.5, noise + 0.5);
  }

  @Override
  public Map<String, Object> identity() {
    return Map.of("toy", "pixels");
  }

  @Override
  public void classify(int[][] inputs, int[] classes) {
    for (int j = 0; j < inputs.length; j++) {
      classes[j] = rule.applyAsInt(inputs[j]);
    }
  }

  @Override
  public void close() {}
}
