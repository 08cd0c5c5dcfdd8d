package org.diffcert.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.attack.AttackKind;
import org.diffcert.attack.Attacker;
import org.diffcert.attack.Budget;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageData;
import org.diffcert.run.AttackLog;
import org.diffcert.run.AttackRecord;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code diffcert attack transfer}: what another classifier makes of the images that an attack has handed in. */
@Command(name = "transfer", mixinStandardHelpOptions = true, sortOptions = false,
    description = "Shows the images of an attack on one classifier to another.")
final class AttackTransferCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "ATTACK", description = "The attack's directory.")
  Path attack;

  @Mixin
  TargetArguments target;

  @Option(names = "--data", paramLabel = "SET",
      description = "The attack's images. Default: those of the recorded name, here or in data/.")
  String data;

  @Option(names = "--seed", defaultValue = "0", paramLabel = "N",
      description = "Key of a diffusion classifier's noise. Default: ${DEFAULT-VALUE}.")
  String seed;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    TargetArguments.Plan plan = target.plan(Arguments.seed(seed).orElseGet(Arguments::freshSeed), false);
    AttackLog log = AttackLog.read(attack);
    Terminal terminal = new Terminal(spec.commandLine().getOut());
    BooleanSupplier stop = StopSignal.begin();
    try (ImageData set = RunFiles.open(log.header().data(), log.header().dataDigest(), data);
        TargetArguments.Opened opened = plan.open(terminal, set.classNames())) {
      if (!opened.target().shape().equals(set.shape()) || opened.target().classes() != set.classNames().size()) {
        throw DiffcertException.usage("the classifier takes images of " + opened.target().shape() + " in "
            + opened.target().classes() + " classes, " + set.name() + " has " + set.shape() + " in "
            + set.classNames().size());
      }
      show(log, new Attacker(opened.target()), set, terminal, stop);
      return 0;
    } finally {
      terminal.wipe();
      StopSignal.end();
    }
  }

  /** Only images that both classifiers get right as they are say anything of the attack. */
  private static void show(AttackLog log, Attacker other, ImageData set, Terminal terminal, BooleanSupplier stop) {
    List<Integer> both = new ArrayList<>();
    int clean = 0;
    int images = 0;
    for (AttackRecord record : log.records()) {
      if (record.attack().equals(AttackRecord.CLEAN)) {
        images++;
        boolean right = answer(other, set.image(record.image()), record.image(), stop) == record.label();
        clean += right ? 1 : 0;
        if (right && !record.isWrong()) {
          both.add(record.image());
        }
      }
    }
    terminal.say("");
    terminal.say("The other classifier is right on " + clean + " of " + images + " images, and on " + both.size()
        + " of those that were attacked. Of these are still right:");
    Table table = new Table("attack", "norm", "budget", "attacked", "shown to");
    for (AttackKind kind : log.header().plan().attacks()) {
      for (Budget budget : log.header().plan().budgets()) {
        int there = 0;
        int here = 0;
        for (int image : both) {
          AttackRecord record = log.record(image, kind.cliName(), budget.text()).orElseThrow(
              () -> DiffcertException.usage("the attack is not finished; go on with it first"));
          there += record.isWrong() ? 0 : 1;
          here += answer(other, record.changed().orElseThrow(), image, stop) == record.label() ? 1 : 0;
        }
        table.row(kind.cliName(), budget.norm().cliName(), budget.text(), share(there, both.size()),
            share(here, both.size()));
      }
    }
    terminal.say(table.toString());
  }

  private static int answer(Attacker other, ByteImage image, int id, BooleanSupplier stop) {
    if (stop.getAsBoolean()) {
      throw new DiffcertException(DiffcertException.Kind.INTERRUPTED, "stopped; nothing was written");
    }
    return other.answer(image, id);
  }

  private static String share(int count, int total) {
    return String.format(Locale.ROOT, "%d/%d", count, total);
  }
}
