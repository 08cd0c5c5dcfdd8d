package org.diffcert.certify;

import java.util.Map;
import org.diffcert.image.ImageShape;

/**
 * A classifier that gives every class a score in [0,1], behind this library's integer noise, for {@link SoftCertifier}.
 * It must be a function: the same input gives the same scores in any batch, at any place, at any time (S12).
 */
public interface SoftClassifier extends AutoCloseable {
  /**
   * The number of classes.
   *
   * @return at least 2
   */
  int classes();

  /**
   * The shape of the images it takes.
   *
   * @return the shape
   */
  ImageShape shape();

  /**
   * What identifies it: digests of its files, its settings; strings, numbers, booleans, lists or maps of these.
   *
   * @return an ordered map
   */
  Map<String, Object> identity();

  /**
   * Scores a batch of noisy images.
   *
   * @param inputs one row an image, in C,H,W order, as {@link BaseClassifier#classify} gets them
   * @param scores receives one row an image, a score in [0,1] for each class; a row with any other number counts
   *     against the certificate
   */
  void scores(int[][] inputs, double[][] scores);

  @Override
  void close();
}
