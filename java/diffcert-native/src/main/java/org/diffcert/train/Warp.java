package org.diffcert.train;

/**
 * Resampling of an image under an affine map with little aliasing, as in EDM's augmentation: doubled with the synthesis
 * half of an orthonormal wavelet, read between its pixels by bilinear weights at twice the resolution, and halved with
 * the analysis half, which makes the whole the identity where the map is. Beyond its edges an image is its own
 * reflection. In float64, a function of the image and the map alone (docs/spec/training.md).
 */
final class Warp {
  /** Low-pass filter of Daubechies's least asymmetric wavelet with 6 vanishing moments (sym6). */
  static final double[] LOW_PASS = {0.015404109327027373, 0.0034907120842174702, -0.11799011114819057,
    -0.048311742585633, 0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148};
  /** Pixel i lies at place 2 i of the doubled map; this tap of the filter falls on it. */
  private static final int CENTRE = 5;
  private static final int TAPS = LOW_PASS.length;

  private final int width;
  private final int height;
  private final Affine from;
  /** The doubled map's part that is read: its first column and row, and how many. */
  private final int left;
  private final int top;
  private final int wide;
  private final int high;

  /** from: where, in the image as it was, each point of the new image is taken from. */
  Warp(int width, int height, Affine from) {
    this.width = width;
    this.height = height;
    this.from = from;
    double[] xs = new double[4];
    double[] ys = new double[4];
    for (int corner = 0; corner < 4; corner++) {
      int column = corner % 2 == 0 ? 0 : fine(width) - 1;
      int row = corner / 2 == 0 ? 0 : fine(height) - 1;
      xs[corner] = sourceX(column, row);
      ys[corner] = sourceY(column, row);
    }
    this.left = (int) Math.floor(least(xs));
    this.top = (int) Math.floor(least(ys));
    this.wide = (int) Math.floor(-least(negated(xs))) + 2 - left;
    this.high = (int) Math.floor(-least(negated(ys))) + 2 - top;
  }

  private static double least(double[] values) {
    return Math.min(Math.min(values[0], values[1]), Math.min(values[2], values[3]));
  }

  private static double[] negated(double[] values) {
    return new double[] {-values[0], -values[1], -values[2], -values[3]};
  }

  /** Places of the doubled new image that halving reads, from place -CENTRE on. */
  private static int fine(int size) {
    return 2 * (size - 1) + TAPS;
  }

  private double centred(int place, int size) {
    return (place - CENTRE) / 2.0 - (size - 1) / 2.0;
  }

  /** The place in the doubled old image that a place of the doubled new one is taken from. */
  private double sourceX(int column, int row) {
    return 2 * from.x(centred(column, width), centred(row, height)) + (width - 1);
  }

  private double sourceY(int column, int row) {
    return 2 * from.y(centred(column, width), centred(row, height)) + (height - 1);
  }

  /** Warps one channel, [height, width] in {@code pixels} from place {@code at} on. */
  void apply(float[] pixels, int at) {
    double[] doubled = doubled(pixels, at);
    int columns = fine(width);
    int rows = fine(height);
    double[] read = new double[rows * columns];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        double x = sourceX(column, row) - left;
        double y = sourceY(column, row) - top;
        int i = (int) x;
        int j = (int) y;
        double u = x - i;
        double v = y - j;
        int corner = j * wide + i;
        read[row * columns + column] = (1 - v) * ((1 - u) * doubled[corner] + u * doubled[corner + 1])
            + v * ((1 - u) * doubled[corner + wide] + u * doubled[corner + wide + 1]);
      }
    }
    double[] narrow = new double[rows * width];
    for (int row = 0; row < rows; row++) {
      for (int x = 0; x < width; x++) {
        double sum = 0;
        for (int k = 0; k < TAPS; k++) {
          sum += LOW_PASS[k] * read[row * columns + 2 * x + k];
        }
        narrow[row * width + x] = sum;
      }
    }
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        double sum = 0;
        for (int k = 0; k < TAPS; k++) {
          sum += LOW_PASS[k] * narrow[(2 * y + k) * width + x];
        }
        pixels[at + y * width + x] = (float) sum;
      }
    }
  }

  /** The part of the doubled image that is read, [high, wide]: zeros between the pixels, then the filter. */
  private double[] doubled(float[] pixels, int at) {
    double[] broad = new double[height * wide];
    for (int column = 0; column < wide; column++) {
      int place = left + column;
      for (int i = Math.floorDiv(place + CENTRE - TAPS + 2, 2); 2 * i <= place + CENTRE; i++) {
        double tap = LOW_PASS[place + CENTRE - 2 * i];
        int x = reflected(i, width);
        for (int y = 0; y < height; y++) {
          broad[y * wide + column] += tap * pixels[at + y * width + x];
        }
      }
    }
    double[] doubled = new double[high * wide];
    for (int row = 0; row < high; row++) {
      int place = top + row;
      for (int i = Math.floorDiv(place + CENTRE - TAPS + 2, 2); 2 * i <= place + CENTRE; i++) {
        double tap = LOW_PASS[place + CENTRE - 2 * i];
        int y = reflected(i, height);
        for (int column = 0; column < wide; column++) {
          doubled[row * wide + column] += tap * broad[y * wide + column];
        }
      }
    }
    return doubled;
  }

  /** The pixel that stands at i, the outermost pixels being the mirrors. */
  static int reflected(int i, int size) {
    if (size == 1) {
      return 0;
    }
    int place = Math.floorMod(i, 2 * (size - 1));
    return place < size ? place : 2 * (size - 1) - place;
  }
}
