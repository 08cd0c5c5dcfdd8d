package org.diffcert.run;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.attack.AttackKind;
import org.diffcert.attack.AttackNorm;
import org.diffcert.attack.AttackPlan;
import org.diffcert.attack.AttackResult;
import org.diffcert.attack.AttackSettings;
import org.diffcert.attack.AttackTarget;
import org.diffcert.attack.Attacker;
import org.diffcert.attack.Budget;
import org.diffcert.file.Durable;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageData;

/**
 * An attack on the images of a range: each image as it is, then under every attack within every budget, if it is right
 * as it is; in the end the checks of the attack itself. One record each, appended and on the disk before the next
 * begins; those of an earlier, interrupted run are skipped, and the log ends up the same in every byte but times. For
 * one thread.
 */
public final class AttackRun {
  /** The check's name: gradient ascent from a random start, or random search, with no budget to speak of. */
  public static final String UNBOUNDED = "check-unbounded";
  /** The check's name: the first attack with twice the effort, within the least budget that the image has survived. */
  public static final String DOUBLED = "check-doubled";

  private final AttackTarget target;
  private final Attacker attacker;
  private final ImageData data;
  private final AttackHeader header;
  private final Origin origin;

  /**
   * Prepares a run and checks that its parts fit each other.
   *
   * @param target what is attacked; stays the caller's to close
   * @param data the images; stays the caller's to close
   * @param images which of them
   * @param plan with what
   * @param library version of this library
   * @param nativeBuild version of the native library, or of what else computes
   * @param device what scores are computed on, as far as it can change their bits
   * @param origin where the run is begun, recorded and never compared
   * @throws DiffcertException of kind USAGE if shapes, numbers of classes or the range do not fit, or the target does
   *     not allow an attack
   */
  public AttackRun(AttackTarget target, ImageData data, ImageRange images, AttackPlan plan, String library,
      String nativeBuild, String device, Origin origin) {
    if (!target.shape().equals(data.shape()) || target.classes() != data.classNames().size()) {
      throw DiffcertException.usage("the classifier takes images of " + target.shape() + " in " + target.classes()
          + " classes, "
          + data.name() + " has " + data.shape() + " in " + data.classNames().size());
    }
    if (images.get(images.size() - 1) >= data.size()) {
      throw DiffcertException.usage("image " + images.get(images.size() - 1) + " is asked for, " + data.name()
          + " has " + data.size()
          + " images");
    }
    this.target = target;
    this.attacker = new Attacker(target);
    plan.attacks().forEach(attacker::check);
    this.data = data;
    this.header = new AttackHeader(plan, target.identity(), data.name(), data.digest(), data.classNames(),
        data.shape(), images, library, nativeBuild, device);
    this.origin = origin;
  }

  /**
   * The header that this run has.
   *
   * @return everything that its records depend on
   */
  public AttackHeader header() {
    return header;
  }

  /**
   * Runs, or goes on, to the end, and writes the tables and the images.
   *
   * @param directory the run directory, made if it is not there
   * @param listener told about progress
   * @param stop asked before each call of the classifier; once true the run stops with an exception of kind INTERRUPTED
   * @return the finished log
   * @throws DiffcertException of kind USAGE if the directory holds another run or is in use, of kind BAD_INPUT if it
   *     cannot be used
   */
  public AttackLog run(Path directory, AttackListener listener, BooleanSupplier stop) {
    try (LogFile file = LogFile.open(directory, AttackLog.FILE)) {
      Map<String, AttackRecord> records = resume(directory, file);
      listener.started(records.size());
      Session session = new Session(file, records, listener, new Attacker(new StoppableTarget(target, stop)));
      for (int i = 0; i < header.images().size(); i++) {
        session.image(header.images().get(i), i);
      }
      session.checks();
      AttackLog log = AttackLog.read(directory);
      AttackFiles.write(directory, log);
      return log;
    } catch (IOException e) {
      throw RunDirectory.failure(directory, e);
    }
  }

  private Map<String, AttackRecord> resume(Path directory, LogFile file) throws IOException {
    Path path = directory.resolve(AttackLog.FILE);
    if (LogFile.tornAtHeader(path)) {
      file.setAside(0);
      file.append(new LogLine(header.encode(), origin.encode()));
      Durable.syncDirectory(directory);
      return new LinkedHashMap<>();
    }
    AttackLog there = AttackLog.read(path);
    if (!header.differences(there.header()).isEmpty()) {
      throw DiffcertException.usage("the attack in " + directory + " is another one: "
          + String.join("; ", header.differences(there.header()))
          + "; give the options of that one to go on with it, or another --out");
    }
    file.setAside(there.wholeBytes());
    return new LinkedHashMap<>(there.byKey());
  }

  /** One sitting: what is there, and how more is added. */
  private final class Session {
    private final LogFile file;
    private final Map<String, AttackRecord> records;
    private final AttackListener listener;
    private final Attacker stoppable;

    Session(LogFile file, Map<String, AttackRecord> records, AttackListener listener, Attacker stoppable) {
      this.file = file;
      this.records = records;
      this.listener = listener;
      this.stoppable = stoppable;
    }

    void image(int image, int position) throws IOException {
      AttackPlan plan = header.plan();
      int trials = plan.attacks().size() * plan.budgets().size();
      clean(image, (double) position / header.images().size());
      if (wrong(image, AttackRecord.CLEAN, "0")) {
        return;
      }
      int done = 0;
      for (AttackKind attack : plan.attacks()) {
        for (Budget budget : plan.budgets()) {
          done++;
          trial(image, attack.cliName(), attack, plan.settings(), budget,
              (position + (double) done / trials) / header.images().size());
        }
      }
    }

    /** The checks of the attack itself, on the first images that are right as they are. */
    void checks() throws IOException {
      AttackPlan plan = header.plan();
      int left = plan.attacks().isEmpty() ? 0 : plan.checked();
      for (int i = 0; i < header.images().size() && left > 0; i++) {
        int image = header.images().get(i);
        if (wrong(image, AttackRecord.CLEAN, "0")) {
          continue;
        }
        left--;
        AttackNorm norm = plan.budgets().get(0).norm();
        AttackKind blind = target.isDifferentiable() ? AttackKind.PGD : AttackKind.SQUARE;
        trial(image, UNBOUNDED, blind, plan.settings(), Budget.unbounded(norm, header.shape().elements()), 1);
        AttackKind first = plan.attacks().get(0);
        Optional<Budget> survived = plan.budgets().stream().filter(budget ->
            !wrong(image, first.cliName(), budget.text())).findFirst();
        if (survived.isPresent()) {
          trial(image, DOUBLED, first, plan.settings().doubled(), survived.get(), 1);
        }
      }
    }

    private boolean wrong(int image, String attack, String budget) {
      return records.get(AttackRecord.key(image, attack, budget)).isWrong();
    }

    private void clean(int image, double done) throws IOException {
      if (records.containsKey(AttackRecord.key(image, AttackRecord.CLEAN, "0"))) {
        return;
      }
      long start = System.nanoTime();
      ByteImage clean = data.image(image);
      int draws = target.isDifferentiable() ? header.plan().agreement() : 0;
      Optional<Double> agreement =
          draws == 0 ? Optional.empty() : Optional.of(stoppable.agreement(clean, image, data.label(image), draws));
      append(new AttackRecord(image, data.label(image), AttackRecord.CLEAN, "0", stoppable.answer(clean, image), 0, 1,
          draws, agreement, Optional.empty(), Duration.ofNanos(System.nanoTime() - start), Instant.now()), done);
    }

    private void trial(int image, String name, AttackKind attack, AttackSettings settings, Budget budget,
        double done) throws IOException {
      if (records.containsKey(AttackRecord.key(image, name, budget.text()))) {
        return;
      }
      long start = System.nanoTime();
      ByteImage clean = data.image(image);
      AttackResult found = stoppable.attack(attack, settings, clean, image, data.label(image), budget);
      long distance = budget.distance(clean, found.image());
      if (distance > budget.bound()) {
        throw new IllegalStateException(name + " handed in an image " + distance + " away within " + budget);
      }
      append(new AttackRecord(image, data.label(image), name, budget.text(), stoppable.answer(found.image(), image),
          distance, found.scores(), found.gradients(), Optional.empty(), Optional.of(found.image()),
              Duration.ofNanos(System.nanoTime() - start),
          Instant.now()), done);
    }

    private void append(AttackRecord record, double done) throws IOException {
      LogLine line = record.encode();
      AttackRecord.decode(LogLine.parse(line.write()), header); // what could not be read again must not be written
      file.append(line);
      records.put(record.key(), record);
      listener.recorded(record, done);
    }
  }

  /** A classifier that gives up between two calls once it is asked to. */
  private record StoppableTarget(AttackTarget target, BooleanSupplier stop) implements AttackTarget {
    private void look() {
      if (stop.getAsBoolean()) {
        throw new DiffcertException(Kind.INTERRUPTED, "stopped; the same command goes on with the attack");
      }
    }

    @Override
    public int classes() {
      return target.classes();
    }

    @Override
    public org.diffcert.image.ImageShape shape() {
      return target.shape();
    }

    @Override
    public Map<String, Object> identity() {
      return target.identity();
    }

    @Override
    public boolean isDifferentiable() {
      return target.isDifferentiable();
    }

    @Override
    public boolean isRandom() {
      return target.isRandom();
    }

    @Override
    public double[] logits(double[] x, int imageId, int draw) {
      look();
      return target.logits(x, imageId, draw);
    }

    @Override
    public Pull pull(double[] x, int imageId, int draw, Cotangent cotangent) {
      look();
      return target.pull(x, imageId, draw, cotangent);
    }

    /** Nothing: the classifier is the caller's. */
    @Override
    public void close() {}
  }
}
