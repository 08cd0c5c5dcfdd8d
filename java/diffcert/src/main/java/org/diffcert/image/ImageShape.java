package org.diffcert.image;

/**
 * The shape of an image, channels first.
 *
 * @param channels 1 (grey) or 3 (red, green, blue)
 * @param height rows
 * @param width columns
 */
public record ImageShape(int channels, int height, int width) {
  /**
   * Checks that each extent is positive and the product fits an array.
   *
   * @param channels 1 (grey) or 3 (red, green, blue)
   * @param height rows
   * @param width columns
   */
  public ImageShape {
    if (channels < 1 || height < 1 || width < 1 || (long) channels * height * width > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException("no image has shape " + channels + "x" + height + "x" + width);
    }
  }

  /**
   * The number of values, the dimension d of the certificate's space.
   *
   * @return channels * height * width
   */
  public int elements() {
    return channels * height * width;
  }

  @Override
  public String toString() {
    return channels + "x" + height + "x" + width;
  }
}
