package org.diffcert.train;

import org.diffcert.diffusion.Augmentation;
import org.diffcert.diffusion.Augmentation.Part;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.InverseNormal;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Philox;

/**
 * Changes the images of a training, and says in a label what it did. A pure function of the seed, an image's number in
 * the training, and the image (docs/spec/training.md). Immutable, thread-safe.
 */
final class Augmenter {
  /** Index of the training stream. */
  private static final int INDEX = 4;
  private static final int DRAWS = 14;
  /** Of both scalings, log2 a standard deviation. */
  private static final double STRENGTH = 0.2;
  private static final double HALF = 0.5;
  /** Of the shift, as a share of the image's size. */
  private static final double SHIFT = 0.125;

  private final Augmentation what;
  private final ImageShape shape;
  private final long seed;

  Augmenter(Augmentation what, ImageShape shape, long seed) {
    this.what = what;
    this.shape = shape;
    this.seed = seed;
  }

  /**
   * Changes image number k of the training, [C, H, W] in {@code pixels} from place {@code at} on, and writes its label
   * to {@code labels} from place {@code labelAt} on.
   */
  void apply(long k, float[] pixels, int at, float[] labels, int labelAt) {
    Change change = draw(k);
    apply(change, shape, pixels, at);
    double[] label = change.label();
    for (int i = 0; i < label.length; i++) {
      labels[labelAt + i] = (float) label[i];
    }
  }

  /** Changes one image. */
  static void apply(Change change, ImageShape shape, float[] pixels, int at) {
    if (change.acrossX()) {
      flip(shape, pixels, at, true);
    }
    if (change.acrossY()) {
      flip(shape, pixels, at, false);
    }
    if (change.warps()) {
      Warp warp = new Warp(shape.width(), shape.height(), change.source(shape));
      for (int c = 0; c < shape.channels(); c++) {
        warp.apply(pixels, at + c * shape.height() * shape.width());
      }
    }
  }

  /**
   * What is done to an image.
   *
   * @param acrossX left and right exchanged
   * @param acrossY upside down
   * @param scale enlarged by 2^(0.2 scale)
   * @param angle turned by so much, against the clock
   * @param stretch stretched by 2^(0.2 stretch) along the direction, shrunk by it across
   * @param direction of the stretch
   * @param x moved to the right by 0.125 x of the width
   * @param y moved down by 0.125 y of the height
   */
  record Change(boolean acrossX, boolean acrossY, double scale, double angle, double stretch, double direction,
      double x, double y) {
    boolean warps() {
      return scale != 0 || angle != 0 || stretch != 0 || x != 0 || y != 0;
    }

    /** What the network is told, as published; a stretch and its opposite at the opposite direction look the same. */
    double[] label() {
      return new double[] {acrossX ? 1 : 0, acrossY ? 1 : 0, scale, StrictMath.cos(angle) - 1, StrictMath.sin(angle),
        stretch * StrictMath.cos(direction), stretch * StrictMath.sin(direction), x, y};
    }

    /** Where the new image takes its points from: the shift is undone first, then the stretch, the turn, the scale. */
    Affine source(ImageShape shape) {
      double shrink = StrictMath.pow(2, -STRENGTH * scale);
      double along = StrictMath.pow(2, -STRENGTH * stretch);
      return Affine.scale(shrink, shrink)
          .after(Affine.rotation(angle))
          .after(Affine.rotation(-direction))
          .after(Affine.scale(along, 1 / along))
          .after(Affine.rotation(direction))
          .after(Affine.translation(-SHIFT * shape.width() * x, -SHIFT * shape.height() * y));
    }
  }

  /** What is done to image number k. */
  Change draw(long k) {
    long[] bits = new long[DRAWS];
    int[] block = new int[4];
    for (int e = 0; e < DRAWS; e += 2) {
      Philox.block(e / 2, (int) (k >>> 32), (int) k, (NoiseStream.TRAINING.code() << 8) + (INDEX << 16), seed, block);
      bits[e] = (block[0] & 0xffffffffL) | ((long) block[1] << 32);
      bits[e + 1] = (block[2] & 0xffffffffL) | ((long) block[3] << 32);
    }
    boolean moved = chosen(Part.TRANSLATE, bits[11]);
    return new Change(what.parts().contains(Part.XFLIP) && uniform(bits[0]) < HALF,
        chosen(Part.YFLIP, bits[1]) && uniform(bits[2]) < HALF,
        chosen(Part.SCALE, bits[3]) ? InverseNormal.of(bits[4]) : 0,
        chosen(Part.ROTATE, bits[5]) ? angle(bits[6]) : 0,
        chosen(Part.ANISO, bits[7]) ? InverseNormal.of(bits[8]) : 0,
        uniform(bits[9]) < HALF ? angle(bits[10]) : 0,
        moved ? InverseNormal.of(bits[12]) : 0,
        moved ? InverseNormal.of(bits[13]) : 0);
  }

  private boolean chosen(Part part, long bits) {
    return what.parts().contains(part) && uniform(bits) < what.probability();
  }

  private static double uniform(long bits) {
    return (bits >>> 11) * 0x1p-53;
  }

  private static double angle(long bits) {
    return Math.PI * (2 * uniform(bits) - 1);
  }

  private static void flip(ImageShape shape, float[] pixels, int at, boolean across) {
    int width = shape.width();
    int height = shape.height();
    float[] before = new float[shape.elements()];
    System.arraycopy(pixels, at, before, 0, before.length);
    for (int c = 0; c < shape.channels(); c++) {
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          int from = (c * height + (across ? y : height - 1 - y)) * width + (across ? width - 1 - x : x);
          pixels[at + (c * height + y) * width + x] = before[from];
        }
      }
    }
  }
}
