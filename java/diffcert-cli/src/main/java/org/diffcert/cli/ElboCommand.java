package org.diffcert.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.Elbo;
import org.diffcert.file.Safetensors;
import org.diffcert.file.Tensor;
import org.diffcert.noise.Sigma;
import org.diffcert.schedule.ClassifierKind;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert elbo}: the objective of the classifiers with the noise given, for comparison with other
 * implementations.
 */
@Command(name = "elbo", mixinStandardHelpOptions = true, sortOptions = false,
    description = {"Residuals of a classifier's objective with explicit noise: safetensors in and out.",
        "Input: x_tau [C,H,W] in EDM space (dc: image [C,H,W] u8), lower and upper [T] levels in EDM space,",
        "level_noise [T,C,H,W].",
        "Output: residual [classes,T], means over the pixels, before the weights."})
final class ElboCommand implements Callable<Integer> {
  @Mixin
  ModelArguments network;

  @Option(names = "--unconditional-model", paramLabel = "FILE",
      description = "A network of its own for the unconditional estimate.")
  Path unconditionalModel;

  @Option(names = "--classifier", required = true, paramLabel = "NAME",
      description = "dc, epndc, apndc, apndc-conditional or apndc-ensemble.")
  String classifier;

  @Option(names = "--sigma", required = true, paramLabel = "S", description = "Smoothing noise in [0,1] pixel units.")
  String sigma;

  @Option(names = "--no-clamp", description = "Do not clamp the network's output, as the released code does not.")
  boolean noClamp;

  @Option(names = "--input", required = true, paramLabel = "X", description = "Input tensors.")
  Path input;

  @Option(names = "--output", required = true, paramLabel = "Y", description = "Output tensors.")
  Path output;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    ClassifierKind kind = ClassifierKind.of(classifier);
    if (unconditionalModel != null && !kind.readsUnconditional()) {
      throw DiffcertException.usage("--unconditional-model does not go with --classifier " + kind.cliName());
    }
    List<Sigma> sigmas = Arguments.sigmas(sigma);
    if (sigmas.size() != 1) {
      throw DiffcertException.usage("elbo takes one --sigma, not " + sigmas.size());
    }
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    Device device = network.device(terminal);
    try (Safetensors in = Safetensors.open(input);
        DiffusionModel model = network.open(network.model, device, 64);
        DiffusionModel own = unconditionalModel == null ? null : network.open(unconditionalModel, device, 64)) {
      int elements = model.config().imgChannels() * model.config().imgResolution() * model.config().imgResolution();
      double[] upper = TensorInput.doubles(in, input, "upper", -1);
      double[] lower = TensorInput.doubles(in, input, "lower", upper.length);
      double[] noise = TensorInput.doubles(in, input, "level_noise", (long) upper.length * elements);
      double[][] residual = Elbo.residuals(model, own, kind, !noClamp, sigmas.get(0), start(in, kind, elements), lower,
          upper, noise);
      long classes = residual.length;
      double[] flat = Arrays.stream(residual).flatMapToDouble(Arrays::stream).toArray();
      Safetensors.write(output, Map.of("model", model.digest(), "classifier", kind.cliName()),
          List.of(Tensor.ofDoubles("residual", List.of(classes, (long) upper.length), flat)));
      terminal.say("residual of " + classes + " classes at " + upper.length + " levels: " + output);
    }
    return 0;
  }

  /** The clean image for dc, the noisy one for the others, in EDM space. */
  private double[] start(Safetensors in, ClassifierKind kind, int elements) {
    if (kind != ClassifierKind.DC || !in.tensors().containsKey("image")) {
      return TensorInput.doubles(in, input, "x_tau", elements);
    }
    double[] image = TensorInput.doubles(in, input, "image", elements);
    for (int i = 0; i < image.length; i++) {
      image[i] = image[i] / 127.5 - 1;
    }
    return image;
  }
}
