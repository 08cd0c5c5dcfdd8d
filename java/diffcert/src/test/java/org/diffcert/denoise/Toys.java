package org.diffcert.denoise;

import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.IntConsumer;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;

/** Denoisers and classifiers whose answers are a formula. */
final class Toys {
  private Toys() {}

  /** What a denoiser makes of one value at a level. */
  interface Shrink {
    double at(double x, double level);
  }

  /** A denoiser that works on each value alone, with levels in equal steps; a variance for all values, or none. */
  record Values(ImageShape shape, Shrink shrink, Double variance, boolean takesAnyLevel) implements Denoiser {
    static Values of(int side, Shrink shrink) {
      return new Values(new ImageShape(1, side, side), shrink, null, true);
    }

    @Override
    public Map<String, Object> identity() {
      return Map.of("toy", "values");
    }

    @Override
    public double[] levels(Sigma sigma, int steps) {
      double[] levels = new double[steps];
      for (int i = 0; i < steps; i++) {
        levels[i] = sigma.edm() * (steps - i) / steps;
      }
      return levels;
    }

    @Override
    public Estimate denoise(float[] x, double level) {
      float[] images = new float[x.length];
      float[] where = variance == null ? null : new float[x.length];
      for (int i = 0; i < x.length; i++) {
        images[i] = (float) shrink.at(x[i], level);
        if (where != null) {
          where[i] = variance.floatValue();
        }
      }
      return new Estimate(images, where);
    }

    @Override
    public void close() {}
  }

  /** A denoiser that tells how many values each call has, and that it is closed. */
  record Told(Denoiser inner, IntConsumer called, Runnable closed) implements Denoiser {
    @Override
    public ImageShape shape() {
      return inner.shape();
    }

    @Override
    public boolean takesAnyLevel() {
      return inner.takesAnyLevel();
    }

    @Override
    public Map<String, Object> identity() {
      return inner.identity();
    }

    @Override
    public double[] levels(Sigma sigma, int steps) {
      return inner.levels(sigma, steps);
    }

    @Override
    public Estimate denoise(float[] x, double level) {
      called.accept(x.length);
      return inner.denoise(x, level);
    }

    @Override
    public void close() {
      closed.run();
    }
  }

  /** A classifier that cannot be closed. */
  record Stuck(RealClassifier inner) implements RealClassifier {
    @Override
    public ImageShape shape() {
      return inner.shape();
    }

    @Override
    public int classes() {
      return inner.classes();
    }

    @Override
    public Map<String, Object> identity() {
      return inner.identity();
    }

    @Override
    public int batch() {
      return inner.batch();
    }

    @Override
    public void classifyReal(float[] images, int from, int to, int[] result) {
      inner.classifyReal(images, from, to, result);
    }

    @Override
    public void close() {
      throw new IllegalStateException("stuck");
    }
  }

  /** The class is a function of an image's sum, in some number of classes. */
  record OfSum(ImageShape shape, int classes, DoubleUnaryOperator classOf) implements RealClassifier {
    /** Class 1 if the sum is above 0. */
    static OfSum sign(int side) {
      return new OfSum(new ImageShape(1, side, side), 2, sum -> sum > 0 ? 1 : 0);
    }

    /** Bands of equal width across the sum, over and over: neighbouring images have other classes. */
    static OfSum bands(int side, int classes, double width) {
      return new OfSum(new ImageShape(1, side, side), classes,
          sum -> Math.floorMod((long) Math.floor(sum / width), classes));
    }

    @Override
    public Map<String, Object> identity() {
      return Map.of("toy", "of sum");
    }

    @Override
    public int batch() {
      return 7;
    }

    @Override
    public void classifyReal(float[] images, int from, int to, int[] result) {
      int elements = shape.elements();
      for (int row = from; row < to; row++) {
        double sum = 0;
        for (int e = row * elements; e < (row + 1) * elements; e++) {
          sum += images[e];
        }
        result[row] = (int) classOf.applyAsDouble(sum);
      }
    }

    @Override
    public void close() {}
  }
}
