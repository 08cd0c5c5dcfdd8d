package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM at a process of its own: exit code 5 and one sentence, whatever it was doing. */
class StopSignalTest {
  /** How often a signal may come too late on a machine with other work. */
  private static final int LATE = 5;

  @TempDir
  Path directory;

  /**
   * The device is named before the network is read, which takes longer than a signal does unless this test is held up.
   */
  @Test
  void whileTheModelIsBeingLoaded() throws Exception {
    String sentence = stopped("device ", "run");
    for (int late = 0; late < LATE && sentence.contains("images done"); late++) {
      sentence = stopped("device ", "run" + late);
    }
    assertEquals("diffcert: stopped by a signal; nothing was begun that could be gone on with", sentence);
  }

  @Test
  void whileImagesAreBeingCertified() throws Exception {
    String sentence = stopped("image ", "run");
    String wanted = "diffcert: stopped with [1-9][0-9]* of 1000 images done; the same command goes on from there";
    assertTrue(sentence.matches(wanted), sentence);
    assertTrue(Cli.ok("verify", directory.resolve("run")).out().contains("images of the run are not done yet"));
    assertTrue(Files.exists(directory.resolve("run/report.html")), "what is done has a report");
  }

  /** Sends the signal when a line begins so; gives back what was said on standard error. */
  private String stopped(String line, String run) throws IOException, InterruptedException {
    String path = String.join(File.pathSeparator, "target/classes", System.getProperty("jdk.module.path", ""),
        System.getProperty("java.class.path", ""));
    List<String> command = new ArrayList<>(List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xshare:auto", "-cp", path,
        "-Dorg.bytedeco.javacpp.cachedir=" + System.getProperty("org.bytedeco.javacpp.cachedir"),
        Main.class.getName()));
    command.addAll(List.of("certify", "--model", Cli.MODEL, "--data", Cli.DIGITS, "--classifier", "epndc", "--sigma",
        "0.25", "--levels", "5", "--grid", "log", "--n0", "2", "--n", "12", "--seed", "7", "--device", "cpu", "--out",
        directory.resolve(run).toString()));
    Path err = directory.resolve("err");
    Process process = new ProcessBuilder(command).redirectError(err.toFile()).start();
    try (BufferedReader out = process.inputReader()) {
      String said = out.readLine();
      while (said != null && !said.startsWith(line)) {
        said = out.readLine();
      }
      process.destroy();
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it did not stop");
    } finally {
      process.destroyForcibly();
    }
    assertEquals(5, process.exitValue(), Files.readString(err));
    return Files.readString(err).strip();
  }
}
