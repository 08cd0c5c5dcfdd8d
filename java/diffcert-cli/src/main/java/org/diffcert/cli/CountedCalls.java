package org.diffcert.cli;

import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.diffcert.certify.BaseClassifier;
import org.diffcert.denoise.Denoiser;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;

/**
 * Counts the rows that pass through a model on their way to a vote: what a vote costs, seen from the model's side,
 * whatever the source of the votes says that it is. Thread-safe.
 */
final class CountedCalls {
  private final AtomicLong rows = new AtomicLong();

  /** Rows so far. */
  long rows() {
    return rows.get();
  }

  /** The same denoiser, with its rows counted. */
  Denoiser of(Denoiser denoiser) {
    return new Denoiser() {
      @Override
      public ImageShape shape() {
        return denoiser.shape();
      }

      @Override
      public Map<String, Object> identity() {
        return denoiser.identity();
      }

      @Override
      public boolean takesAnyLevel() {
        return denoiser.takesAnyLevel();
      }

      @Override
      public double[] levels(Sigma sigma, int steps) {
        return denoiser.levels(sigma, steps);
      }

      @Override
      public Estimate denoise(float[] x, double level) {
        rows.addAndGet(x.length / shape().elements());
        return denoiser.denoise(x, level);
      }

      @Override
      public void close() {
        denoiser.close();
      }
    };
  }

  /** The same classifier, with its rows counted. */
  BaseClassifier of(BaseClassifier classifier) {
    return new BaseClassifier() {
      @Override
      public int classes() {
        return classifier.classes();
      }

      @Override
      public ImageShape shape() {
        return classifier.shape();
      }

      @Override
      public Map<String, Object> identity() {
        return classifier.identity();
      }

      @Override
      public void classify(int[][] inputs, int[] classes) {
        rows.addAndGet(inputs.length);
        classifier.classify(inputs, classes);
      }

      @Override
      public void close() {
        classifier.close();
      }
    };
  }
}
