package org.diffcert.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.Gradients;
import org.diffcert.file.Safetensors;
import org.diffcert.file.Tensor;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert denoise}: D(x; sigma, label) from tensors to tensors, and its gradient, for comparison with other
 * implementations.
 */
@Command(name = "denoise", mixinStandardHelpOptions = true, sortOptions = false,
    description = {"Denoises images: safetensors in and out.",
        "Input: x [N,C,H,W] in EDM space (2x-1), sigma [N] in EDM space, labels [N] (absent = unconditional), "
            + "cotangent [N,C,H,W] if gradients are wanted.",
        "Output: denoised [N,C,H,W]; with a cotangent also grad_x [N,C,H,W], the gradient of "
            + "sum(cotangent * denoised) by x."})
final class DenoiseCommand implements Callable<Integer> {
  @Mixin
  ModelArguments network;

  @Option(names = "--input", required = true, paramLabel = "X", description = "Input tensors.")
  Path input;

  @Option(names = "--output", required = true, paramLabel = "Y", description = "Output tensors.")
  Path output;

  @Option(names = "--batch", defaultValue = "16", paramLabel = "N",
      description = "Largest batch, or auto: the device's choice. Default: ${DEFAULT-VALUE}.")
  String batch;

  @Option(names = "--repeat", defaultValue = "1", paramLabel = "N",
      description = "Do it N times and print the median time of a pass.")
  int repeat;

  @Option(names = "--row-memory", paramLabel = "MIB",
      description = "With a cotangent: working memory for a row of a batch in MiB; beyond it values are computed again "
          + "rather than kept, "
          + "which changes no bit. Default: 0, as much as it needs.")
  Integer rowMemory;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    if (repeat < 1) {
      throw DiffcertException.usage("--repeat is " + repeat + ", must be at least 1");
    }
    if (rowMemory != null && rowMemory < 0) {
      throw DiffcertException.usage("--row-memory is " + rowMemory + ", must not be negative");
    }
    int rows = Arguments.batch(batch);
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    try (Safetensors in = Safetensors.open(input)) {
      boolean back = in.tensors().containsKey("cotangent");
      if (!back && rowMemory != null) {
        throw DiffcertException.usage("--row-memory bounds the memory of gradients, and " + input
            + " has no cotangent that asks for any");
      }
      DeviceOptions options = back
          ? network.options(network.gradientDevice(terminal), rows).withGradients(Gradients.IMAGE)
              .withRowBytes(rowMemory == null ? 0 : (long) rowMemory << 20)
          : network.options(network.device(terminal), rows);
      try (DiffusionModel model = network.open(network.model, options)) {
        run(in, model, back, terminal);
      }
    }
    return 0;
  }

  private void run(Safetensors in, DiffusionModel model, boolean back, Terminal terminal) {
    Tensor x = TensorInput.take(in, input, "x");
    int n = TensorInput.rows(x, model.config(), input);
    double[] sigma = TensorInput.doubles(in, input, "sigma", n);
    int[] labels = in.tensors().containsKey("labels") ? TensorInput.integers(in, input, "labels", n) : null;
    checkLevels(sigma);
    checkLabels(labels, model.config().classes());
    float[] cotangent = back ? cotangent(in, x) : null;
    float[] images = x.floats();
    List<float[]> results = List.of();
    long[] nanos = new long[repeat];
    for (int i = 0; i < repeat; i++) {
      long start = System.nanoTime();
      results = denoise(model, images, sigma, labels, cotangent);
      nanos[i] = System.nanoTime() - start;
    }
    List<Tensor> tensors = new ArrayList<>(List.of(Tensor.of("denoised", x.shape(), results.get(0))));
    if (back) {
      tensors.add(Tensor.of("grad_x", x.shape(), results.get(1)));
    }
    Safetensors.write(output, Map.of("model", model.digest()), tensors);
    Arrays.sort(nanos);
    DiffusionModel.Memory memory = model.memory();
    terminal.say(String.format(Locale.ROOT,
        "denoised %d images%s in %.1f ms (median of %d), weights %d MiB, arena %d MiB: %s", n,
        back ? " and their gradients" : "", nanos[repeat / 2] / 1e6, repeat, memory.weightBytes() >> 20,
        memory.arenaBytes() >> 20, output));
  }

  private float[] cotangent(Safetensors in, Tensor x) {
    Tensor cotangent = TensorInput.take(in, input, "cotangent");
    if (!cotangent.shape().equals(x.shape())) {
      throw DiffcertException.badInput(input + " has cotangent of shape " + cotangent.shape()
          + ", it must be that of x, " + x.shape());
    }
    return cotangent.floats();
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

  /** The denoised images; with a cotangent also the gradient. */
  private List<float[]> denoise(DiffusionModel model, float[] images, double[] sigma, int[] labels, float[] cotangent) {
    int each = images.length / sigma.length;
    float[] denoised = new float[images.length];
    float[] gradient = new float[cotangent == null ? 0 : images.length];
    for (int from = 0; from < sigma.length; from += model.maxBatch()) {
      int to = Math.min(sigma.length, from + model.maxBatch());
      float[] x = Arrays.copyOfRange(images, from * each, to * each);
      double[] levels = Arrays.copyOfRange(sigma, from, to);
      int[] classes = labels == null ? null : Arrays.copyOfRange(labels, from, to);
      if (cotangent == null) {
        System.arraycopy(model.denoise(x, levels, classes), 0, denoised, from * each, x.length);
      } else {
        DiffusionModel.Pullback part = model.vectorJacobian(x, levels, classes,
            Arrays.copyOfRange(cotangent, from * each, to * each));
        System.arraycopy(part.denoised(), 0, denoised, from * each, x.length);
        System.arraycopy(part.gradient(), 0, gradient, from * each, x.length);
      }
    }
    return List.of(denoised, gradient);
  }
}
