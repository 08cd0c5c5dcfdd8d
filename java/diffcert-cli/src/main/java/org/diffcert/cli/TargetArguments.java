package org.diffcert.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.diffcert.Closing;
import org.diffcert.DiffcertException;
import org.diffcert.attack.AttackNorm;
import org.diffcert.attack.AttackTarget;
import org.diffcert.attack.SmoothedTarget;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.DiffusionTarget;
import org.diffcert.diffusion.Gradients;
import org.diffcert.diffusion.Maximizer;
import org.diffcert.diffusion.MaximizerForm;
import org.diffcert.diffusion.NativeLibrary;
import org.diffcert.diffusion.TimeSampling;
import org.diffcert.noise.Sigma;
import org.diffcert.onnx.OnnxClassifier;
import org.diffcert.onnx.OnnxGradients;
import org.diffcert.onnx.OnnxOptions;
import org.diffcert.onnx.OnnxTarget;
import org.diffcert.run.Origin;
import org.diffcert.schedule.ClassifierKind;
import org.diffcert.schedule.GridKind;
import org.diffcert.schedule.Schedule;
import org.diffcert.schedule.Weighting;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options that make a classifier that is attacked, as it is and without smoothing noise. */
final class TargetArguments {
  /** The name of the robust diffusion classifier. */
  static final String RDC = "rdc";
  /** What only a classifier of diffusion models reads. */
  private static final List<String> OF_DIFFUSION = List.of("--levels", "--grid", "--weights", "--no-clamp",
      "--sampling", "--noise", "--batch",
      "--config", "--isa", "--device", "--threads");
  /** What only likelihood maximisation reads. */
  private static final List<String> OF_MAXIMIZATION =
      List.of("--lm", "--lm-norm", "--lm-radius", "--gradient", "--unconditional-model");

  @Spec(Spec.Target.MIXEE)
  CommandSpec command;

  @Mixin
  ModelArguments network;

  @Mixin
  OnnxArguments onnx;

  @Option(names = "--classifier", required = true, paramLabel = "NAME",
      description = "dc: the diffusion classifier; dc-multihead: dc, of a model with a head for each class (dc and rdc "
          + "take one, too); rdc: dc behind likelihood maximisation; onnx: the classifier in an ONNX file, with "
          + "gradients if its operators have any.")
  String classifier;

  @Option(names = "--unconditional-model", paramLabel = "FILE",
      description = "rdc: a network of its own for likelihood maximisation. Default: --model without a label.")
  Path unconditionalModel;

  @Option(names = "--levels", defaultValue = "10", paramLabel = "N",
      description = "dc, rdc: grid points of the noise levels. Default: ${DEFAULT-VALUE}; the published scripts have "
          + "126.")
  int levels;

  @Option(names = "--grid", defaultValue = "log", paramLabel = "KIND",
      description = "dc, rdc: linear or log. Default: ${DEFAULT-VALUE}; the published scripts have linear.")
  String grid;

  @Option(names = "--weights", defaultValue = "edm", paramLabel = "KIND",
      description = "dc, rdc: edm, published or elbo. Default: ${DEFAULT-VALUE}.")
  String weights;

  @Option(names = "--no-clamp", description = "dc, rdc: do not clamp the network's output, as the released code does "
      + "not.")
  boolean noClamp;

  @Option(names = "--sampling", defaultValue = "systematic", paramLabel = "KIND",
      description = "dc, rdc: systematic (the grid's levels) or random (as many uniform ones). Default: "
          + "${DEFAULT-VALUE}.")
  String sampling;

  @Option(names = "--noise", defaultValue = "fixed", paramLabel = "MODE",
      description = "dc, rdc: fixed (an image has one noise, which attacks know) or fresh (each answer has its own, "
          + "and attacks do not see that which they are judged by). Default: ${DEFAULT-VALUE}.")
  String noise;

  @Option(names = "--lm", defaultValue = "corrected", paramLabel = "FORM",
      description = "rdc: likelihood maximisation as corrected or as published. Default: ${DEFAULT-VALUE}.")
  String form;

  @Option(names = "--lm-norm", defaultValue = "linf", paramLabel = "NORM",
      description = "rdc, corrected: how the ball of likelihood maximisation is measured, l2 or linf. Default: "
          + "${DEFAULT-VALUE}.")
  String lmNorm;

  @Option(names = "--lm-radius", defaultValue = "0.2", paramLabel = "R",
      description = "rdc, corrected: its radius in [0,1] pixel units. Default: ${DEFAULT-VALUE}.")
  double lmRadius;

  @Option(names = "--gradient", defaultValue = "bpda", paramLabel = "WAY",
      description = "rdc: what gradients do at likelihood maximisation: bpda (pass unchanged) or full (back through "
          + "every step). Default: ${DEFAULT-VALUE}.")
  String gradient;

  @Option(names = "--smooth", paramLabel = "S",
      description = "Attack the classifier under Gaussian noise of this sigma, in [0,1] pixel units: with --eot K, "
          + "means over K noises, the smoothed classifier that certificates are about.")
  String smooth;

  @Option(names = "--batch", defaultValue = "auto", paramLabel = "N",
      description = "dc, rdc: largest batch of the network, or auto. Nothing depends on it. Default: ${DEFAULT-VALUE}.")
  String batch;

  /** What is attacked, with the networks under it; closing it closes all. */
  record Opened(AttackTarget target, List<DiffusionModel> models, String device, String build,
      Origin origin) implements AutoCloseable {
    @Override
    public void close() {
      Closing.all(Stream.concat(Stream.of(target), models.stream()).toList());
    }
  }

  /** What is asked for, checked and not opened. */
  interface Plan {
    /** Opens it for data whose classes have these names. */
    Opened open(Terminal terminal, List<String> classNames);
  }

  /** Checks the options; gradients: whether they will be asked for. */
  Plan plan(long seed, boolean gradients) {
    Plan plain = plainPlan(seed, gradients);
    if (smooth == null) {
      return plain;
    }
    List<Sigma> sigmas = Arguments.sigmas(smooth);
    if (sigmas.size() != 1) {
      throw DiffcertException.usage("--smooth is '" + smooth + "', an attack is on the classifier of one sigma");
    }
    return (terminal, names) -> {
      Opened opened = plain.open(terminal, names);
      terminal.say("smoothed sigma " + sigmas.get(0) + ", noise fresh for each answer");
      return new Opened(new SmoothedTarget(opened.target(), sigmas.get(0), seed), opened.models(), opened.device(),
          opened.build(), opened.origin());
    };
  }

  private Plan plainPlan(long seed, boolean gradients) {
    boolean isRdc = classifier.equals(RDC);
    if (!isRdc) {
      refuse(OF_MAXIMIZATION);
    }
    if (classifier.equals(OnnxArguments.NAME)) {
      refuse(OF_DIFFUSION);
      OnnxOptions given = onnx.options();
      OnnxOptions options = onnx.batch != null ? given : given.withBatch(1);
      return (terminal, names) -> openOnnx(onnx.classes(options, names), gradients, terminal);
    }
    onnx.refuseAny();
    if (!isRdc && !classifier.equals(ClassifierKind.DC.cliName())
        && !classifier.equals(ClassifierArguments.MULTI_HEAD)) {
      throw DiffcertException.usage("--classifier is '" + classifier
          + "', attacks are on dc, dc-multihead, rdc or onnx; what certify smooths is held "
          + "against attacked images by 'attack check-all'");
    }
    if (!noise.equals("fixed") && !noise.equals("fresh")) {
      throw DiffcertException.usage("--noise is '" + noise + "', must be fixed or fresh");
    }
    Schedule schedule = Schedule.of(ClassifierKind.DC, new Sigma(1), levels, GridKind.of(grid), Weighting.of(weights));
    DiffusionTarget.Options options = new DiffusionTarget.Options(schedule, TimeSampling.of(sampling), !noClamp,
        noise.equals("fresh"), seed, DiffusionTarget.Through.of(gradient));
    MaximizerForm chosen = MaximizerForm.of(form);
    if (isRdc && chosen == MaximizerForm.PUBLISHED) {
      refuse(List.of("--lm-norm", "--lm-radius"));
    }
    AttackNorm norm = AttackNorm.of(lmNorm);
    Maximizer.settings(chosen, norm, lmRadius);
    int rows = Arguments.batch(batch);
    return (terminal, names) -> open(terminal, options, isRdc ? Optional.of(chosen) : Optional.empty(), norm, gradients,
        rows == DeviceOptions.DEVICES_CHOICE ? Math.min(DeviceOptions.DEFAULT_MAX_BATCH, schedule.size()) : rows);
  }

  /** Options that were typed and are not read are a mistake. */
  private void refuse(List<String> options) {
    for (String option : options) {
      if (command.commandLine().getParseResult().hasMatchedOption(option)) {
        throw DiffcertException.usage(option + " does not go with --classifier " + classifier
            + (option.startsWith("--lm-") && classifier.equals(RDC) ? " --lm published" : ""));
      }
    }
  }

  private Opened openOnnx(OnnxOptions options, boolean gradients, Terminal terminal) {
    Optional<OnnxGradients> differentiated =
        gradients ? Optional.of(OnnxGradients.open(network.model, options)) : Optional.empty();
    OnnxClassifier opened = OnnxClassifier.open(network.model, options);
    terminal.say("target   onnx, " + network.model.getFileName() + ", digest " + opened.digest().substring(0, 16)
        + ", " + opened.build());
    return new Opened(new OnnxTarget(opened, differentiated), List.of(), options.provider().kind(), opened.build(),
        Origin.here(String.valueOf(network.model.getFileName()), "", opened.build(), "", opened.build()));
  }

  private Opened open(Terminal terminal, DiffusionTarget.Options options, Optional<MaximizerForm> maximization,
      AttackNorm norm, boolean gradients, int rows) {
    Device device = network.gradientDevice(terminal);
    // Likelihood maximisation descends a gradient of its own, whatever the attack.
    boolean differentiate = gradients || maximization.isPresent();
    DeviceOptions how = network.options(device, rows).withGradients(differentiate ? Gradients.IMAGE : Gradients.NONE);
    DiffusionModel model = network.open(network.model, how);
    DiffusionModel second = null;
    try {
      if (classifier.equals(ClassifierArguments.MULTI_HEAD) && !model.config().multiHead()) {
        throw DiffcertException.usage("--classifier " + classifier + " takes a model with a head for each class; "
            + network.model.getFileName() + " has one head, so that --classifier dc is for it");
      }
      second = unconditionalModel == null ? model : network.open(unconditionalModel, how);
      DiffusionModel other = second;
      Optional<Maximizer> maximizer = maximization.map(
          chosen -> new Maximizer(other, chosen, Maximizer.settings(chosen, norm, lmRadius), options.seed()));
      DiffusionTarget target = new DiffusionTarget(model, maximizer, options);
      terminal.say("target   " + classifier + ", " + network.model.getFileName() + ", digest " + model.digest()
          .substring(0, 16) + ", "
          + options.schedule().size() + " levels, noise " + (maximization.equals(Optional.of(MaximizerForm.PUBLISHED))
              ? "the same always"
              : options.fresh() ? "fresh for each answer" : "one for each image"));
      maximizer.ifPresent(m -> terminal.say("lm       " + m.form().cliName() + ", " + m.settings().steps()
          + " steps in a ball of "
          + m.settings().norm().cliName() + " radius " + m.settings().radius() / 2 + ", gradients " + gradient));
      Origin origin = Origin.here(String.valueOf(network.model.getFileName()),
          unconditionalModel == null ? "" : String.valueOf(unconditionalModel.getFileName()), device.describe(),
              device.driver(),
          NativeLibrary.buildInfo());
      return new Opened(target, second == model ? List.of(model) : List.of(model, second), model.options().identity(),
          NativeLibrary.buildDigest(), origin);
    } catch (RuntimeException e) {
      if (second != null && second != model) {
        second.close();
      }
      model.close();
      throw e;
    }
  }

  /** The seed: the one given, that of the run that is gone on with, or a fresh one. */
  static long seed(String text, OptionalLong recorded) {
    return Arguments.seed(text).orElseGet(() -> recorded.orElseGet(Arguments::freshSeed));
  }
}
