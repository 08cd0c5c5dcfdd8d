package org.diffcert.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.Augmentation;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.TrainLoss;
import org.diffcert.diffusion.TrainOptions;
import org.diffcert.image.ImageData;
import org.diffcert.model.Model;
import org.diffcert.model.ModelOptions;
import org.diffcert.noise.Sigma;
import org.diffcert.onnx.OnnxGradients;
import org.diffcert.onnx.OnnxOptions;
import org.diffcert.train.Calibration;
import org.diffcert.train.TrainLimits;
import org.diffcert.train.TrainPlan;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert finetune}: a diffusion model made better at standing in front of a classifier in a cascade
 * (docs/spec/finetune.md), in a directory that can be resumed at any moment.
 */
@Command(name = "finetune", mixinStandardHelpOptions = true, sortOptions = false,
    description = {"Fine-tunes a diffusion model for a cascade: consistent where an image can be recovered from the "
        + "noise, diverse where it cannot. The same command again goes on with a training that was stopped.",
        "Give --steps, --minutes or both: the first that is reached ends it."})
final class FinetuneCommand implements Callable<Integer> {
  private static final String CALIBRATE = "calibrate";

  @Mixin
  NetworkArguments network;

  @Mixin
  ImagesArguments images;

  @Mixin
  TrainingArguments training;

  @Mixin
  OnnxArguments input;

  @Option(names = "--objective", required = true, paramLabel = "NAME",
      description = "calibrate: the cascade's average certified radius, by its soft votes.")
  String objective;

  @Option(names = "--model", required = true, paramLabel = "FILE", description = "The diffusion model.")
  Path model;

  @Option(names = "--onnx", required = true, paramLabel = "FILE",
      description = "The classifier behind it, which is not changed; of operators that can be differentiated here.")
  Path onnx;

  @Option(names = "--sigma", defaultValue = "1,0.5,0.25", paramLabel = "S[,S..]",
      description = "The cascade's noise levels. Default: ${DEFAULT-VALUE}.")
  String sigma;

  @Option(names = "--copies", defaultValue = "4", paramLabel = "M",
      description = "Noisy copies of an image at each level. Default: ${DEFAULT-VALUE}.")
  int copies;

  @Option(names = "--consistent", defaultValue = "1", paramLabel = "W",
      description = "Weight of votes agreeing where the image is recovered. Default: ${DEFAULT-VALUE}.")
  double consistent;

  @Option(names = "--diverse", defaultValue = "1", paramLabel = "W",
      description = "Weight of wrong votes not gathering where it is not. Default: ${DEFAULT-VALUE}.")
  double diverse;

  @Option(names = "--anchor", defaultValue = "1", paramLabel = "W",
      description = "Weight of the denoising loss at the same levels. Default: ${DEFAULT-VALUE}.")
  double anchor;

  @Option(names = "--batch", defaultValue = "8", paramLabel = "N",
      description = "Images of a step; each takes as many rows as there are copies at all levels. Default: "
          + "${DEFAULT-VALUE}.")
  int batch;

  @Option(names = "--learning-rate", defaultValue = "0.0002", paramLabel = "R",
      description = "Adam's rate. Default: ${DEFAULT-VALUE}.")
  double learningRate;

  @Option(names = "--warmup", defaultValue = "200", paramLabel = "N",
      description = "Images in which the rate grows from 0. Default: ${DEFAULT-VALUE}.")
  double warmup;

  @Option(names = "--decay", defaultValue = "0", paramLabel = "N",
      description = "Images at which the rate, falling as half a cosine, has come down to 0. Default: it does not "
          + "fall.")
  double decay;

  @Option(names = "--ema", defaultValue = "2000", paramLabel = "N",
      description = "Half-life of the weights' average in images; at most 5%% of those seen. Default: "
          + "${DEFAULT-VALUE}.")
  double ema;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    if (!objective.equals(CALIBRATE)) {
      throw DiffcertException.usage("--objective is '" + objective + "', there is calibrate");
    }
    TrainLimits limits = training.limits(0);
    List<Sigma> sigmas = Arguments.sigmas(sigma);
    OnnxOptions read = input.options();
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    try (Model file = Model.open(model, network.config == null ? ModelOptions.none()
            : ModelOptions.fromFile(network.config)); ImageData set = images.open()) {
      OnnxGradients classifier = OnnxGradients.open(onnx, input.classes(read, set.classNames()));
      Calibration how = new Calibration(file, classifier, sigmas, copies, consistent, diverse, anchor,
          network.threads());
      TrainOptions options = new TrainOptions(TrainLoss.of(file.config().precond()), training.seed(), learningRate,
          warmup, decay, 0, ema, TrainingArguments.AVERAGE_SHARE, 0, 0, Augmentation.NONE);
      TrainPlan plan = new TrainPlan(file.config(), options, batch, set, images.range(set), Optional.empty(),
          Optional.of(how));
      if (set.classNames().size() != classifier.classes()) {
        throw DiffcertException.badInput("the classifier has " + classifier.classes() + " classes, " + set.name()
            + " has " + set.classNames().size());
      }
      int stepRows = batch * sigmas.size() * copies;
      DeviceOptions device = network.options(network.gradientDevice(terminal), Math.min(training.rows, stepRows));
      terminal.say("model    " + model.getFileName() + ", digest " + file.digest().substring(0, 16));
      terminal.say("behind   " + onnx.getFileName() + ", digest " + classifier.digest().substring(0, 16));
      terminal.say("cascade  sigma " + sigmas.stream().map(Sigma::toString).collect(Collectors.joining(", ")) + "; "
          + stepRows + " rows a step");
      training.run(terminal, plan, device, limits, origin(plan));
    }
    return 0;
  }

  /** The command as anybody could give it: options by value, files by name, no path of this machine. */
  private Map<String, String> origin(TrainPlan plan) {
    Map<String, String> origin = new LinkedHashMap<>();
    origin.put("command", String.join(" ", "diffcert finetune --objective", objective, "--model",
        model.getFileName().toString(), "--onnx", onnx.getFileName().toString(), "--data", plan.data().name(),
        "--images", plan.images().from() + ":" + plan.images().to() + ":" + plan.images().step(), "--sigma", sigma,
        "--copies " + copies, "--consistent " + consistent, "--diverse " + diverse, "--anchor " + anchor,
        training.length(), "--batch " + batch,
        "--learning-rate " + learningRate, "--warmup " + warmup, "--decay " + decay, "--ema " + ema,
        "--seed", Long.toUnsignedString(plan.options().seed())));
    origin.put("made_by", "diffcert " + Main.version());
    return origin;
  }
}
