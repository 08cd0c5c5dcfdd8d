package org.diffcert.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.Augmentation;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.TrainLoss;
import org.diffcert.diffusion.TrainOptions;
import org.diffcert.image.ImageData;
import org.diffcert.model.Model;
import org.diffcert.model.ModelOptions;
import org.diffcert.model.NetworkConfig;
import org.diffcert.train.Distillation;
import org.diffcert.train.TrainLimits;
import org.diffcert.train.TrainPlan;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code diffcert train}: a diffusion model from nothing, in a directory that can be resumed at any moment. */
@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false,
    description = {"Trains a diffusion model on images, on the CPU or on the device that is named; the same command "
        + "again goes on with a training that was stopped.",
        "Give --preset or --config, and --steps, --minutes or both: the first that is reached ends it."})
final class TrainCommand implements Callable<Integer> {
  /** What the teacher computes at once. */
  private static final int TEACHER_ROWS = 64;
  private static final int HEADS_PER_IMAGE = 3;

  @Mixin
  NetworkArguments network;

  @Mixin
  ImagesArguments images;

  @Mixin
  TrainingArguments training;

  @Option(names = "--preset", paramLabel = "NAME",
      description = "The network: mnist-ddpmpp, cifar10-ddpmpp-cond, ...; --config FILE instead for one of your own.")
  String preset;

  @Option(names = "--distill", paramLabel = "TEACHER",
      description = "Learn from a class-conditional model instead of from the images themselves: the network gets a "
          + "head for each class, so that one pass serves all (--classifier dc-multihead, and every other).")
  Path teacher;

  @Option(names = "--heads-per-image", paramLabel = "N",
      description = "--distill: heads that an image teaches, its own class's and others by chance; the teacher "
          + "computes as many rows. Default: 3.")
  Integer headsPerImage;

  @Option(names = "--begin", paramLabel = "HOW",
      description = "--distill: teacher (the student begins with the teacher's weights, which needs the teacher's "
          + "architecture), random, or auto: teacher where it can be. Default: auto.")
  String begin;

  @Option(names = "--batch", defaultValue = "64", paramLabel = "N",
      description = "Images of a step. Default: ${DEFAULT-VALUE}.")
  int batch;

  @Option(names = "--loss", paramLabel = "NAME",
      description = "edm, vp or ve. Default: that of the network's preconditioner.")
  String loss;

  @Option(names = "--level-mean", defaultValue = "-1.2", paramLabel = "M",
      description = "--loss edm: mean of ln sigma; the published one is for drawing, votes at sigma 0.5 read levels "
          + "from 1 to 3. Default: ${DEFAULT-VALUE}.")
  double levelMean;

  @Option(names = "--level-deviation", defaultValue = "1.2", paramLabel = "D",
      description = "--loss edm: standard deviation of ln sigma. Default: ${DEFAULT-VALUE}.")
  double levelDeviation;

  @Option(names = "--learning-rate", defaultValue = "0.001", paramLabel = "R",
      description = "Adam's rate. Default: ${DEFAULT-VALUE}.")
  double learningRate;

  @Option(names = "--warmup", defaultValue = "10000", paramLabel = "N",
      description = "Images in which the rate grows from 0. Default: ${DEFAULT-VALUE}.")
  double warmup;

  @Option(names = "--decay", defaultValue = "0", paramLabel = "N",
      description = "Images at which the rate, falling as half a cosine, has come down to --final-rate. Default: it "
          + "does not fall.")
  double decay;

  @Option(names = "--final-rate", defaultValue = "0", paramLabel = "R",
      description = "The rate from there on. Default: ${DEFAULT-VALUE}.")
  double finalRate;

  @Option(names = "--ema", defaultValue = "500000", paramLabel = "N",
      description = "Half-life of the weights' average in images; at most 5%% of those seen. Default: "
          + "${DEFAULT-VALUE}.")
  double ema;

  @Option(names = "--label-dropout", defaultValue = "0.1", paramLabel = "P",
      description = "How often an image is shown without its label, so that the network works without one, too. "
          + "Default: ${DEFAULT-VALUE}.")
  double labelDropout;

  @Option(names = "--dropout", defaultValue = "0", paramLabel = "P",
      description = "How much of a residual block's features is dropped, 0 to 0.9; published: 0.13 for CIFAR-10, 0.1 "
          + "for ImageNet. Default: ${DEFAULT-VALUE}.")
  double dropout;

  @Option(names = "--augment", defaultValue = "0", paramLabel = "P",
      description = "How often each part of the augmentation is applied to an image; published: 0.12 for CIFAR-10, "
          + "none for ImageNet. Default: ${DEFAULT-VALUE}.")
  double augment;

  @Option(names = "--augment-parts", defaultValue = "scale,rotate,aniso,translate", paramLabel = "NAME[,NAME..]|all",
      description = "Its parts: xflip, yflip, scale, rotate, aniso, translate; all is what is published. "
          + "Default: ${DEFAULT-VALUE}.")
  String augmentParts;

  @Option(names = "--samples", defaultValue = "8", paramLabel = "N",
      description = "Images a class that the average draws into samples.png, in the end and now and then at a "
          + "checkpoint; 0: none. Changes no bit. Default: ${DEFAULT-VALUE}.")
  int samples;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    TrainLimits limits = training.limits(samples);
    refuseUnread();
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    DeviceOptions device = network.options(network.gradientDevice(terminal), Math.min(training.rows, batch));
    if (teacher == null) {
      train(terminal, config(), device, limits, Optional.empty());
      return 0;
    }
    try (Model file = Model.open(teacher);
        DiffusionModel opened = DiffusionModel.open(file, device.withMaxBatch(TEACHER_ROWS))) {
      NetworkConfig config = config();
      NetworkConfig student = config.multiHead() ? config : config.withHeads(file.config().classes());
      Distillation by = new Distillation(file, opened, headsPerImage == null ? HEADS_PER_IMAGE : headsPerImage,
          beginsWithTeacher(file.config(), student));
      terminal.say("teacher  " + teacher.getFileName() + ", digest " + file.digest().substring(0, 16)
          + (by.fromTeacher() ? ", whose weights the network begins with" : ""));
      train(terminal, student, device, limits, Optional.of(by));
    }
    return 0;
  }

  /** Options that were typed and are not read are a mistake. */
  private void refuseUnread() {
    if (teacher == null && (headsPerImage != null || begin != null)) {
      throw DiffcertException.usage("--heads-per-image and --begin belong to --distill");
    }
    if (teacher != null && spec.commandLine().getParseResult().hasMatchedOption("--label-dropout")) {
      throw DiffcertException.usage("--label-dropout does not go with --distill, which teaches the head of no class, "
          + "too");
    }
  }

  private boolean beginsWithTeacher(NetworkConfig of, NetworkConfig student) {
    return switch (begin == null ? "auto" : begin) {
      case "auto" -> Distillation.agree(of, student);
      case "teacher" -> true;
      case "random" -> false;
      default -> throw DiffcertException.usage("--begin is '" + begin + "', must be auto, teacher or random");
    };
  }

  private void train(Terminal terminal, NetworkConfig config, DeviceOptions device, TrainLimits limits,
      Optional<Distillation> by) {
    TrainOptions options = new TrainOptions(loss == null ? TrainLoss.of(config.precond()) : TrainLoss.of(loss),
        training.seed(), learningRate, warmup, decay, finalRate, ema, TrainingArguments.AVERAGE_SHARE,
        by.isPresent() || config.classes() == 0 ? 0 : labelDropout, dropout, Augmentation.of(augment, augmentParts),
        levelMean, levelDeviation);
    try (ImageData set = images.open()) {
      TrainPlan plan = new TrainPlan(config, options, batch, set, images.range(set), by);
      terminal.say("network  " + (preset == null ? network.config.getFileName() : preset) + ", "
          + config.architecture().published() + " under " + config.precond().published()
          + (config.multiHead() ? ", " + config.heads() + " heads" : ""));
      training.run(terminal, plan, device, limits, origin(plan));
    }
  }

  private NetworkConfig config() {
    if ((preset == null) == (network.config == null)) {
      throw DiffcertException.usage("give --preset NAME or --config FILE, one of them, to say which network is "
          + "trained");
    }
    return preset == null ? ModelOptions.fromFile(network.config).config() : NetworkConfig.preset(preset);
  }

  /** The command as anybody could give it: options by value, data by name, no path of this machine. */
  private Map<String, String> origin(TrainPlan plan) {
    TrainOptions options = plan.options();
    Map<String, String> origin = new LinkedHashMap<>();
    origin.put("command", String.join(" ", "diffcert train --data", plan.data().name(), "--images",
        plan.images().from() + ":" + plan.images().to() + ":" + plan.images().step(),
        preset == null ? "--config " + network.config.getFileName() : "--preset " + preset,
        training.length(), "--batch " + batch, "--loss", options.loss().cliName(),
        "--level-mean " + levelMean, "--level-deviation " + levelDeviation, "--learning-rate " + learningRate,
        "--warmup " + warmup, "--decay " + decay, "--final-rate " + finalRate, "--ema " + ema,
        plan.distillation().map(by -> "--distill " + teacher.getFileName() + " --heads-per-image " + by.headsPerImage()
            + " --begin " + (by.fromTeacher() ? "teacher" : "random"))
            .orElse("--label-dropout " + options.labelDropout()) + ifOn(options),
        "--seed", Long.toUnsignedString(options.seed())));
    origin.put("made_by", "diffcert " + Main.version());
    return origin;
  }

  /** What is off by default, if it is on. */
  private static String ifOn(TrainOptions options) {
    Augmentation augmentation = options.augmentation();
    return (options.dropout() > 0 ? " --dropout " + options.dropout() : "")
        + (augmentation.on() ? " --augment " + augmentation.probability() + " --augment-parts " + augmentation.names()
            : "");
  }
}
