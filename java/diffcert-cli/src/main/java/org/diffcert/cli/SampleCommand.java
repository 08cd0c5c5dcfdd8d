package org.diffcert.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.diffcert.DiffcertException;
import org.diffcert.analyze.Pictures;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.ImageSampler;
import org.diffcert.diffusion.OdeSolver;
import org.diffcert.file.Durable;
import org.diffcert.image.ByteImage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code diffcert sample}: images that a model draws, so that a person can look at what it has learnt. */
@Command(name = "sample", mixinStandardHelpOptions = true, sortOptions = false,
    description = "Draws images with a diffusion model, a grid of them in one PNG.")
final class SampleCommand implements Callable<Integer> {
  private static final int BATCH = 16;
  private static final int MOST_IMAGES = 10_000;
  private static final int MOST_COLUMNS = 20;
  private static final int GAP = 2;

  @Mixin
  ModelArguments network;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The PNG.")
  Path out;

  @Option(names = "--n", defaultValue = "64", paramLabel = "N",
      description = "How many images. Default: ${DEFAULT-VALUE}.")
  int n;

  @Option(names = "--steps", defaultValue = "18", paramLabel = "N",
      description = "Noise levels. Default: ${DEFAULT-VALUE}.")
  int steps;

  @Option(names = "--solver", defaultValue = "heun", paramLabel = "NAME",
      description = "heun (two network calls a step) or euler (one). Default: ${DEFAULT-VALUE}.")
  String solver;

  @Option(names = "--labels", defaultValue = "all", paramLabel = "C[,C..]|all|none",
      description = "Classes, in turn; none: drawn without one. Default: ${DEFAULT-VALUE}.")
  String labels;

  @Option(names = "--seed", defaultValue = "0", paramLabel = "N",
      description = "Of the noise that images begin with; auto: a fresh one. Default: ${DEFAULT-VALUE}.")
  String seed;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    if (n < 1 || n > MOST_IMAGES) {
      throw DiffcertException.usage("--n is " + n + ", must be 1 to " + MOST_IMAGES);
    }
    OdeSolver method = OdeSolver.of(solver);
    long key = Arguments.seed(seed).orElseGet(Arguments::freshSeed);
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    try (DiffusionModel model = network.open(network.model, network.device(terminal), Math.min(n, BATCH))) {
      int[] turn = turn(model.config().classes());
      ImageSampler sampler = new ImageSampler(model, method, steps, key);
      terminal.say(String.format(Locale.ROOT, "sample   %d images, %s, %d network calls each, seed %s", n,
          method.cliName(), sampler.callsPerImage(),
          Long.toUnsignedString(key)));
      List<ByteImage> images = sampler.draw(IntStream.range(0, n).map(i -> turn[i % turn.length]).toArray(),
          drawn -> terminal.progress("sample", drawn, n, 0));
      terminal.wipe();
      int columns = turn.length > 1 && turn.length <= MOST_COLUMNS ? turn.length : (int) Math.ceil(Math.sqrt(n));
      write(Pictures.sheet(images, Math.min(n, columns), GAP));
      terminal.say("images   " + out);
    }
    return 0;
  }

  /** The classes that images have in turn; -1 for none. */
  private int[] turn(int classes) {
    if (labels.equals("none") || labels.equals("all") && classes == 0) {
      return new int[] {-1};
    }
    if (labels.equals("all")) {
      return IntStream.range(0, classes).toArray();
    }
    String[] parts = labels.split(",", -1);
    int[] turn = new int[parts.length];
    for (int i = 0; i < parts.length; i++) {
      turn[i] = parts[i].matches("[0-9]{1,7}") ? Integer.parseInt(parts[i]) : classes;
      if (turn[i] >= classes) {
        throw DiffcertException.usage("--labels has '" + parts[i] + "'; the network has "
            + (classes == 0 ? "no classes, write none"
            : "the classes 0 to " + (classes - 1)));
      }
    }
    return turn;
  }

  private void write(byte[] png) {
    try {
      Durable.replace(out, png);
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, out + " cannot be written: "
          + DiffcertException.reason(e), e);
    }
  }
}
