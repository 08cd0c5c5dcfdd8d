package org.diffcert.certify;

import java.util.Map;
import org.diffcert.image.ImageShape;

/**
 * A classifier of one's own behind this library's noise and statistics, through {@link NoisyVotes}. It must be a
 * function: the same input gives the same class in any batch, at any place, at any time (S12), for otherwise there is
 * no one smoothed classifier that a certificate could be about. Scaling, normalisation and everything else belong
 * inside.
 */
public interface BaseClassifier extends AutoCloseable {
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
   * What identifies it in a run's header: digests of its files, its settings; strings, numbers, booleans, lists or maps
   * of these.
   *
   * @return an ordered map
   */
  Map<String, Object> identity();

  /**
   * Classifies a batch of noisy images.
   *
   * @param inputs one row an image, in C,H,W order: pixel plus noise in 1/255 units, integers; without noise 0 to 255,
   *     with noise of a sigma clipped to [-255 k, 255 (k+1)], k = max(1, floor(6 sigma))
   * @param classes receives the class of each row, or {@link VoteSource#NO_VOTE} for none (a value that is not finite,
   *     a failure); such a sample counts against the certificate
   */
  void classify(int[][] inputs, int[] classes);

  @Override
  void close();
}
