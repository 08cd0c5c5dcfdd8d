package org.diffcert.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.file.Safetensors;
import org.diffcert.file.Tensor;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code diffcert denoise}: D(x; sigma, label) from tensors to tensors, for comparison with other implementations. */
@Command(name = "denoise", mixinStandardHelpOptions = true, sortOptions = false,
    description = {"Denoises images: safetensors in and out.",
        "Input: x [N,C,H,W] in EDM space (2x-1), sigma [N] in EDM space, labels [N] (absent = unconditional).",
        "Output: denoised [N,C,H,W]."})
final class DenoiseCommand implements Callable<Integer> {
  @Mixin
  ModelArguments network;

  @Option(names = "--input", required = true, paramLabel = "X", description = "Input tensors.")
  Path input;

  @Option(names = "--output", required = true, paramLabel = "Y", description = "Output tensors.")
  Path output;

  @Option(names = "--batch", defaultValue = "16", paramLabel = "N",
      description = "Largest batch. Default: ${DEFAULT-VALUE}.")
  int batch;

  @Option(names = "--repeat", defaultValue = "1", paramLabel = "N",
      description = "Do it N times and print the median time of a pass.")
  int repeat;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    if (repeat < 1) {
      throw DiffcertException.usage("--repeat is " + repeat + ", must be at least 1");
    }
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    try (Safetensors in = Safetensors.open(input);
        DiffusionModel model = network.open(network.model, network.device(terminal), batch)) {
      if (in.tensors().containsKey("cotangent")) {
        terminal.say("note     cotangent is there, but this version computes no gradients: grad_x is not written");
      }
      Tensor x = TensorInput.take(in, input, "x");
      int n = TensorInput.rows(x, model.config(), input);
      double[] sigma = TensorInput.doubles(in, input, "sigma", n);
      int[] labels = in.tensors().containsKey("labels") ? TensorInput.integers(in, input, "labels", n) : null;
      checkLevels(sigma);
      checkLabels(labels, model.config().labelDim());
      float[] images = x.floats();
      float[] denoised = new float[images.length];
      long[] nanos = new long[repeat];
      for (int i = 0; i < repeat; i++) {
        long start = System.nanoTime();
        denoise(model, images, sigma, labels, denoised);
        nanos[i] = System.nanoTime() - start;
      }
      Safetensors.write(output, Map.of("model", model.digest()), List.of(Tensor.of("denoised", x.shape(), denoised)));
      Arrays.sort(nanos);
      DiffusionModel.Memory memory = model.memory();
      terminal.say(String.format(Locale.ROOT,
          "denoised %d images in %.1f ms (median of %d), weights %d MiB, arena %d MiB: %s", n, nanos[repeat / 2] / 1e6,
          repeat, memory.weightBytes() >> 20, memory.arenaBytes() >> 20, output));
    }
    return 0;
  }

  private void checkLevels(double[] sigma) {
    for (double level : sigma) {
      if (!(level > 0 && level < Double.POSITIVE_INFINITY)) {
        throw DiffcertException.badInput(input + " has " + level + " in sigma, which is no noise level");
      }
    }
  }

  private void checkLabels(int[] labels, int classes) {
    for (int label : labels == null ? new int[0] : labels) {
      if (label < -1 || label >= classes) {
        throw DiffcertException.badInput(input + " has label " + label + ", the network has " + classes
            + " classes, from 0 on, and -1 for none");
      }
    }
  }

  private void denoise(DiffusionModel model, float[] images, double[] sigma, int[] labels, float[] denoised) {
    int each = images.length / sigma.length;
    for (int from = 0; from < sigma.length; from += batch) {
      int to = Math.min(sigma.length, from + batch);
      float[] part = model.denoise(Arrays.copyOfRange(images, from * each, to * each),
          Arrays.copyOfRange(sigma, from, to), labels == null ? null : Arrays.copyOfRange(labels, from, to));
      System.arraycopy(part, 0, denoised, from * each, part.length);
    }
  }
}
