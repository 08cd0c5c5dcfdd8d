package org.diffcert.image;

import java.util.Arrays;

/** A uint8 image in C,H,W order: the only form in which an image enters certification (S1). Immutable, thread-safe. */
public final class ByteImage {
  private final ImageShape shape;
  private final byte[] pixels;

  /**
   * Copies the pixels.
   *
   * @param shape the shape
   * @param pixels unsigned bytes in C,H,W order, as many as the shape has elements
   */
  public ByteImage(ImageShape shape, byte[] pixels) {
    if (pixels.length != shape.elements()) {
      throw new IllegalArgumentException(pixels.length + " bytes are not an image of shape " + shape);
    }
    this.shape = shape;
    this.pixels = pixels.clone();
  }

  /**
   * The shape.
   *
   * @return channels, height, width
   */
  public ImageShape shape() {
    return shape;
  }

  /**
   * One value.
   *
   * @param index position in C,H,W order
   * @return 0 to 255
   */
  public int get(int index) {
    return pixels[index] & 0xff;
  }

  /**
   * A copy of the pixels.
   *
   * @return unsigned bytes in C,H,W order
   */
  public byte[] toBytes() {
    return pixels.clone();
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof ByteImage other && shape.equals(other.shape) && Arrays.equals(pixels, other.pixels);
  }

  @Override
  public int hashCode() {
    return 31 * shape.hashCode() + Arrays.hashCode(pixels);
  }
}
