package org.diffcert.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.diffcert.DiffcertException;
import org.diffcert.model.Model;
import org.diffcert.model.ModelOptions;
import org.diffcert.model.NetworkConfig;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert model}: look into a model file, convert it, or make one with random weights for tests and
 * measurements.
 */
@Command(name = "model", mixinStandardHelpOptions = true,
      description = "Inspects and converts model files; nothing in a file is ever run.")
final class ModelCommand implements Runnable {
  @Spec
  private CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(),
        "say what to do with the model: inspect, convert or random");
  }

  @Command(name = "inspect", mixinStandardHelpOptions = true,
      description = "Prints architecture, sizes, parameters and digest.")
  int inspect(@Parameters(paramLabel = "FILE") Path file,
      @Option(names = "--config", paramLabel = "FILE") Path config) {
    try (Model model = open(file, config)) {
      out().println(model.describe());
    }
    return 0;
  }

  @Command(name = "convert", mixinStandardHelpOptions = true,
      description = "Writes an EDM .pkl, a PyTorch .pt/.pth or a safetensors file as safetensors "
          + "with its configuration inside.")
  int convert(@Parameters(paramLabel = "FILE") Path file, @Parameters(paramLabel = "OUT") Path target,
      @Option(names = "--config", paramLabel = "FILE") Path config) {
    try (Model model = open(file, config)) {
      model.write(target);
      out().println(target + "  digest " + model.digest());
    }
    return 0;
  }

  @Command(name = "random", mixinStandardHelpOptions = true,
      description = "Writes a network of a published size with random weights, for tests and "
          + "measurements: cifar10-ddpmpp-cond, cifar10-ncsnpp-uncond-ve, imagenet64-adm, ...")
  int random(@Parameters(paramLabel = "PRESET") String preset, @Parameters(paramLabel = "OUT") Path target,
      @Option(names = "--seed", defaultValue = "1", paramLabel = "N") String seed) {
    OptionalLong value = Arguments.seed(seed);
    if (value.isEmpty()) {
      throw DiffcertException.usage("--seed of random weights must be a number");
    }
    try (Model model = Model.random(NetworkConfig.preset(preset), value.getAsLong())) {
      model.write(target);
      out().println(target + "  " + model.parameterCount() + " parameters, digest " + model.digest());
    }
    return 0;
  }

  private static Model open(Path file, Path config) {
    return Model.open(file, config == null ? ModelOptions.none() : ModelOptions.fromFile(config));
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
