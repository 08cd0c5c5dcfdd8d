package org.diffcert.cli;

import java.nio.file.Path;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.model.Model;
import org.diffcert.model.ModelOptions;
import picocli.CommandLine.Option;

/** The options that say how a network is opened and where it runs, but for the network itself. */
class NetworkArguments {
  private static final int MOST_THREADS = 1024;
  private static final List<String> ISAS = List.of("", "portable", "avx2", "avx512", DeviceOptions.BF16);

  @Option(names = "--config", paramLabel = "FILE",
      description = "JSON with the network's precond and constructor options, for files that do not carry them.")
  Path config;

  @Option(names = "--device", defaultValue = "auto", paramLabel = "DEVICE",
      description = "auto, cpu, reference (float64, slow), cuda or cuda:i, several such as cuda:0,cuda:1, or cuda:all. "
          + "Default: ${DEFAULT-VALUE}, or that of the run that is repeated or checked.")
  String device;

  @Option(names = "--threads", defaultValue = "0", paramLabel = "N",
      description = "CPU threads; 0 = one a core. Votes do not depend on it.")
  int threads;

  @Option(names = "--isa", defaultValue = "", paramLabel = "NAME",
      description = "Force portable, avx2 or avx512 on the CPU; votes do not depend on it. bf16 on a GPU: faster, and "
          + "votes of its own. Default: the best that the machine has; float32 on a GPU.")
  String isa;

  /** How many threads there are to be: as many as were asked for, or one a core. */
  int threads() {
    return asked() == 0 ? Runtime.getRuntime().availableProcessors() : threads;
  }

  /** The number as it was given. */
  private int asked() {
    if (threads < 0 || threads > MOST_THREADS) {
      throw DiffcertException.usage("--threads is " + threads + ", must be 0 (one a core) to " + MOST_THREADS);
    }
    return threads;
  }

  /** Whether a device of this name has the form bf16; a run's form is not asked of one that has none. */
  static boolean hasForms(String device) {
    return !device.equals("cpu") && !device.equals("reference");
  }

  /** The device; where the choice was left to us, it is said which and why. */
  Device device(Terminal terminal) {
    if (!device.equals("auto")) {
      Device chosen = new Device(device);
      terminal.say("device   " + chosen.describe());
      return chosen;
    }
    Device cuda = new Device("cuda");
    try {
      terminal.say("device   " + cuda.describe());
      return cuda;
    } catch (DiffcertException e) {
      terminal.say("device   " + Device.CPU.describe() + " (auto: " + reason(e) + ")");
      return Device.CPU;
    }
  }

  /** A sentence without its end, for brackets. */
  private static String reason(DiffcertException e) {
    return e.getMessage().replaceAll("\\.$", "");
  }

  /** The same for gradients, where auto means the CPU: on a GPU they have not yet been run. */
  Device gradientDevice(Terminal terminal) {
    if (!device.equals("auto")) {
      return device(terminal);
    }
    terminal.say("device   " + Device.CPU.describe() + " (auto: gradients are computed on the CPU)");
    return Device.CPU;
  }

  /** Opens a model file and puts it on a device. */
  DiffusionModel open(Path file, Device where, int maxBatch) {
    return open(file, options(where, maxBatch));
  }

  /** How the network is opened: threads and instruction set as they were given. */
  DeviceOptions options(Device where, int maxBatch) {
    if (!ISAS.contains(isa)) {
      throw DiffcertException.usage("--isa is '" + isa + "', must be portable, avx2, avx512 or, on a GPU, bf16");
    }
    if (isa.equals(DeviceOptions.BF16) && !hasForms(where.name())) {
      throw DiffcertException.usage("--isa bf16 goes with --device cuda, not with " + where);
    }
    return new DeviceOptions(where, asked(), maxBatch, isa);
  }

  /** The same with options that a command has completed. */
  DiffusionModel open(Path file, DeviceOptions options) {
    try (Model opened = Model.open(file, config == null ? ModelOptions.none() : ModelOptions.fromFile(config))) {
      return DiffusionModel.open(opened, options);
    }
  }
}
