package org.diffcert.attack;

import java.util.Map;
import java.util.Random;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;

/** Nearest of a few random centres, its gradients in closed form; a draw may move the image by noise. */
public class ToyTarget implements AttackTarget {
  public static final ImageShape SHAPE = new ImageShape(1, 6, 5);
  public static final int CLASSES = 4;
  private static final double SCALE = 5;

  private final double[][] centres = new double[CLASSES][SHAPE.elements()];
  private final double noise;
  private final boolean differentiable;

  /** Draws move the image by normal noise of this size; 0 for none. */
  public ToyTarget(double noise, boolean differentiable) {
    Random random = new Random(3);
    for (double[] centre : centres) {
      for (int e = 0; e < centre.length; e++) {
        centre[e] = random.nextDouble();
      }
    }
    this.noise = noise;
    this.differentiable = differentiable;
  }

  /** The image of a class: its centre on the 8-bit grid. */
  public ByteImage centre(int k) {
    byte[] pixels = new byte[SHAPE.elements()];
    for (int e = 0; e < pixels.length; e++) {
      pixels[e] = (byte) Math.round(255 * centres[k][e]);
    }
    return new ByteImage(SHAPE, pixels);
  }

  /** The distance of a class's centre to the nearest boundary: half of that to the nearest other centre. */
  public double margin(int k) {
    double least = Double.POSITIVE_INFINITY;
    for (int other = 0; other < CLASSES; other++) {
      double squares = 0;
      for (int e = 0; e < centres[k].length; e++) {
        squares += Math.pow(centres[k][e] - centres[other][e], 2);
      }
      least = other == k ? least : Math.min(least, Math.sqrt(squares) / 2);
    }
    return least;
  }

  private double[] moved(double[] x, int imageId, int draw) {
    double[] moved = x.clone();
    double[] normals = noise == 0 ? new double[x.length]
        : new NoiseKey(9, imageId, Phase.PREDICT, draw).normals(NoiseStream.LEVEL, 0, x.length);
    for (int e = 0; e < x.length; e++) {
      moved[e] += noise * normals[e];
    }
    return moved;
  }

  @Override
  public int classes() {
    return CLASSES;
  }

  @Override
  public ImageShape shape() {
    return SHAPE;
  }

  @Override
  public Map<String, Object> identity() {
    return Map.of("kind", "toy");
  }

  @Override
  public boolean isDifferentiable() {
    return differentiable;
  }

  @Override
  public boolean isRandom() {
    return noise > 0;
  }

  @Override
  public double[] logits(double[] x, int imageId, int draw) {
    double[] at = moved(x, imageId, draw);
    double[] logits = new double[CLASSES];
    for (int k = 0; k < CLASSES; k++) {
      for (int e = 0; e < at.length; e++) {
        logits[k] -= SCALE * (at[e] - centres[k][e]) * (at[e] - centres[k][e]);
      }
    }
    return logits;
  }

  @Override
  public Pull pull(double[] x, int imageId, int draw, Cotangent cotangent) {
    double[] at = moved(x, imageId, draw);
    double[] logits = logits(x, imageId, draw);
    double[] a = cotangent.of(logits);
    double[] gradient = new double[at.length];
    for (int k = 0; k < CLASSES; k++) {
      for (int e = 0; e < at.length; e++) {
        gradient[e] -= 2 * SCALE * a[k] * (at[e] - centres[k][e]);
      }
    }
    return new Pull(logits, gradient);
  }

  @Override
  public void close() {}
}
