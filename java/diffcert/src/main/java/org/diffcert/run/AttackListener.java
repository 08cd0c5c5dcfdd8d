package org.diffcert.run;

/** Told how an attack's run goes on. Called on the thread that runs it; every method may be left as it is. */
public interface AttackListener {
  /**
   * The run begins or goes on.
   *
   * @param done records that are there already
   */
  default void started(int done) {}

  /**
   * A record is on the disk.
   *
   * @param record what was found
   * @param done how much of the plan is done, 0 to 1; images that are wrong as they are count as attacked
   */
  default void recorded(AttackRecord record, double done) {}
}
