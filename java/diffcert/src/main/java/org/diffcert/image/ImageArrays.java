package org.diffcert.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;

/** A labelled set of images in memory: what every reader makes. Immutable, thread-safe. */
final class ImageArrays implements ImageData {
  private final String name;
  private final ImageShape shape;
  private final List<String> classNames;
  private final int[] labels;
  private final byte[] pixels;

  /**
   * Keeps the arrays: the caller gives them away. Labels are in range, pixels are labels.length * shape.elements()
   * bytes in N,C,H,W order.
   */
  ImageArrays(String name, ImageShape shape, List<String> classNames, int[] labels, byte[] pixels) {
    if ((long) labels.length * shape.elements() != pixels.length) {
      throw new IllegalArgumentException(labels.length + " labels and " + pixels.length
          + " bytes are not a set of images of shape " + shape);
    }
    this.name = name;
    this.shape = shape;
    this.classNames = List.copyOf(classNames);
    this.labels = labels;
    this.pixels = pixels;
  }

  @Override
  public int size() {
    return labels.length;
  }

  @Override
  public ImageShape shape() {
    return shape;
  }

  @Override
  public List<String> classNames() {
    return classNames;
  }

  @Override
  public ByteImage image(int index) {
    int from = Math.multiplyExact(checked(index), shape.elements());
    return new ByteImage(shape, Arrays.copyOfRange(pixels, from, from + shape.elements()));
  }

  @Override
  public int label(int index) {
    return labels[checked(index)];
  }

  private int checked(int index) {
    return Objects.checkIndex(index, labels.length);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String digest() {
    MessageDigest sha;
    try {
      sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
    sha.update("diffcert images 1\n".getBytes(StandardCharsets.US_ASCII));
    sha.update(littleEndian(labels.length, shape.channels(), shape.height(), shape.width()));
    for (int label : labels) {
      sha.update(littleEndian(label));
    }
    return HexFormat.of().formatHex(sha.digest(pixels));
  }

  private static byte[] littleEndian(int... values) {
    ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      buffer.putInt(value);
    }
    return buffer.array();
  }

  /** Nothing is held but memory. */
  @Override
  public void close() {}
}
