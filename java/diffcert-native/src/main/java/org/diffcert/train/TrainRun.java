package org.diffcert.train;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.analyze.LossPlot;
import org.diffcert.diffusion.Augmentation;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.NativeLibrary;
import org.diffcert.diffusion.Trainer;
import org.diffcert.file.Durable;
import org.diffcert.file.Json;
import org.diffcert.image.ByteImage;
import org.diffcert.model.Model;

/**
 * A training in a directory: {@code training.json} says which it is, {@code loss.tsv} has every loss,
 * {@code checkpoint.safetensors} the state to go on from; in the end {@code model.safetensors}, its card
 * {@code model.md}, {@code loss.png} and {@code samples.png}. Kill the process at any moment and run the same plan
 * again: it goes on from the last checkpoint to the same losses and the same model, to the bit, on the same machine and
 * build.
 *
 * <p>Not for several threads. One process at a time; a file lock says so.
 */
public final class TrainRun {
  /** The finished model's name in the directory. */
  public static final String MODEL = "model.safetensors";
  private static final String HEADER = "training.json";

  private final Path directory;
  private final TrainPlan plan;
  private final TrainLimits limits;
  private final TrainListener listener;
  private final BooleanSupplier stop;
  private final Trainer trainer;
  private final LossLog log;
  private final ImageOrder order;
  private final TrainSamples samples;
  private final Augmentation augmentation;
  private final Augmenter augmenter;
  private double secondsBefore;
  private long begun;
  private long stored;
  private double storedAt;
  private double drawnAt;

  /**
   * What came of a training.
   *
   * @param model the finished model's file
   * @param steps steps made
   * @param images images seen
   * @param loss the mean loss of the last steps, 100 at most
   * @param seconds seconds spent in all sessions
   */
  public record Result(Path model, long steps, long images, double loss, double seconds) {}

  private TrainRun(Path directory, TrainPlan plan, TrainLimits limits, TrainListener listener, BooleanSupplier stop,
      Trainer trainer, LossLog log, TrainSamples samples) {
    this.directory = directory;
    this.plan = plan;
    this.limits = limits;
    this.listener = listener;
    this.stop = stop;
    this.trainer = trainer;
    this.log = log;
    this.samples = samples;
    this.augmentation = plan.options().augmentation();
    this.augmenter = new Augmenter(augmentation, plan.data().shape(), plan.options().seed());
    this.order = new ImageOrder(plan.options().seed(), plan.images().size());
  }

  /**
   * The seed of a training that is already there, for a caller that wants to go on with it.
   *
   * @param directory the directory
   * @return the seed as it is written, unsigned; empty where there is no training yet
   * @throws DiffcertException of kind BAD_INPUT if what says so is malformed
   */
  public static Optional<String> recordedSeed(Path directory) {
    return header(directory).map(header -> header.get("seed").asString());
  }

  /**
   * Trains to the end, or goes on with a training that was stopped.
   *
   * @param directory the directory, made if it is not there
   * @param plan what is trained
   * @param device where, how many threads, rows that go through the network at once
   * @param limits when it ends; may differ from those that it was begun with
   * @param origin what the model's card says of who made it, by key, such as the command; nothing of it changes a
   *     weight
   * @param listener is told of every step
   * @param stop asked before each step; once true the state is stored and the training ends
   * @return what came of it
   * @throws DiffcertException of kind USAGE if the directory holds another training or is in use, or the losses cease
   *     to be numbers; of kind BAD_INPUT if a file in it is malformed or cannot be written; of kind INTERRUPTED after a
   *     stop; of the kinds of {@link Trainer#open}
   */
  public static Result run(Path directory, TrainPlan plan, DeviceOptions device, TrainLimits limits,
      Map<String, String> origin, TrainListener listener, BooleanSupplier stop) {
    try {
      Files.createDirectories(directory);
      try (LossLog log = LossLog.open(directory)) {
        refuseOther(directory, plan);
        sweep(directory);
        try (Trainer trainer = Trainer.open(plan.config(), device, plan.options())) {
          plan.distillation().ifPresent(by -> by.begin(trainer));
          plan.calibration().ifPresent(by -> by.begin(trainer));
          TrainSamples samples = new TrainSamples(directory, plan, device, limits.sampleRows());
          return new TrainRun(directory, plan, limits, listener, stop, trainer, log, samples).run(origin);
        }
      }
    } catch (ClosedByInterruptException e) {
      throw new DiffcertException(Kind.INTERRUPTED, "stopped while writing to " + directory
          + "; the training can be resumed", e);
    } catch (IOException e) {
      throw new DiffcertException(Kind.BAD_INPUT, "the training directory " + directory + " cannot be used: "
          + DiffcertException.reason(e), e);
    }
  }

  private static Optional<Json> header(Path directory) {
    Path file = directory.resolve(HEADER);
    try {
      return Files.exists(file) ? Optional.of(Json.parse(Files.readString(file), file.toString())) : Optional.empty();
    } catch (IOException e) {
      throw new DiffcertException(Kind.BAD_INPUT, file + " cannot be read: " + DiffcertException.reason(e), e);
    }
  }

  private static void refuseOther(Path directory, TrainPlan plan) throws IOException {
    Optional<Json> there = header(directory);
    if (there.isEmpty()) {
      Durable.replace(directory.resolve(HEADER), (plan.header().write() + "\n").getBytes(StandardCharsets.UTF_8));
      return;
    }
    List<String> differences = plan.differences(there.get());
    if (!differences.isEmpty()) {
      throw DiffcertException.usage("the training in " + directory + " is another one: "
          + String.join("; ", differences)
          + "; give its options to go on with it, or another --out");
    }
  }

  /** Takes away what killed processes had begun to write; the lock says that none of them lives. */
  private static void sweep(Path directory) throws IOException {
    try (DirectoryStream<Path> partial = Files.newDirectoryStream(directory, "*.safetensors.partial-*")) {
      for (Path file : partial) {
        Files.delete(file);
      }
    }
  }

  private Result run(Map<String, String> origin) throws IOException {
    resume();
    begun = System.nanoTime();
    while (!limits.reached(trainer.steps(), seconds())) {
      if (stop.getAsBoolean()) {
        store();
        throw new DiffcertException(Kind.INTERRUPTED, "stopped after step " + trainer.steps()
            + "; the same command goes on from there");
      }
      step();
      boolean due = limits.checkpointSteps() > 0 && trainer.steps() % limits.checkpointSteps() == 0;
      if (due || seconds() - storedAt >= limits.checkpointSeconds()) {
        store();
        show();
      }
    }
    store();
    return finish(origin);
  }

  private void resume() throws IOException {
    Checkpoint.Progress progress = Checkpoint.read(directory, plan.header().write(), trainer);
    stored = progress == null ? 0 : progress.steps();
    secondsBefore = progress == null ? 0 : progress.seconds();
    storedAt = secondsBefore;
    drawnAt = secondsBefore;
    log.keep(stored);
    if (progress != null && !progress.build().equals(NativeLibrary.buildDigest())) {
      listener.note("this build of the native library is not the one that made the checkpoint: losses may differ "
          + "from now on in their last bits");
    }
    listener.started(stored, trainer.imagesSeen(), secondsBefore);
  }

  private double seconds() {
    return secondsBefore + (System.nanoTime() - begun) / 1e9;
  }

  private void step() throws IOException {
    int elements = plan.data().shape().elements();
    float[] images = new float[Math.multiplyExact(plan.batch(), elements)];
    int[] labels = new int[plan.batch()];
    float[] augmented = augmentation.on() ? new float[plan.batch() * Augmentation.LABELS] : null;
    long first = trainer.imagesSeen();
    for (int i = 0; i < plan.batch(); i++) {
      int index = plan.images().get(order.position(first + i));
      ByteImage image = plan.data().image(index);
      for (int e = 0; e < elements; e++) {
        images[i * elements + e] = (float) (image.get(e) / 127.5 - 1);
      }
      if (augmented != null) {
        augmenter.apply(first + i, images, i * elements, augmented, i * Augmentation.LABELS);
      }
      labels[i] = plan.config().classes() == 0 ? -1 : plan.data().label(index);
    }
    double loss = step(images, labels, augmented);
    if (!Double.isFinite(loss)) {
      throw DiffcertException.usage("the loss of step " + trainer.steps() + " is " + loss
          + ": the training has diverged; take a lower learning rate or a longer warm-up, and another --out");
    }
    log.append(trainer.steps(), trainer.imagesSeen(), loss, seconds());
    listener.stepDone(trainer.steps(), trainer.imagesSeen(), loss, seconds());
  }

  private double step(float[] images, int[] labels, float[] augmented) {
    if (plan.calibration().isPresent()) {
      return plan.calibration().get().step(trainer, plan.options().seed(), images, labels);
    }
    if (plan.distillation().isPresent()) {
      Distillation by = plan.distillation().get();
      return trainer.distil(by.teacher(), by.headsPerImage(), images, labels);
    }
    return trainer.step(images, labels, augmented);
  }

  /** The log first: it must hold every step that the checkpoint has. */
  private void store() throws IOException {
    if (trainer.steps() == stored) {
      return;
    }
    log.sync();
    Checkpoint.write(directory, plan.header().write(), trainer, seconds(), NativeLibrary.buildDigest());
    stored = trainer.steps();
    storedAt = seconds();
  }

  /** At a checkpoint: the samples, if enough time has gone by since they were last drawn. */
  private void show() throws IOException {
    if (samples.due(seconds() - drawnAt, seconds() / trainer.imagesSeen())) {
      samples.draw(trainer, stop);
      drawnAt = seconds();
    }
  }

  private Result finish(Map<String, String> origin) throws IOException {
    double[] losses = log.losses();
    if (losses.length == 0) {
      throw DiffcertException.usage("the training ended before its first step; give it more time");
    }
    Map<String, String> notes = TrainCard.notes(plan, origin, losses, trainer.imagesSeen());
    Path file = directory.resolve(MODEL);
    try (Model model = trainer.model()) {
      model.write(file, notes);
      Durable.replace(directory.resolve("model.md"), TrainCard.page(model, plan, notes)
          .getBytes(StandardCharsets.UTF_8));
    }
    Durable.replace(directory.resolve("loss.png"), LossPlot.of(log.images(), losses));
    samples.draw(trainer, stop);
    return new Result(file, trainer.steps(), trainer.imagesSeen(), TrainCard.last(losses), seconds());
  }
}
