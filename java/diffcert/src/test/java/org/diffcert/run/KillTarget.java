package org.diffcert.run;

import java.nio.file.Path;

/** The process that KillTest kills: goes on with a run, saying when it has begun to. */
public final class KillTarget {
  private KillTarget() {}

  /**
   * Goes on with a toy run.
   *
   * @param args the run directory, the number of images, milliseconds to sleep after each
   * @throws InterruptedException never
   */
  public static void main(String[] args) throws InterruptedException {
    System.out.println("started");
    Toys.goOn(Path.of(args[0]), Integer.parseInt(args[1]), Long.parseLong(args[2]));
  }
}
