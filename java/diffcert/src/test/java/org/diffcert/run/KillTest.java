package org.diffcert.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process killed (SIGKILL) at 20 random moments and restarted each time writes the log that an undisturbed one
 * writes.
 */
class KillTest {
  private static final int KILLS = 20;
  private static final int IMAGES = 400;
  private static final int SLEEP_MILLIS = 10;

  @Test
  void killedTwentyTimesEqualsUndisturbed(@TempDir Path temp) throws Exception {
    Toys.goOn(temp.resolve("undisturbed"), IMAGES);
    String wanted = Toys.withoutTimes(Files.readString(temp.resolve("undisturbed").resolve(RunLog.FILE)));

    long seed = Long.getLong("killSeed", System.nanoTime());
    System.out.println("KillTest: -DkillSeed=" + seed);
    Random random = new Random(seed);
    Path killed = temp.resolve("killed");
    int alive = 0;
    for (int i = 0; i < KILLS; i++) {
      Process process = start(killed);
      // Some are killed while the JVM starts, some while the log is being opened, most while images are certified.
      String waitFor = i % 5 == 0 ? "" : i % 5 == 1 ? "start" : "start\nimage";
      byte[] said = process.getInputStream().readNBytes(waitFor.length());
      assertEquals(waitFor, new String(said, StandardCharsets.US_ASCII));
      if (!process.waitFor(random.nextInt(250), TimeUnit.MILLISECONDS)) {
        alive++;
      }
      process.destroyForcibly().waitFor();
    }
    assertEquals(KILLS, alive, "the run ended before it had been killed often enough");
    long done = Files.readString(killed.resolve(RunLog.FILE)).lines().count() - 1;
    assertTrue(done > 0 && done < IMAGES, done + " images were done by then");
    Process last = start(killed);
    last.getInputStream().readAllBytes();
    assertEquals(0, last.waitFor());

    assertEquals(wanted, Toys.withoutTimes(Files.readString(killed.resolve(RunLog.FILE))));
    assertEquals(IMAGES, Verify.run(killed).images());
  }

  private static Process start(Path directory) throws IOException {
    String path = String.join(File.pathSeparator, "target/test-classes", "target/classes",
        System.getProperty("jdk.module.path", ""), System.getProperty("java.class.path", ""));
    return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", path, KillTarget.class.getName(),
        directory.toString(), String.valueOf(IMAGES), String.valueOf(SLEEP_MILLIS)).redirectErrorStream(true).start();
  }
}
