package org.diffcert.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.train.TrainLimits;
import org.diffcert.train.TrainPlan;
import org.diffcert.train.TrainRun;
import picocli.CommandLine.Option;

/** What every training is told: its directory, how long, from which seed, how often it is stored; and its run. */
final class TrainingArguments {
  /** The average's half-life is at most this share of the images seen, as published. */
  static final double AVERAGE_SHARE = 0.05;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "The training's directory.")
  Path out;

  @Option(names = "--steps", defaultValue = "0", paramLabel = "N", description = "Steps in all.")
  long steps;

  @Option(names = "--minutes", defaultValue = "0", paramLabel = "M",
      description = "Minutes in all, those of sessions before it was stopped among them.")
  double minutes;

  @Option(names = "--rows", defaultValue = "16", paramLabel = "N",
      description = "Rows that go through the network at once; changes memory, and no bit. Default: ${DEFAULT-VALUE}.")
  int rows;

  @Option(names = "--seed", defaultValue = "auto", paramLabel = "N",
      description = "auto, or a 64-bit integer. Default: the recorded one of a training that is gone on with, else "
          + "fresh.")
  String seed;

  @Option(names = "--checkpoint-steps", defaultValue = "0", paramLabel = "N",
      description = "A checkpoint every N steps. Default: by time alone.")
  long checkpointSteps;

  @Option(names = "--checkpoint-seconds", defaultValue = "120", paramLabel = "T",
      description = "A checkpoint after at most T seconds. Default: ${DEFAULT-VALUE}.")
  double checkpointSeconds;

  /** How long, and how many images a class the average draws; refuses what is out of range. */
  TrainLimits limits(int samples) {
    if (!(minutes >= 0)) {
      throw DiffcertException.usage("--minutes is " + minutes + ", must not be negative");
    }
    if (rows < 1) {
      throw DiffcertException.usage("--rows is " + rows + ", must be at least 1");
    }
    return new TrainLimits(steps, 60 * minutes, checkpointSteps, checkpointSeconds, samples);
  }

  /** The seed that was given, that of the training that is there, or a fresh one. */
  long seed() {
    return Arguments.seed(seed.equals("auto") ? TrainRun.recordedSeed(out).orElse(seed) : seed)
        .orElseGet(Arguments::freshSeed);
  }

  /** How long it was to be, as it was typed. */
  String length() {
    return steps > 0 ? "--steps " + steps : "--minutes " + minutes;
  }

  /** Says what is trained on, trains to the end, and says what came of it. */
  void run(Terminal terminal, TrainPlan plan, DeviceOptions device, TrainLimits limits, Map<String, String> origin) {
    terminal.say("data     " + plan.data().name() + ", " + plan.images().size() + " images of " + plan.data().shape());
    terminal.say("seed     " + Long.toUnsignedString(plan.options().seed()));
    BooleanSupplier stop = StopSignal.begin();
    try {
      TrainRun.Result result =
          TrainRun.run(out, plan, device, limits, origin, new TrainProgress(terminal, limits), stop);
      terminal.say(String.format(Locale.ROOT, "done     step %d, %d images seen, loss %.4f, %s", result.steps(),
          result.images(), result.loss(), Terminal.time(Duration.ofMillis((long) (1000 * result.seconds())))));
      terminal.say("model    " + result.model());
      terminal.say("curve    " + out.resolve("loss.png"));
      if (limits.sampleRows() > 0) {
        terminal.say("samples  " + out.resolve("samples.png"));
      }
    } finally {
      terminal.wipe();
      StopSignal.end();
    }
  }
}
