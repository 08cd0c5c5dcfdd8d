package org.diffcert.train;

import org.diffcert.DiffcertException;

/**
 * How long a training goes on, how often it is stored, and what it shows of itself: nothing that changes a step.
 *
 * @param steps it ends after so many steps in all, 0 = no such limit
 * @param seconds it ends after so long, all its sessions together; 0 = no such limit
 * @param checkpointSteps a checkpoint after so many steps, 0 = by time alone
 * @param checkpointSeconds a checkpoint after so long, above 0
 * @param sampleRows images a class in {@code samples.png}, which is drawn in the end and now and then at a checkpoint;
 *     0 = none, at most {@link #MOST_SAMPLE_ROWS}
 */
public record TrainLimits(long steps, double seconds, long checkpointSteps, double checkpointSeconds, int sampleRows) {
  /** The most images a class. */
  public static final int MOST_SAMPLE_ROWS = 100;

  /**
   * Checks the ranges.
   *
   * @param steps it ends after so many steps in all, 0 = no such limit
   * @param seconds it ends after so long, all its sessions together; 0 = no such limit
   * @param checkpointSteps a checkpoint after so many steps, 0 = by time alone
   * @param checkpointSeconds a checkpoint after so long, above 0
   * @param sampleRows images a class in {@code samples.png}, 0 = none
   * @throws DiffcertException of kind USAGE if a value is out of its range, or there is no limit at all
   */
  public TrainLimits {
    if (steps < 0 || !(seconds >= 0) || checkpointSteps < 0 || !(checkpointSeconds > 0)) {
      throw DiffcertException.usage("the limits of a training must not be negative, and checkpoints need a time "
          + "above 0");
    }
    if (sampleRows < 0 || sampleRows > MOST_SAMPLE_ROWS) {
      throw DiffcertException.usage("a training draws 0 to " + MOST_SAMPLE_ROWS + " images a class, not " + sampleRows);
    }
    if (steps == 0 && seconds == 0) {
      throw DiffcertException.usage("a training needs an end: a number of steps, or of minutes");
    }
  }

  /** Whether a training that is so far has come to its end. */
  boolean reached(long stepsDone, double secondsSpent) {
    return steps > 0 && stepsDone >= steps || seconds > 0 && secondsSpent >= seconds;
  }

  /**
   * How far a training is.
   *
   * @param stepsDone steps made
   * @param secondsSpent seconds spent, in all sessions
   * @return 0 to 1, by the limit that is nearer
   */
  public double share(long stepsDone, double secondsSpent) {
    double bySteps = steps > 0 ? (double) stepsDone / steps : 0;
    double byTime = seconds > 0 ? secondsSpent / seconds : 0;
    return Math.min(1, Math.max(bySteps, byTime));
  }
}
