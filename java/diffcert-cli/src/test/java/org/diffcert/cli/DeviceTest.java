package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A device that is asked for and not there: exit code 4, one sentence, nothing left behind; auto says what it took. */
class DeviceTest {
  @TempDir
  Path directory;

  /** No machine has a thousand GPUs, so this has its case everywhere. */
  @Test
  void cudaWithoutGpuIsExitCode4() {
    for (String device : hasCuda() ? List.of("cuda:999") : List.of("cuda", "cuda:1", "cuda:999", "cuda:0,cuda:1",
        "cuda:all")) {
      Cli cli = Cli.run("certify", "--model", Cli.MODEL, "--data", Cli.DIGITS, "--classifier", "dc", "--sigma", "0.5",
          "--levels", "5", "--grid", "log", "--n0", "2", "--n", "12", "--images", "0:1", "--device", device, "--out",
          directory.resolve("run"));
      assertEquals(4, cli.code(), cli.err());
      assertEquals(1, cli.err().strip().lines().count(), cli.err());
      assertFalse(cli.err().contains("Exception"), cli.err());
      if (!hasCuda()) {
        assertTrue(cli.err().contains("no CUDA driver (") && cli.err().contains("install NVIDIA's driver"), cli.err());
      }
      assertFalse(Files.exists(directory.resolve("run")));
    }
  }

  @Test
  void doctorNamesEveryDevice() {
    String out = Cli.ok("doctor").out();
    for (String word : List.of("java ", "native ", "device    cpu: ", "device    reference: ", "device    cuda",
        "digest ", "GPU kernels ")) {
      assertTrue(out.contains(word), out);
    }
    assertFalse(out.contains("cpu: cpu"), out);
    assertTrue(out.lines().count() <= 24, "one screen: " + out);
  }

  private static boolean hasCuda() {
    return !Cli.ok("doctor").out().lines().filter(line -> line.startsWith("device    cuda")).findFirst().orElseThrow()
        .contains("not available");
  }
}
