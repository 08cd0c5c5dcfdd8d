package org.diffcert.train;

/** What a training tells while it goes on; called on the thread that trains. */
public interface TrainListener {
  /**
   * The training begins, or goes on from a checkpoint.
   *
   * @param steps steps made before
   * @param images images seen before
   * @param seconds seconds spent before
   */
  void started(long steps, long images, double seconds);

  /**
   * A step was made.
   *
   * @param steps steps made in all
   * @param images images seen in all
   * @param loss the step's loss
   * @param seconds seconds spent in all sessions
   */
  void stepDone(long steps, long images, double loss, double seconds);

  /**
   * Something that a person should know.
   *
   * @param sentence what
   */
  void note(String sentence);
}
