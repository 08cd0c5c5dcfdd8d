package org.diffcert.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.diffcert.DiffcertException;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Prediction;
import org.diffcert.certify.Predictor;
import org.diffcert.image.ImageData;
import org.diffcert.run.ImageRange;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code diffcert predict}: the smoothed classifier's prediction with abstention (PREDICT of Cohen et al.). */
@Command(name = "predict", mixinStandardHelpOptions = true, sortOptions = false,
    description = "Predicts images with the smoothed classifier; abstains where the votes leave doubt at level alpha.")
final class PredictCommand implements Callable<Integer> {
  @Mixin
  ClassifierArguments classifier;

  @Mixin
  ImagesArguments images;

  @Option(names = "--out", paramLabel = "FILE",
      description = "Also write the table here: idx, label, predict, correct, time.")
  Path out;

  @Option(names = "--n", defaultValue = "1000", paramLabel = "N", description = "Samples. Default: ${DEFAULT-VALUE}.")
  int n;

  @Option(names = "--alpha", defaultValue = "0.001", paramLabel = "A",
      description = "Error probability. Default: ${DEFAULT-VALUE}.")
  double alpha;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    ClassifierArguments.Plan plan = classifier.plan(OptionalLong.empty());
    if (plan.cascade().isPresent()) {
      throw DiffcertException.usage("predict is for one smoothed classifier a sigma; certify says what a cascade's "
          + "deployed predictor makes of each image, beside its certificate");
    }
    if (out != null && plan.sigmas().size() > 1) {
      throw DiffcertException.usage("--out takes the table of one sigma; run predict once a sigma");
    }
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    StringBuilder table = new StringBuilder("idx\tlabel\tpredict\tcorrect\ttime\n");
    try (ImageData set = images.open();
        ClassifierArguments.Opened opened = plan.open(terminal, set.classNames())) {
      classifier.refuseUnfit(opened, set);
      ImageRange range = images.range(set);
      Predictor predictor = new Predictor(opened.classifier(), n, alpha);
      int right = 0;
      int abstained = 0;
      int predictions = 0;
      for (int i = 0; i < range.size(); i++) {
        int image = range.get(i);
        int at = i;
        long start = System.nanoTime();
        for (Prediction p : predictor.predict(set.image(image), image,
            (phase, done, total) -> terminal.progress("predict", at + (double) done / total, range.size(), 0),
            () -> false)) {
          boolean correct = p.predict() == set.label(image);
          right += correct ? 1 : 0;
          abstained += p.predict() == Certificate.ABSTAIN ? 1 : 0;
          predictions++;
          double seconds = (System.nanoTime() - start) / 1e9;
          terminal.say(String.format(Locale.ROOT, "image %5d  label %s  sigma %s: %s  p-value %.3g  %.1f s", image,
              set.classNames().get(set.label(image)), p.sigma(),
              p.predict() == Certificate.ABSTAIN ? "abstain" : set.classNames().get(p.predict()), p.pValue(), seconds));
          table.append(image).append('\t').append(set.label(image)).append('\t').append(p.predict()).append('\t')
              .append(correct ? 1 : 0).append('\t').append(String.format(Locale.ROOT, "%.6f", seconds)).append('\n');
        }
      }
      terminal.say(
          String.format(Locale.ROOT, "right %d, abstained %d, of %d predictions", right, abstained, predictions));
    }
    if (out != null) {
      write(table.toString());
    }
    return 0;
  }

  private void write(String text) {
    try {
      Files.writeString(out, text);
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, "the table " + out + " cannot be written: "
          + DiffcertException.reason(e), e);
    }
  }
}
