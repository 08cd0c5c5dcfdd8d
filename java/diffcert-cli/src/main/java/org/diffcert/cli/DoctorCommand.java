package org.diffcert.cli;

import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.Callable;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.NativeLibrary;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code diffcert doctor}: what this machine offers and what diffcert makes of it, on one screen. */
@Command(name = "doctor", mixinStandardHelpOptions = true,
      description = "Shows devices, native library, JVM and flags.")
final class DoctorCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    out.println("diffcert  " + Main.version());
    out.println("java      " + System.getProperty("java.vm.name") + " " + System.getProperty("java.version") + ", "
        + System.getProperty("os.name") + " " + System.getProperty("os.arch") + ", "
        + Runtime.getRuntime().availableProcessors() + " processors, heap up to "
        + (Runtime.getRuntime().maxMemory() >> 20) + " MiB");
    List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
    out.println("flags     " + (flags.isEmpty() ? "none" : String.join(" ", flags)));
    out.println("native    " + NativeLibrary.buildInfo());
    out.println("          digest " + NativeLibrary.buildDigest() + ", loaded from " + NativeLibrary.location());
    out.println("          GPU kernels " + NativeLibrary.kernels().map(file -> "in " + file)
        .orElse("none on the class path"));
    for (String name : List.of("cpu", "reference", "cuda")) {
      out.println("device    " + describe(name));
    }
    return 0;
  }

  private static String describe(String name) {
    try {
      return Device.of(name).describe();
    } catch (DiffcertException e) {
      return name + ": not available: " + e.getMessage();
    }
  }
}
