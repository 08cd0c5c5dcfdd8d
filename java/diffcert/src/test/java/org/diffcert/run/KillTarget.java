package org.diffcert.run;

import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/** The process that KillTest kills: goes on with a run, saying when it starts and after each image. */
public final class KillTarget {
  private KillTarget() {}

  /**
   * Goes on with a toy run.
   *
   * @param args the run directory, the number of images, milliseconds to sleep after each
   */
  public static void main(String[] args) {
    System.out.println("start");
    long sleepMillis = Long.parseLong(args[2]);
    Toys.goOn(Path.of(args[0]), Integer.parseInt(args[1]), () -> {
      System.out.println("image");
      LockSupport.parkNanos(sleepMillis * 1_000_000);
    });
  }
}
