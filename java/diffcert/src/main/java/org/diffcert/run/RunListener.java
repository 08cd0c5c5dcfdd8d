package org.diffcert.run;

import org.diffcert.certify.ProgressListener;
import org.diffcert.noise.Phase;

/** Told how a run goes on. Called on the thread that runs it; every method may be left as it is. */
public interface RunListener extends ProgressListener {
  /** Listens to nothing. */
  RunListener NONE = new RunListener() { };

  /**
   * The run begins or goes on.
   *
   * @param done images that have a record already
   * @param total images of the run
   */
  default void started(int done, int total) {}

  @Override
  default void samples(Phase phase, int done, int total) {}

  /**
   * An image is certified and on the disk.
   *
   * @param record what was found
   * @param done images that have a record
   * @param total images of the run
   */
  default void imageDone(RunRecord record, int done, int total) {}
}
