package org.diffcert.image;

/**
 * Brings planes of values from one size to another: first along rows, then along columns, each output value the
 * weighted mean of the input values under the filter, which is cut off and normalised anew at the edges. Sums run in
 * float64 in the order of the input, so that a result is a function of the plane alone, the same on every machine; it
 * is rounded once, to float32. Nothing is clamped: a cubic filter overshoots. Immutable, thread-safe.
 */
public final class Resizer {
  private final Axis rows;
  private final Axis columns;

  /**
   * A resizer for planes of one size.
   *
   * @param height rows of the input, at least 1
   * @param width columns of the input, at least 1
   * @param toHeight rows of the output, at least 1
   * @param toWidth columns of the output, at least 1
   * @param filter the filter
   * @throws IllegalArgumentException if an extent is not positive
   */
  public Resizer(int height, int width, int toHeight, int toWidth, Resampling filter) {
    this.rows = new Axis(height, toHeight, filter);
    this.columns = new Axis(width, toWidth, filter);
  }

  /**
   * Resizes one plane.
   *
   * @param in holds the plane, row by row
   * @param from where it begins
   * @param out takes the result, row by row
   * @param to where that begins
   * @throws IndexOutOfBoundsException if an array is too short
   */
  public void resize(float[] in, int from, float[] out, int to) {
    double[] narrow = new double[rows.size * columns.toSize];
    for (int y = 0; y < rows.size; y++) {
      for (int x = 0; x < columns.toSize; x++) {
        double sum = 0;
        int first = from + y * columns.size + columns.first[x];
        double[] weights = columns.weights[x];
        for (int k = 0; k < weights.length; k++) {
          sum += weights[k] * in[first + k];
        }
        narrow[y * columns.toSize + x] = sum;
      }
    }
    for (int y = 0; y < rows.toSize; y++) {
      for (int x = 0; x < columns.toSize; x++) {
        double sum = 0;
        int first = rows.first[y] * columns.toSize + x;
        double[] weights = rows.weights[y];
        for (int k = 0; k < weights.length; k++) {
          sum += weights[k] * narrow[first + k * columns.toSize];
        }
        out[to + y * columns.toSize + x] = (float) sum;
      }
    }
  }

  /** One direction: of each output value the first input value and the weights from there on. */
  private static final class Axis {
    private final int size;
    private final int toSize;
    private final int[] first;
    private final double[][] weights;

    Axis(int size, int toSize, Resampling filter) {
      if (size < 1 || toSize < 1) {
        throw new IllegalArgumentException("no image has an extent of " + Math.min(size, toSize));
      }
      this.size = size;
      this.toSize = toSize;
      this.first = new int[toSize];
      this.weights = new double[toSize][];
      double scale = (double) size / toSize;
      double stretch = Math.max(1, scale);
      double reach = filter.support() * stretch;
      for (int i = 0; i < toSize; i++) {
        double centre = (i + 0.5) * scale; // values sit at the middle of their pixels
        int begin = Math.max(0, (int) (centre - reach + 0.5));
        int end = Math.min(size, (int) (centre + reach + 0.5));
        double[] row = new double[end - begin];
        double sum = 0;
        for (int k = 0; k < row.length; k++) {
          row[k] = filter.weight((begin + k + 0.5 - centre) / stretch);
          sum += row[k];
        }
        for (int k = 0; k < row.length; k++) {
          row[k] /= sum;
        }
        first[i] = begin;
        weights[i] = row;
      }
    }
  }
}
