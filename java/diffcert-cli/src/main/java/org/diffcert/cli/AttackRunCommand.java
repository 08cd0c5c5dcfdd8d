package org.diffcert.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.diffcert.attack.AttackKind;
import org.diffcert.attack.AttackNorm;
import org.diffcert.attack.AttackPlan;
import org.diffcert.attack.AttackSettings;
import org.diffcert.attack.Budget;
import org.diffcert.image.ImageData;
import org.diffcert.run.AttackLog;
import org.diffcert.run.AttackRun;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code diffcert attack run}: attacks a classifier, in a directory that can be resumed at any moment. */
@Command(name = "run", mixinStandardHelpOptions = true, sortOptions = false,
    description = {"Attacks a classifier and says how many images it still gets right; the same command again goes on "
        + "with one that was stopped.",
        "Exit code 6 if a check of the attack itself fails, so that its figures are no evidence."})
final class AttackRunCommand implements Callable<Integer> {
  @Mixin
  TargetArguments target;

  @Mixin
  ImagesArguments images;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "The attack's directory.")
  Path out;

  @Option(names = "--attacks", required = true, paramLabel = "NAME[,NAME..]",
      description = "pgd, apgd-ce, apgd-dlr, apgd-t and square, which needs no gradients; none: clean accuracy alone.")
  String attacks;

  @Option(names = "--norm", defaultValue = "linf", paramLabel = "NORM",
      description = "linf or l2. Default: ${DEFAULT-VALUE}.")
  String norm;

  @Option(names = "--budgets", paramLabel = "E[,E..]",
      description = "How far an image may be changed, in [0,1] pixel units: 0.1, or 8/255.")
  String budgets;

  @Option(names = "--steps", defaultValue = "100", paramLabel = "N",
      description = "Gradient steps of pgd and apgd. Default: ${DEFAULT-VALUE}.")
  int steps;

  @Option(names = "--restarts", defaultValue = "1", paramLabel = "N",
      description = "Random starts of pgd and apgd. Default: ${DEFAULT-VALUE}.")
  int restarts;

  @Option(names = "--targets", defaultValue = "9", paramLabel = "N",
      description = "Classes that apgd-t goes to, the best first. Default: ${DEFAULT-VALUE}.")
  int targets;

  @Option(names = "--step-size", defaultValue = "2.5", paramLabel = "F",
      description = "pgd's step: so many budgets over the number of steps. Default: ${DEFAULT-VALUE}.")
  double stepSize;

  @Option(names = "--eot", defaultValue = "1", paramLabel = "K",
      description = "Draws of a random classifier that every gradient and score is a mean of. Default: "
          + "${DEFAULT-VALUE}.")
  int repeats;

  @Option(names = "--queries", defaultValue = "5000", paramLabel = "N",
      description = "Scores that square may ask for. Default: ${DEFAULT-VALUE}.")
  int queries;

  @Option(names = "--checked", defaultValue = "5", paramLabel = "N",
      description = "Images on which the attack itself is checked: without a budget, and with twice the effort. "
          + "Default: ${DEFAULT-VALUE}.")
  int checked;

  @Option(names = "--agreement", defaultValue = "0", paramLabel = "N",
      description = "Gradients at each clean image whose cosines are measured. Default: none.")
  int agreement;

  @Option(names = "--seed", defaultValue = "auto", paramLabel = "N",
      description = "auto = 64 fresh random bits, recorded; a number makes a reproduction run. Default: "
          + "${DEFAULT-VALUE}.")
  String seed;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    long key = TargetArguments.seed(seed, recordedSeed());
    List<AttackKind> kinds = attacks.equals("none") ? List.of() : Arrays.stream(attacks.split(",", -1))
        .map(AttackKind::of).toList();
    AttackNorm measure = AttackNorm.of(norm);
    List<Budget> within = budgets == null ? List.of()
        : Arrays.stream(budgets.split(",", -1)).map(text -> Budget.of(measure, text)).sorted().toList();
    AttackPlan plan = new AttackPlan(kinds, within, new AttackSettings(steps, restarts, targets, stepSize, repeats,
        queries, key), checked, agreement);
    TargetArguments.Plan opening =
        target.plan(key, agreement > 0 || kinds.stream().anyMatch(AttackKind::isWhiteBox));
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    try (ImageData set = images.open(); TargetArguments.Opened opened = opening.open(terminal, set.classNames())) {
      AttackRun run = new AttackRun(opened.target(), set, images.range(set), plan, Main.version(), opened.build(),
          opened.device(), opened.origin());
      terminal.say("data     " + set.name() + ", " + images.range(set).size() + " images of " + set.shape());
      terminal.say("seed     " + Long.toUnsignedString(key));
      return new AttackJob(terminal, run, out).run();
    }
  }

  /** The seed of an attack that is already there. */
  private OptionalLong recordedSeed() {
    return AttackLog.peek(out).map(header -> OptionalLong.of(header.plan().settings().seed()))
        .orElse(OptionalLong.empty());
  }
}
