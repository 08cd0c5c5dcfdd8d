package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The driver as it stands in the provenance of a run. */
class DeviceDriverTest {
  @Test
  void isReadFromWhatTheKernelModuleSaysInBothItsForms(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("version");
    Files.writeString(file, "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n"
        + "GCC version:  gcc version 12.2.0\n");
    assertEquals("NVIDIA 535.104.05", Device.nvidiaDriver(file));
    Files.writeString(file, "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  Release Build\n");
    assertEquals("NVIDIA 550.54.14", Device.nvidiaDriver(file));
    Files.writeString(file, "something else\n");
    assertEquals("NVIDIA, of unknown version", Device.nvidiaDriver(file));
    assertEquals("NVIDIA, of unknown version", Device.nvidiaDriver(directory.resolve("absent")));
  }

  @Test
  void aCpuHasNone() {
    assertEquals("", Device.CPU.driver());
    assertEquals("", Device.REFERENCE.driver());
  }
}
