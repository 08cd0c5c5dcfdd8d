package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Looks inside the packaged jar and loads the natives out of it, in a JVM of its own with an empty cache. */
class PackagedJarIT {
  private static final Path JAR = Path.of(System.getProperty("jar"));
  private static final String FOLDER = "org/diffcert/diffusion/jni/linux-x86_64/";

  @Test
  void nativesAreFoundInTheJar(@TempDir Path cache) throws Exception {
    String path = String.join(":", "target/test-classes", JAR.toString(),
        System.getProperty("java.class.path", ""), System.getProperty("jdk.module.path", ""));
    Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Dorg.bytedeco.javacpp.cachedir=" + cache.resolve("new"), "-cp", path, NativeLibraryTest.Probe.class.getName())
        .redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertTrue(output.startsWith("LOADED " + cache.resolve("new").toRealPath()), output);
    assertTrue(output.matches("(?s).*diffcert-native-[0-9a-f]{16}/libdiffcert.so\\s*"), output);
    assertEquals("rwx------",
        java.nio.file.attribute.PosixFilePermissions.toString(Files.getPosixFilePermissions(cache.resolve("new"))));
  }

  @Test
  void theLibrariesNeedOnlyTheSystemAndEachOther(@TempDir Path dir) throws Exception {
    try (ZipFile zip = new ZipFile(JAR.toFile())) {
      for (String name : List.of("libdiffcert.so", "libjniDiffcertAbi.so")) {
        Path file = dir.resolve(name);
        try (InputStream in = zip.getInputStream(zip.getEntry(FOLDER + name))) {
          Files.copy(in, file);
        }
        Process process = new ProcessBuilder("readelf", "-hd", file.toString()).redirectErrorStream(true).start();
        String elf = new String(process.getInputStream().readAllBytes());
        assertTrue(elf.contains("X86-64"), elf);
        for (String line : elf.lines().filter(l -> l.contains("(NEEDED)")).toList()) {
          assertTrue(line.matches(".*\\[(libdiffcert|libstdc\\+\\+|libgcc_s|libc|libm|ld-linux-x86-64)\\.so.*\\]"),
              line);
        }
        for (String line : elf.lines().filter(l -> l.contains("RPATH") || l.contains("RUNPATH")).toList()) {
          assertTrue(line.contains("[$ORIGIN/]"), "a path of the build machine: " + line);
        }
        assertFalse(new String(Files.readAllBytes(file), java.nio.charset.StandardCharsets.ISO_8859_1)
            .contains(Path.of("").toAbsolutePath().toString()), name + " holds the path of the checkout");
      }
    }
  }
}
