package org.diffcert.image;

import java.util.List;

/** A labelled set of uint8 images, read at random by index. Implementations are thread-safe. */
public interface ImageData extends AutoCloseable {
  /**
   * The number of images.
   *
   * @return at least 0
   */
  int size();

  /**
   * The shape that all images share.
   *
   * @return the shape
   */
  ImageShape shape();

  /**
   * The class names, in label order; their number is the number of classes.
   *
   * @return the names
   */
  List<String> classNames();

  /**
   * One image.
   *
   * @param index 0 to size()-1; also the image id of the noise counters
   * @return the image
   */
  ByteImage image(int index);

  /**
   * The label of one image.
   *
   * @param index 0 to size()-1
   * @return 0 to classNames().size()-1
   */
  int label(int index);

  /**
   * What identifies the data: the specification as given, without machine paths.
   *
   * @return for example {@code mnist:test}
   */
  String name();

  /**
   * SHA-256 over shape, labels and pixels of all images, in hex; the same for the same images however they are stored.
   *
   * @return 64 hex digits
   */
  String digest();

  @Override
  void close();
}
