package org.diffcert.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.diffcert.Closing;
import org.diffcert.DiffcertException;
import org.diffcert.certify.Cascade;
import org.diffcert.certify.VoteSource;
import org.diffcert.denoise.Purification;
import org.diffcert.diffusion.ClassifierOptions;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DiffusionClassifier;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.NativeLibrary;
import org.diffcert.diffusion.NoiseMode;
import org.diffcert.diffusion.Pruning;
import org.diffcert.image.ImageData;
import org.diffcert.noise.Sigma;
import org.diffcert.onnx.OnnxOptions;
import org.diffcert.run.Origin;
import org.diffcert.schedule.ClassifierKind;
import org.diffcert.schedule.GridKind;
import org.diffcert.schedule.Weighting;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options that make a classifier under smoothing noise of a network: certify and predict share them. */
final class ClassifierArguments {
  /** What only a diffusion classifier reads. */
  private static final List<String> OF_LEVELS = List.of("--levels", "--grid", "--weights");
  /** What only the pruning of a diffusion classifier reads. */
  private static final List<String> OF_PRUNING =
      List.of("--sift-levels", "--sift-threshold", "--keep", "--prune-error");
  /** What only a diffusion model reads. */
  private static final List<String> OF_NETWORKS = List.of("--no-clamp", "--batch", "--config", "--isa");

  /** The command that was typed; those of these options that it lacks, a run's header tells. */
  @Spec(Spec.Target.MIXEE)
  CommandSpec command;

  @Mixin
  ModelArguments network;

  @Option(names = "--unconditional-model", paramLabel = "FILE",
      description = "A network of its own for the unconditional estimate of apndc and apndc-ensemble. "
          + "Default: --model without a label.")
  Path unconditionalModel;

  /** dc of a multi-head model: a name that refuses another model; such runs are recorded as dc of that model. */
  static final String MULTI_HEAD = "dc-multihead";

  @Option(names = "--classifier", required = true, paramLabel = "NAME",
      description = "dc, epndc, apndc, apndc-conditional or apndc-ensemble; dc-multihead: dc, of a model with a head "
          + "for each class (any of them takes one, at one network call for all classes); onnx: the classifier in an "
          + "ONNX file, under integer noise; denoised: --onnx behind the denoised estimate of --model; densepure: "
          + "--onnx behind several runs of --model's reverse chain, by majority; cascade: --base at every --sigma, "
          + "from the largest down, until one answers.")
  String classifier;

  @Mixin
  OnnxArguments onnx;

  @Mixin
  DenoiserArguments denoiser;

  @Mixin
  CascadeArguments cascade;

  @Option(names = "--sigma", required = true, paramLabel = "S[,S..]",
      description = "Smoothing noise in [0,1] pixel units. Several share the error probability.")
  String sigma;

  @Option(names = "--levels", defaultValue = "126", paramLabel = "N",
      description = "Grid points of the noise levels, counted as the published scripts do. Default: ${DEFAULT-VALUE}.")
  int levels;

  @Option(names = "--grid", defaultValue = "linear", paramLabel = "KIND",
      description = "linear or log. Default: ${DEFAULT-VALUE}.")
  String grid;

  @Option(names = "--weights", defaultValue = "edm", paramLabel = "KIND",
      description = "edm (the intended log-normal), published (as the released code has it) or elbo (exact). "
          + "Default: ${DEFAULT-VALUE}.")
  String weights;

  @Option(names = "--no-clamp", description = "Do not clamp the network's output, as the released code does not.")
  boolean noClamp;

  @Option(names = "--noise", defaultValue = "integer", paramLabel = "MODE",
      description = "integer (sound) or float (for comparison with published runs only: not a sound certificate). "
          + "epndc with several sigmas takes integer noise along one path, so that one pass over the network "
          + "serves all. Default: ${DEFAULT-VALUE}.")
  String noise;

  @Option(names = "--prune", defaultValue = "none", paramLabel = "RULE",
      description = "Drop classes while a vote is made, for fewer network calls; the votes so made are what is "
          + "certified. none; published: sift on coarse levels, then compute the best classes in full, as the released "
          + "code does; paired: drop a class when its differences to the leader say that it will not win. "
          + "Default: ${DEFAULT-VALUE}.")
  String prune;

  @Option(names = "--sift-levels", paramLabel = "N",
      description = "--prune published: grid points of the levels that sift. Default: 50.")
  Integer siftLevels;

  @Option(names = "--sift-threshold", paramLabel = "T",
      description = "--prune published: a class goes when its loss exceeds the least by more. Default: 5e-5.")
  Double siftThreshold;

  @Option(names = "--keep", paramLabel = "N",
      description = "--prune published: classes at most that are computed in full. Default: 10.")
  Integer keep;

  @Option(names = "--prune-error", paramLabel = "E",
      description = "--prune paired: nominal probability that a vote drops its winner; 0 drops nothing. Default: 0.01.")
  Double pruneError;

  @Option(names = "--seed", defaultValue = "auto", paramLabel = "N",
      description = "auto = 64 fresh random bits, recorded; a number makes a reproduction run. "
          + "Default: ${DEFAULT-VALUE}.")
  String seed;

  @Option(names = "--batch", defaultValue = "auto", paramLabel = "N",
      description = "Largest batch of the network, or auto: 80 on a CPU, by free memory and multiprocessors on a GPU. "
          + "Votes do not depend on it. Default: ${DEFAULT-VALUE}.")
  String batch;

  /**
   * Votes with the networks under them; closing it closes all. Device and build are what a run's header says of where
   * it is computed, the origin where a run with it begins.
   */
  record Opened(VoteSource classifier, List<DiffusionModel> models, String device, String build, Origin origin)
      implements AutoCloseable {
    @Override
    public void close() {
      Closing.all(Stream.concat(Stream.of(classifier), models.stream()).toList());
    }
  }

  /** What the options ask for, checked and not opened: the levels, whether they are a cascade, and how to open it. */
  record Plan(List<Sigma> sigmas, Optional<Cascade> cascade, BiFunction<Terminal, List<String>, Opened> opening) {
    /** Opens it for data whose classes have these names. */
    Opened open(Terminal terminal, List<String> classNames) {
      return opening.apply(terminal, classNames);
    }
  }

  /**
   * What the options ask for, checked without opening anything.
   *
   * @param recorded the seed of the run that is gone on with, empty for none; taken where the seed is auto
   */
  Plan plan(OptionalLong recorded) {
    Optional<Cascade> settings = settings();
    if (!isOfUsers()) {
      onnx.refuseAny();
      denoiser.refuseAny();
      ClassifierOptions options = options(recorded);
      if (!options.kind().readsUnconditional()) {
        refuse(List.of("--unconditional-model"));
      }
      return new Plan(options.sigmas(), settings, (terminal, names) -> open(terminal, options));
    }
    if (!noise.equals("integer")) {
      throw DiffcertException.usage("--noise is '" + noise + "', --classifier " + voter()
          + " takes integer noise only");
    }
    if (unconditionalModel != null || !prune.equals("none")) {
      throw DiffcertException.usage("--unconditional-model and --prune do not go with --classifier " + voter());
    }
    refuse(OF_LEVELS);
    refuse(OF_PRUNING);
    int threads = network.threads();
    OnnxOptions input = onnx.options();
    List<Sigma> sigmas = Arguments.sigmas(sigma);
    Scales scales = new Scales(sigmas, isCascade());
    long value = seed(recorded);
    if (DenoiserArguments.isOne(voter())) {
      Purification how = denoiser.purification(voter());
      return new Plan(sigmas, settings, (terminal, names) -> denoiser.open(this,
          onnx.classes(input, names), how, scales, value, terminal));
    }
    denoiser.refuseAny();
    refuse(OF_NETWORKS);
    if (!network.device.equals("auto") && !network.device.equals("cpu")) {
      throw DiffcertException.usage("--device is '" + network.device + "', --classifier onnx takes --onnx-device");
    }
    return new Plan(sigmas, settings, (terminal, names) -> OnnxArguments.open(network.model,
        onnx.classes(input, names), scales, value, threads, seedText(value), terminal));
  }

  /** Options that were typed and are not read are a mistake; those that a header tells were not typed. */
  private void refuse(List<String> options) {
    for (String option : options) {
      if (command.commandLine().getParseResult().hasMatchedOption(option)) {
        throw DiffcertException.usage(option + " does not go with --classifier " + voter());
      }
    }
  }

  /** Whether a model of any user's classifies. */
  private boolean isOfUsers() {
    return voter().equals(OnnxArguments.NAME) || DenoiserArguments.isOne(voter());
  }

  private boolean isCascade() {
    return classifier.equals(CascadeArguments.NAME);
  }

  /** What casts the votes: the classifier, or what a cascade asks at each sigma. */
  private String voter() {
    return isCascade() ? cascade.base : classifier;
  }

  private Optional<Cascade> settings() {
    if (isCascade()) {
      if (!noise.equals("integer")) {
        throw DiffcertException.usage("--noise is '" + noise + "', --classifier cascade takes integer noise only");
      }
      return Optional.of(cascade.settings());
    }
    cascade.refuseAny();
    return Optional.empty();
  }

  /** The seed as it is said, with what a given one makes of the run. */
  String seedText(long value) {
    return "seed " + Long.toUnsignedString(value) + (seed.equals("auto") ? "" : " (given: a reproduction run)");
  }

  /** Refuses a model of any user's that does not fit the data. */
  void refuseUnfit(Opened opened, ImageData data) {
    if (isOfUsers()) {
      OnnxArguments.refuseUnfit(opened, data);
    }
  }

  private long seed(OptionalLong recorded) {
    return Arguments.seed(seed).orElseGet(() -> recorded.orElseGet(Arguments::freshSeed));
  }

  /** The same of a diffusion classifier. */
  ClassifierOptions options(OptionalLong recorded) {
    if (voter().equals(TargetArguments.RDC)) {
      throw DiffcertException.usage("--classifier rdc has no certificate: it looks for noise of its own in an image "
          + "that has the smoothing noise already; attack it with 'attack run', and certify the same network with "
          + "apndc-ensemble");
    }
    ClassifierKind kind = voter().equals(MULTI_HEAD) ? ClassifierKind.DC : ClassifierKind.of(voter());
    List<Sigma> sigmas = Arguments.sigmas(sigma);
    NoiseMode mode = noiseMode(kind, isCascade() ? 1 : sigmas.size());
    ClassifierOptions options = new ClassifierOptions(kind, sigmas, levels, GridKind.of(grid), Weighting.of(weights),
        !noClamp, mode, seed(recorded), 0, pruning());
    options.schedules();
    options.siftSchedules();
    return options;
  }

  /** Opens networks and classifier. */
  Opened open(Terminal terminal, ClassifierOptions options) {
    Device device = network.device(terminal);
    DiffusionModel model = network.open(network.model, device, Arguments.batch(batch));
    DiffusionModel unconditional = null;
    try {
      if (voter().equals(MULTI_HEAD) && !model.config().multiHead()) {
        throw DiffcertException.usage("--classifier " + MULTI_HEAD + " takes a model with a head for each class; "
            + fileName(network.model) + " has one head, so that --classifier dc is for it");
      }
      unconditional = unconditionalModel == null ? null : network.open(unconditionalModel, device,
          Arguments.batch(batch));
      DiffusionModel second = unconditional;
      VoteSource opened = new Scales(options.sigmas(), isCascade()).votes(
          sigmas -> DiffusionClassifier.open(model, second, options.withSigmas(sigmas)));
      terminal.say("model    " + fileName(network.model) + ", digest " + model.digest().substring(0, 16));
      boolean pruned = options.pruning().kind() != Pruning.Kind.NONE;
      terminal.say("votes    " + options.kind().cliName()
          + (pruned ? ", pruned: " + options.pruning() + ", at most " : ", ") + opened.callsPerSample()
          + (isCascade() ? " network calls for all sigmas, " : " network calls each, ") + seedText(options.seed()));
      if (options.noise() == NoiseMode.FLOAT) {
        terminal.say("warning  float noise is for comparison with published runs; it is not a sound certificate");
      }
      Origin origin = Origin.here(fileName(network.model), fileName(unconditionalModel), device.describe(),
          device.driver(), NativeLibrary.buildInfo());
      return new Opened(opened, unconditional == null ? List.of(model) : List.of(model, unconditional),
          model.options().identity(), NativeLibrary.buildDigest(), origin);
    } catch (RuntimeException e) {
      if (unconditional != null) {
        unconditional.close();
      }
      model.close();
      throw e;
    }
  }

  private Pruning pruning() {
    Pruning.Kind kind = Pruning.Kind.of(prune);
    if (kind != Pruning.Kind.PUBLISHED && (siftLevels != null || siftThreshold != null || keep != null)) {
      throw DiffcertException.usage("--sift-levels, --sift-threshold and --keep belong to --prune published");
    }
    if (kind != Pruning.Kind.PAIRED && pruneError != null) {
      throw DiffcertException.usage("--prune-error belongs to --prune paired");
    }
    Pruning published = Pruning.PUBLISHED;
    return switch (kind) {
      case NONE -> Pruning.NONE;
      case PUBLISHED -> Pruning.published(siftLevels == null ? published.siftLevels() : siftLevels,
          siftThreshold == null ? published.threshold() : siftThreshold, keep == null ? published.keep() : keep);
      case PAIRED -> pruneError == null ? Pruning.PAIRED : Pruning.paired(pruneError);
    };
  }

  private NoiseMode noiseMode(ClassifierKind kind, int sigmas) {
    return switch (noise) {
      case "integer" -> kind == ClassifierKind.EPNDC && sigmas > 1 ? NoiseMode.PATH : NoiseMode.INTEGER;
      case "float" -> NoiseMode.FLOAT;
      case "uniform", "laplace" -> throw DiffcertException.usage("--noise " + noise + " does not go with a diffusion "
          + "classifier, whose levels are matched to Gaussian noise; from Java, NoisyVotes casts votes of any other "
          + "classifier under it");
      default -> throw DiffcertException.usage("--noise is '" + noise + "', must be integer or float");
    };
  }

  private static String fileName(Path path) {
    return path == null ? "" : String.valueOf(path.getFileName());
  }
}
