package org.diffcert.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.run.AttackCheck;
import org.diffcert.run.AttackListener;
import org.diffcert.run.AttackLog;
import org.diffcert.run.AttackRecord;
import org.diffcert.run.AttackRun;
import org.diffcert.run.AttackTable;

/** An attack as a person sees it: a line an image, the table, what the checks found. */
final class AttackJob implements AttackListener {
  private final Terminal terminal;
  private final AttackRun run;
  private final Path directory;
  private final StringBuilder line = new StringBuilder();
  private int image = -1;
  private long nanos;

  AttackJob(Terminal terminal, AttackRun run, Path directory) {
    this.terminal = terminal;
    this.run = run;
    this.directory = directory;
  }

  /** Runs to the end, or until the process is asked to stop. */
  int run() {
    BooleanSupplier stop = StopSignal.begin();
    try {
      AttackLog log = run.run(directory, this, stop);
      flush();
      summarise(log);
      List<AttackCheck> failed = AttackCheck.of(log).stream().filter(check -> !check.passed()).toList();
      if (!failed.isEmpty()) {
        throw new DiffcertException(Kind.MISMATCH, "the attack fails " + failed.size() + " of its own checks ("
            + String.join("; ", failed.stream().map(AttackCheck::name).toList())
                + "), so what survived it is no evidence of robustness");
      }
      return 0;
    } finally {
      terminal.wipe();
      StopSignal.end();
    }
  }

  @Override
  public void started(int done) {
    if (done > 0) {
      terminal.say("resumed  " + done + " records were there already");
    }
  }

  @Override
  public void recorded(AttackRecord record, double done) {
    if (record.image() != image) {
      flush();
      image = record.image();
      line.append(String.format(Locale.ROOT, "image %5d  label %s ", image, run.header().classNames()
          .get(record.label())));
    }
    nanos += record.elapsed().toNanos();
    line.append(' ').append(record.attack()).append(record.attack().equals(AttackRecord.CLEAN) ? "" : " "
        + record.budget()).append(' ')
        .append(record.isWrong() ? "WRONG" : "right");
    terminal.progress("attack", done, 1, 0);
  }

  private void flush() {
    if (image >= 0) {
      terminal.say(line + String.format(Locale.ROOT, "  %.1f s", nanos / 1e9));
    }
    line.setLength(0);
    nanos = 0;
  }

  private void summarise(AttackLog log) {
    AttackTable table = AttackTable.of(log);
    terminal.say("");
    terminal.say(String.format(Locale.ROOT,
        "Clean accuracy %d of %d. Robust accuracy (a success counts for larger budgets, too; raw: it does not):",
        table.clean(), table.images()));
    Table text = new Table("attack", "norm", "budget", "right", "accuracy", "raw");
    for (AttackTable.Row row : table.rows()) {
      text.row(row.attack(), row.budget().norm().cliName(), row.budget().text(), row.right() + "/" + table.images(),
          String.format(Locale.ROOT, "%.3f", (double) row.right() / table.images()), Integer.toString(row.raw()));
    }
    terminal.say(text.toString());
    terminal.say("");
    for (AttackCheck check : AttackCheck.of(log)) {
      terminal.say((check.passed() ? "check    " : "FAILED   ") + check.name() + ": " + check.finding());
    }
    long scores = log.records().stream().mapToLong(AttackRecord::scores).sum();
    long gradients = log.records().stream().mapToLong(AttackRecord::gradients).sum();
    long spent = log.records().stream().mapToLong(record -> record.elapsed().toNanos()).sum();
    terminal.say(String.format(Locale.ROOT, "%d scores, %d gradients, %s", scores, gradients,
        Terminal.time(Duration.ofNanos(spent))));
    terminal.say("run      " + directory.resolve(AttackLog.FILE));
    terminal.say("results  " + directory.resolve("attack.tsv"));
  }
}
