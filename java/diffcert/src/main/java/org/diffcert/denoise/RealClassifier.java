package org.diffcert.denoise;

import java.util.Map;
import org.diffcert.certify.VoteSource;
import org.diffcert.image.ImageShape;

/**
 * A classifier of images whose values are real numbers, as a denoiser gives them. It must be a function of a row: the
 * same class in any batch, at any place, at any time (S12). Several threads may call it.
 */
public interface RealClassifier extends AutoCloseable {
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
   * What identifies it in a run's header.
   *
   * @return an ordered map of strings, numbers, booleans, lists or maps of these
   */
  Map<String, Object> identity();

  /**
   * The rows that one call of the model takes; others are padded to it.
   *
   * @return at least 1
   */
  int batch();

  /**
   * Classifies rows.
   *
   * @param images rows in C,H,W order in EDM space, finite
   * @param from the first row
   * @param to one past the last
   * @param classes receives the class of each row at the row's index, or {@link VoteSource#NO_VOTE} for none
   */
  void classifyReal(float[] images, int from, int to, int[] classes);

  @Override
  void close();
}
