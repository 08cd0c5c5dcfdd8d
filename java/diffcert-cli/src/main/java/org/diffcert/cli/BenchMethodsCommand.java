package org.diffcert.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.diffcert.DiffcertException;
import org.diffcert.analyze.Decimals;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.image.ImageData;
import org.diffcert.image.ImageSource;
import org.diffcert.noise.Sigma;
import org.diffcert.onnx.OnnxOptions;
import org.diffcert.schedule.GridKind;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code diffcert bench methods}: the cost table of the papers, measured here. Network calls a vote by the formula and
 * as counted, which must be equal; seconds a vote; seconds to certify and to predict an image, scaled from votes cast.
 */
@Command(name = "methods", mixinStandardHelpOptions = true, sortOptions = false,
    description = "The papers' cost table for every method here: network calls a vote by the formula and as counted "
        + "(exit code 6 if they differ), seconds to certify and to predict an image, on this machine.")
final class BenchMethodsCommand implements Callable<Integer> {
  private static final String HEAD = "method\tpapers\tpublished_calls\tformula\tcalls\tat_most\tcounted_calls_per_vote"
      + "\tvotes_timed\tseconds_per_vote\tseconds_one_vote\tseconds_certify\tseconds_predict\n";

  @Mixin
  NetworkArguments network;

  @Option(names = "--model", paramLabel = "FILE", description = "The diffusion model. Default: the shipped one.")
  Path model;

  @Option(names = "--onnx", paramLabel = "FILE",
      description = "A classifier in an ONNX file, for the methods that need one; without it they are left out.")
  Path onnx;

  @Option(names = "--multi-head", paramLabel = "FILE",
      description = "A network with a head for each class, for one more line. "
          + "Default: the shipped one beside the shipped --model.")
  Path heads;

  @Option(names = "--data", paramLabel = "SET", description = "Images of the model's shape. Default: the shipped ones.")
  String data;

  @Option(names = "--image", defaultValue = "0", paramLabel = "I",
      description = "Which of them. Default: ${DEFAULT-VALUE}.")
  int image;

  @Option(names = "--sigma", defaultValue = "0.5", paramLabel = "S", description = "Noise. Default: ${DEFAULT-VALUE}.")
  String sigma;

  @Option(names = "--levels", defaultValue = "126", paramLabel = "N",
      description = "Grid points of diffusion classifiers. Default: ${DEFAULT-VALUE}.")
  int levels;

  @Option(names = "--grid", defaultValue = "linear", paramLabel = "KIND",
      description = "linear or log. Default: ${DEFAULT-VALUE}.")
  String grid;

  @Option(names = "--votes", defaultValue = "10", paramLabel = "K",
      description = "Runs of densepure. Default: ${DEFAULT-VALUE}.")
  int votes;

  @Option(names = "--steps", defaultValue = "40", paramLabel = "B",
      description = "Their steps. Default: ${DEFAULT-VALUE}.")
  int steps;

  @Option(names = "--n0", defaultValue = "100", paramLabel = "N",
      description = "Votes that choose the class. Default: ${DEFAULT-VALUE}.")
  int n0;

  @Option(names = "--n", defaultValue = "10000", paramLabel = "N",
      description = "Votes that bound its probability. Default: ${DEFAULT-VALUE}.")
  int n;

  @Option(names = "--predict-n", defaultValue = "1000", paramLabel = "N",
      description = "Votes of a prediction. Default: ${DEFAULT-VALUE}.")
  int predict;

  @Option(names = "--seconds", defaultValue = "2", paramLabel = "S",
      description = "About how long each method is timed; at least two votes each. Default: ${DEFAULT-VALUE}.")
  double seconds;

  @Option(names = "--tsv", paramLabel = "FILE", description = "Write the table with 17 digits.")
  Path tsv;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    List<Sigma> levelsOfNoise = Arguments.sigmas(sigma);
    GridKind spacing = GridKind.of(grid);
    if (levelsOfNoise.size() != 1 || n0 < 1 || n < 1 || predict < 1 || !(seconds > 0 && seconds <= 3600)) {
      throw DiffcertException.usage("bench methods takes one --sigma, --n0, --n and --predict-n of at least 1, and "
          + "--seconds above 0 and at most 3600");
    }
    Path root = Path.of(System.getProperty("diffcert.root", "")).toAbsolutePath().normalize();
    Path file = model == null ? root.resolve("models/mnist-edm.safetensors") : model;
    Path many = heads != null || model != null ? heads : root.resolve("models/mnist-edm-heads.safetensors");
    Device device = network.device(terminal);
    try (ImageData set = ImageSource.open(data == null ? "mnist:" + root.resolve("data/mnist") : data);
        DiffusionModel opened = network.open(file, device, Arguments.batch("auto"));
        DiffusionModel second = many == null ? null : network.open(many, device, Arguments.batch("auto"))) {
      if (image < 0 || image >= set.size()) {
        throw DiffcertException.usage("--image is " + image + ", there are " + set.size() + " images");
      }
      MethodTable table = new MethodTable(opened, levelsOfNoise.get(0), levels, spacing, set.classNames().size(),
          network.threads());
      terminal.say("machine  " + device.describe() + "; " + System.getProperty("os.name") + " "
          + System.getProperty("os.arch") + ", Java " + System.getProperty("java.version"));
      terminal.say("model    " + file.getFileName() + ", digest " + opened.digest().substring(0, 16) + "; image "
          + image + " of " + set.name() + ", C = " + set.classNames().size() + " classes");
      terminal.say("levels   N = " + levels + " grid points, " + spacing.cliName() + "; sigma " + sigma);
      if (onnx != null) {
        table.addOnnx(onnx, OnnxOptions.DEFAULT, votes, steps);
        terminal.say("onnx     " + onnx.getFileName());
      } else {
        terminal.say("left out onnx, denoised, densepure and cascade of denoised: they need a classifier in an ONNX "
            + "file, and none is shipped; give one with --onnx");
      }
      table.addClassifiers();
      if (second != null) {
        if (!second.config().multiHead()) {
          throw DiffcertException.usage("--multi-head is " + many.getFileName() + ", which has one head");
        }
        table.addHeads(second);
        terminal.say("heads    " + many.getFileName() + ", digest " + second.digest().substring(0, 16));
      }
      terminal.say("left out rdc: no certificate exists for it, so it casts no votes; an answer takes 5 calls there "
          + "and back beside those of dc");
      print(terminal, table.lines(), set);
    }
    return 0;
  }

  private void print(Terminal terminal, List<MethodCost> lines, ImageData set) {
    Table table = new Table("method", "calls a vote: published", "here", "=", "counted", "votes timed", "a vote",
        "one vote alone", "certify an image", "predict an image");
    StringBuilder out = new StringBuilder(HEAD);
    int done = 0;
    for (MethodCost line : lines) {
      terminal.progress("bench " + line.name(), done++, lines.size(), 0);
      MethodCost.Measured measured = line.measure(set.image(image), image, seconds);
      line.check(measured);
      double certify = measured.seconds() * ((double) n0 + n);
      double predicted = measured.seconds() * predict;
      table.row(line.name(), line.published(), line.formula(), (line.most() ? "<= " : "") + line.calls(),
          Decimals.brief(measured.callsPerVote()), Integer.toString(measured.votes()), time(measured.seconds()),
          time(measured.alone()), time(certify), time(predicted));
      out.append(String.join("\t", line.name(), line.papers(), line.published(), line.formula(),
          Long.toString(line.calls()), line.most() ? "1" : "0", Decimals.seventeen(measured.callsPerVote()),
          Integer.toString(measured.votes()), Decimals.seventeen(measured.seconds()),
          Decimals.seventeen(measured.alone()), Decimals.seventeen(certify), Decimals.seventeen(predicted)))
          .append('\n');
    }
    terminal.wipe();
    terminal.say("");
    terminal.say(table.toString());
    terminal.say("");
    terminal.say("Calls counted are those of the formula in every line. A call is one image through the diffusion "
        + "model (the ONNX classifier for onnx);");
    terminal.say("\"one vote alone\" is what the papers call inference. Certify: n0 + n = " + ((long) n0 + n)
        + " votes, predict: " + predict + " votes, both scaled from the votes timed.");
    terminal.say("A cascade's vote is one at each of its 3 stages, what an image takes that walks through all.");
    AnalyzeCommand.write(tsv, out.toString());
  }

  /** A duration for a person, below a second in milliseconds. */
  private static String time(double seconds) {
    return seconds < 1 ? String.format(Locale.ROOT, "%.3g ms", 1e3 * seconds)
        : Terminal.time(Duration.ofNanos((long) (seconds * 1e9)));
  }
}
