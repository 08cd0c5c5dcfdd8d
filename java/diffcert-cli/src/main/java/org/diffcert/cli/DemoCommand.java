package org.diffcert.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.diffcert.DiffcertException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert demo}: certify with the shipped multi-head network on the shipped digits, no GPU, no download.
 */
@Command(name = "demo", mixinStandardHelpOptions = true,
    description = "Certifies handwritten digits with the shipped diffusion model, on the CPU, in about a minute.")
final class DemoCommand implements Callable<Integer> {
  @Option(names = "--out", defaultValue = "diffcert-demo", paramLabel = "DIR",
      description = "The run directory. Default: ./${DEFAULT-VALUE}.")
  Path out;

  @Option(names = "--images", defaultValue = "0:12", paramLabel = "A:B[:STEP]",
      description = "Which digits. Default: ${DEFAULT-VALUE}.")
  String images;

  @Option(names = "--n", defaultValue = "500", paramLabel = "N",
      description = "Samples that bound the class. Default: ${DEFAULT-VALUE}.")
  int n;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    Path root = Path.of(System.getProperty("diffcert.root", "")).toAbsolutePath().normalize();
    Path model = root.resolve("models/mnist-edm-heads.safetensors");
    if (!Files.isRegularFile(model)) {
      throw DiffcertException.badInput(
          "the demo's network is not at " + model + "; run it through bin/diffcert of a checkout");
    }
    String[] certify = {"certify", "--model", model.toString(), "--data", "mnist:" + root.resolve("data/mnist"),
        "--classifier", "apndc-ensemble", "--sigma", "0.5", "--levels", "9", "--grid", "log", "--n0", "10",
        "--n", Integer.toString(n), "--images", images, "--device", "cpu", "--seed", "1", "--out", out.toString()};
    spec.commandLine().getOut().println("diffcert certify " + String.join(" ", certify).substring("certify ".length()));
    CommandLine parent = spec.commandLine().getParent();
    return parent.execute(certify);
  }
}
