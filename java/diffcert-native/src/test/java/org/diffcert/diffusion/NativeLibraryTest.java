package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.jni.DiffcertAbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Loading of the native core: the status table, the ABI number, the sources of the library, and the sentences when it
 * fails.
 */
class NativeLibraryTest {
  private static final Path HEADER = Path.of("../../native/include/diffcert/diffcert.h");
  private static final Path BUILT = Path.of("target/classes/org/diffcert/diffusion/jni/linux-x86_64").toAbsolutePath();

  @Test
  void statusesAreThoseOfTheHeader() throws IOException {
    String header = Files.readString(HEADER);
    String body = header.substring(header.indexOf("typedef enum dc_status {"), header.indexOf("} dc_status;"));
    Map<String, Integer> c = new TreeMap<>();
    Matcher line = Pattern.compile("DC_([A-Z_]+) = (\\d+)").matcher(body);
    while (line.find()) {
      c.put(line.group(1), Integer.parseInt(line.group(2)));
    }
    Map<String, Integer> java = new TreeMap<>();
    for (NativeStatus status : NativeStatus.values()) {
      java.put(status.name(), status.code());
      assertEquals(status, NativeStatus.of(status.code()));
    }
    assertTrue(c.size() >= 7, "the header's enum was not understood: " + c);
    assertEquals(c, java);
    assertEquals(NativeStatus.INTERNAL, NativeStatus.of(-5));
  }

  @Test
  void aVersionThatDiffersNamesBothNumbers() {
    NativeLibrary.checkVersion(3, 3);
    DiffcertException e = assertThrows(DiffcertException.class, () -> NativeLibrary.checkVersion(41, 7));
    assertEquals(DiffcertException.Kind.DEVICE, e.kind());
    assertTrue(e.getMessage().contains("41") && e.getMessage().contains("7"), e.getMessage());
  }

  @Test
  void theBuildSaysWhatItIs() {
    assertTrue(NativeLibrary.buildDigest().matches("[0-9a-f]{16}"), NativeLibrary.buildDigest());
    assertTrue(NativeLibrary.buildInfo().startsWith("diffcert native "), NativeLibrary.buildInfo());
    assertTrue(Files.exists(Path.of(NativeLibrary.location())), NativeLibrary.location());
  }

  @Test
  void devicesDescribeThemselves() {
    assertTrue(Device.CPU.describe().startsWith("cpu: "), Device.CPU.describe());
    assertTrue(Device.REFERENCE.describe().contains("float64"));
    assertEquals("cpu", Device.of("cpu").name());
    DiffcertException e = assertThrows(DiffcertException.class, () -> Device.of("tpu"));
    assertEquals(DiffcertException.Kind.USAGE, e.kind());
    for (String name : List.of("cuda:", "cuda:-1", "cuda:0,", "cuda:0,emulator:1", "cuda:all,cuda:1", "cpu:0",
        "cuda,cuda:1")) {
      assertThrows(DiffcertException.class, () -> Device.of(name), name);
    }
    for (String name : List.of("cuda", "cuda:3", "cuda:all", "cuda:0,cuda:12")) {
      assertEquals(name, Device.of(name).name());
    }
    assertEquals("cpu", Device.CPU.identity());
    assertEquals("reference", Device.ofIdentity(Device.REFERENCE.identity()));
    assertEquals("", DeviceOptions.formOfIdentity("cpu"));
  }

  /** A machine with two kinds of GPU: a run goes on the first of its own. */
  @Test
  void anIdentityIsFoundAgain() {
    List<String> machine = List.of("cuda-8.6", "cuda-9.0", "cuda-9.0");
    UnaryOperator<String> identities = name -> {
      int i = name.equals("cuda") ? 0 : Integer.parseInt(name.substring("cuda:".length()));
      if (i >= machine.size()) {
        throw new DiffcertException(DiffcertException.Kind.DEVICE, "The device '" + name + "' is not there.");
      }
      return machine.get(i);
    };
    assertEquals("cuda", Device.ofIdentity("cuda-8.6", identities));
    assertEquals("cuda:1", Device.ofIdentity("cuda-9.0", identities));
    assertEquals("cuda:1", Device.ofIdentity("cuda-9.0-bf16", identities));
    assertEquals("cuda", Device.ofIdentity("cuda-12.0-bf16", identities));
    assertEquals("emulator", Device.ofIdentity("emulator-bf16", identities));
    assertEquals("bf16", DeviceOptions.formOfIdentity("cuda-9.0-bf16"));
    assertEquals("", DeviceOptions.formOfIdentity("cuda-9.0"));
  }

  @Test
  void oneDeviceHasTwoNames() {
    assertTrue(new Device("cuda").isSameAs(new Device("cuda:0")));
    assertTrue(new Device("emulator:0").isSameAs(new Device("emulator")));
    assertFalse(new Device("cuda").isSameAs(new Device("cuda:1")));
    assertFalse(new Device("cuda").isSameAs(new Device("emulator")));
  }

  @Test
  void aForcedDirectoryIsUsed(@TempDir Path dir) throws Exception {
    for (String name : List.of("libdiffcert.so", "libjniDiffcertAbi.so")) {
      Files.copy(BUILT.resolve(name), dir.resolve(name));
    }
    String output = child("-Ddiffcert.library.path=" + dir);
    assertTrue(output.contains("LOADED " + dir.resolve("libdiffcert.so")), output);
  }

  @Test
  void aForcedDirectoryWithoutTheLibraryFailsHard(@TempDir Path dir) throws Exception {
    String output = child("-Ddiffcert.library.path=" + dir);
    assertTrue(output.contains("FAILED DEVICE There is no native library " + dir), output);
  }

  @Test
  void aLibraryOfAnotherAbiIsRefused(@TempDir Path dir) throws Exception {
    Files.copy(BUILT.resolve("libjniDiffcertAbi.so"), dir.resolve("libjniDiffcertAbi.so"));
    Path source = dir.resolve("other.cpp");
    Files.writeString(source,
        "extern \"C\" __attribute__((visibility(\"default\"))) unsigned dc_abi_version() { return 4711; }\n");
    assertEquals(0, new ProcessBuilder("g++", "-shared", "-fPIC", "-Wl,-soname,libdiffcert.so", "-o",
        dir.resolve("libdiffcert.so").toString(), source.toString()).inheritIO().start().waitFor());
    String output = child("-Ddiffcert.library.path=" + dir);
    assertTrue(output.contains("FAILED DEVICE") && output.contains("4711")
        && output.contains("version " + DiffcertAbi.DC_ABI_VERSION + ";"), output);
  }

  @Test
  void rubbishInPlaceOfTheLibraryIsOneSentence(@TempDir Path dir) throws Exception {
    for (String name : List.of("libdiffcert.so", "libjniDiffcertAbi.so")) {
      Files.writeString(dir.resolve(name), "not a library");
    }
    String output = child("-Ddiffcert.library.path=" + dir);
    assertTrue(output.contains("FAILED DEVICE The native library of diffcert cannot be loaded"), output);
  }

  @Test
  void aCacheThatOthersMayWriteIntoIsRefused(@TempDir Path dir) throws Exception {
    Path cache = Files.createDirectory(dir.resolve("cache"));
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
    String output = child("-Dorg.bytedeco.javacpp.cachedir=" + cache);
    assertTrue(output.contains("FAILED DEVICE Others may write into " + cache), output);
  }

  /**
   * What is taken out of a jar lies in a directory of this user's alone, whatever the umask; one that others may write
   * into is refused.
   */
  @Test
  void extractedLibrariesArePrivate(@TempDir Path cache) throws Exception {
    Path library = Files.writeString(cache.resolve("lib.so"), "content");
    Map<String, URL> libraries = Map.of("lib.so", library.toUri().toURL());
    Path directory = NativeLibrary.extract(cache, "some-", libraries);
    assertEquals("content", Files.readString(directory.resolve("lib.so")));
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)));
    assertEquals(directory, NativeLibrary.extract(cache, "some-", libraries));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwx---"));
    DiffcertException e = assertThrows(DiffcertException.class, () -> NativeLibrary.extract(cache, "some-", libraries));
    assertEquals(DiffcertException.Kind.DEVICE, e.kind());
    assertTrue(e.getMessage().startsWith("Others may write into " + directory + ","), e.getMessage());
  }

  @Test
  void theCoreShowsOnlyTheAbi() throws Exception {
    Process nm = new ProcessBuilder("nm", "-D", "--defined-only", BUILT.resolve("libdiffcert.so").toString())
        .redirectErrorStream(true).start();
    List<String> symbols = new String(nm.getInputStream().readAllBytes()).lines().map(l -> l.replaceAll(".* ",
        "")).toList();
    assertTrue(symbols.contains("dc_abi_version"), symbols.toString());
    assertTrue(symbols.stream().allMatch(s -> s.startsWith("dc_")), symbols.toString());
  }

  /** Runs {@link Probe} in a JVM of its own, as what has been loaded cannot be unloaded. */
  private static String child(String... flags) throws Exception {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(List.of(flags));
    // This JVM may have the same entries on its module path.
    String classPath = String.join(":", "target/test-classes", System.getProperty("java.class.path", ""),
        System.getProperty("jdk.module.path", ""));
    command.addAll(List.of("-cp", classPath, Probe.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), output);
    assertFalse(output.contains("\tat "), output);
    return output;
  }

  /** Loads the library and prints how that went. */
  public static final class Probe {
    private Probe() {}

    /** @param args none */
    public static void main(String[] args) {
      try {
        NativeLibrary.load();
        System.out.println("LOADED " + NativeLibrary.location());
      } catch (DiffcertException e) {
        System.out.println("FAILED " + e.kind() + " " + e.getMessage());
      }
    }
  }
}
