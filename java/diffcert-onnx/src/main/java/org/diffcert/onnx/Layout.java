package org.diffcert.onnx;

import org.diffcert.DiffcertException;
import org.diffcert.Named;
import org.diffcert.image.ImageShape;

/** In which order a model reads the elements of an image. Images of this library are in C,H,W order. */
public enum Layout implements Named {
  /** Batch, channel, row, column. */
  NCHW("nchw"),
  /** Batch, row, column, channel. */
  NHWC("nhwc");

  private final String cliName;

  Layout(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The layout of a name.
   *
   * @param name nchw or nhwc
   * @return the layout
   * @throws DiffcertException of kind USAGE if there is none of that name
   */
  public static Layout of(String name) {
    return Named.find(values(), name, "layout");
  }

  /** The image's shape in a model's input of rank 4. */
  ImageShape shape(long[] dimensions) {
    int[] d = new int[4];
    for (int i = 1; i < 4; i++) {
      d[i] = Math.toIntExact(dimensions[i]);
    }
    return this == NCHW ? new ImageShape(d[1], d[2], d[3]) : new ImageShape(d[3], d[1], d[2]);
  }

  /** A batch's shape as the model has it. */
  long[] dimensions(int batch, ImageShape shape) {
    return this == NCHW ? new long[] {batch, shape.channels(), shape.height(), shape.width()}
        : new long[] {batch, shape.height(), shape.width(), shape.channels()};
  }
}
