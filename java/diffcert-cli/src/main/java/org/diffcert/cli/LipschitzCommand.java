package org.diffcert.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.diffcert.DiffcertException;
import org.diffcert.analyze.Decimals;
import org.diffcert.certify.LipschitzCertificate;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.LipschitzClassifier;
import org.diffcert.image.ImageData;
import org.diffcert.run.ImageRange;
import org.diffcert.stats.LossLipschitz;
import org.diffcert.stats.MeanBound;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code diffcert lipschitz}: the direct certificate of the diffusion classifier, printed with what it is not. */
@Command(name = "lipschitz", mixinStandardHelpOptions = true, sortOptions = false,
    description = "The direct certificate of the diffusion classifier, without smoothing noise: margin of the expected "
        + "losses over their Lipschitz constant. It is a real-arithmetic statement, not float-sound; certify is.")
final class LipschitzCommand implements Callable<Integer> {
  @Mixin
  ModelArguments network;

  @Mixin
  ImagesArguments images;

  @Option(names = "--levels", required = true, paramLabel = "S[,S..]",
      description = "Noise levels in EDM space, equally weighted; the constant grows with 1/S, 2 is a good one.")
  String levels;

  @Option(names = "--n0", defaultValue = "10", paramLabel = "N",
      description = "Draws that choose the class. Default: ${DEFAULT-VALUE}.")
  int n0;

  @Option(names = "--n", defaultValue = "1000", paramLabel = "N",
      description = "Draws that bound its margin. Default: ${DEFAULT-VALUE}.")
  int n;

  @Option(names = "--alpha", defaultValue = "0.001", paramLabel = "A",
      description = "Error probability of an image. Default: ${DEFAULT-VALUE}.")
  double alpha;

  @Option(names = "--bound", defaultValue = "betting", paramLabel = "NAME",
      description = "hoeffding, bernstein or betting. Default: ${DEFAULT-VALUE}.")
  String bound;

  @Option(names = "--seed", defaultValue = "auto", paramLabel = "N",
      description = "auto = 64 fresh random bits; a number repeats a run. Default: ${DEFAULT-VALUE}.")
  String seed;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    double[] given = Arguments.radii("--levels", levels).stream().mapToDouble(Double::doubleValue).toArray();
    MeanBound method = MeanBound.of(bound);
    if (Arrays.stream(given).anyMatch(level -> level == 0)) {
      throw DiffcertException.usage("--levels has 0, noise levels must be above 0");
    }
    if (n0 < 1 || n < 1) {
      throw DiffcertException.usage("--n0 is " + n0 + " and --n is " + n + ", each must be at least 1");
    }
    if (!(alpha >= 1e-300 && alpha < 0.5)) {
      throw DiffcertException.usage("--alpha is " + alpha + ", must be at least 1e-300 and below 1/2");
    }
    double[] weights = new double[given.length];
    Arrays.fill(weights, 1.0 / given.length);
    long key = Arguments.seed(seed).orElseGet(Arguments::freshSeed);
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    try (ImageData set = images.open();
        DiffusionModel model = network.open(network.model, network.device(terminal), 80)) {
      ImageRange range = images.range(set);
      LipschitzClassifier classifier = new LipschitzClassifier(model, given, weights, key);
      describe(terminal, classifier.constants(), key);
      for (int i = 0; i < range.size(); i++) {
        int image = range.get(i);
        terminal.progress("lipschitz", i, range.size(), 0);
        LipschitzCertificate c = classifier.certify(set.image(image), image, n0, n, method, alpha);
        terminal.say(row(c, image, set));
      }
    }
    return 0;
  }

  private void describe(Terminal terminal, LossLipschitz constants, long key) {
    terminal.say("label    " + LipschitzCertificate.LABEL);
    terminal.say(String.format(Locale.ROOT, "constant %.6f a pixel unit for a difference of losses, each at most %s; "
        + "the published form gives %.6f for one loss", constants.ofDifference(), constants.largestLoss(),
        constants.published()));
    terminal.say("draws    " + n + ", bound by " + bound + " at alpha " + alpha + ", seed "
        + Long.toUnsignedString(key));
  }

  private static String row(LipschitzCertificate c, int image, ImageData set) {
    List<String> names = set.classNames();
    String found = c.abstains() ? "abstain" : names.get(c.predict()) + "  radius " + Decimals.down(c.radius(), 4)
        + " (" + LipschitzCertificate.LABEL + ")";
    return String.format(Locale.ROOT, "image %5d  label %s  %s", image, names.get(set.label(image)), found);
  }
}
