package org.diffcert.certify;

import org.diffcert.noise.Phase;

/** Told how far an image has come. Called on the thread that certifies, between calls of the vote source. */
@FunctionalInterface
public interface ProgressListener {
  /** Listens to nothing. */
  ProgressListener NONE = (phase, done, total) -> { };

  /**
   * Some more samples have voted.
   *
   * @param phase what they were for
   * @param done samples of the phase so far
   * @param total samples of the phase in all
   */
  void samples(Phase phase, int done, int total);
}
