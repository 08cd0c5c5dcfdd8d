package org.diffcert.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.certify.Cascade;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.certify.Stopping;
import org.diffcert.certify.VoteSource;
import org.diffcert.image.ImageData;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.diffcert.analyze.Analysis;
import org.diffcert.run.CertifyRun;
import org.diffcert.run.ImageRange;
import org.diffcert.run.Results;
import org.diffcert.run.RunHeader;
import org.diffcert.run.RunListener;
import org.diffcert.run.RunLog;
import org.diffcert.run.RunRecord;
import org.diffcert.stats.ClopperPearson;
import org.diffcert.stats.FixedSamples;
import org.diffcert.stats.Radius;
import org.diffcert.stats.StopRule;

/** A certification as a person sees it: what will be done, how far it is, what came out. certify and demo share it. */
final class CertifyJob implements RunListener {
  /** What is measured before the whole time is estimated. */
  private static final long ENOUGH_NANOS = 1_000_000_000L;
  private static final List<Double> RADII = List.of(0.0, 0.25, 0.5, 0.75, 1.0);

  private final Terminal terminal;
  private final VoteSource source;
  private final ImageData data;
  private final ImageRange images;
  private final CertifyConfig config;
  private final Path directory;
  private final CertifyRun run;
  private final long started = System.nanoTime();
  private long begun;
  private boolean estimated;
  private int before;
  private int done;

  CertifyJob(Terminal terminal, ClassifierArguments.Opened opened, ImageData data, ImageRange images,
      CertifyConfig config, Optional<Cascade> cascade, Path directory) {
    this.terminal = terminal;
    this.source = opened.classifier();
    this.data = data;
    this.images = images;
    this.config = config;
    this.directory = directory;
    this.run = new CertifyRun(source, data, images, config, cascade, Main.version(), opened.build(), opened.device(),
        opened.origin());
  }

  /** What the run is. */
  RunHeader header() {
    return run.header();
  }

  /** Runs to the end, or until the process is asked to stop, which leaves a run that can be resumed. */
  int run() {
    describe();
    BooleanSupplier stop = StopSignal.begin();
    try {
      Path report = run.run(directory, this, stop);
      terminal.wipe();
      summarise(report);
      return 0;
    } catch (DiffcertException e) {
      terminal.wipe();
      if (stop.getAsBoolean() && e.kind() == DiffcertException.Kind.INTERRUPTED) {
        throw new DiffcertException(e.kind(), "stopped with " + done + " of " + images.size()
            + " images done; the same command goes on from there", e);
      }
      throw e;
    } finally {
      StopSignal.end();
    }
  }

  private void describe() {
    terminal.say("data     " + data.name() + ", " + images.size() + " images of " + data.shape());
    if (config.family() > header().certificates()) {
      terminal.say("family   alpha " + config.alpha() + " is shared among " + config.family() + " certificates"
          + (run.header().joint() ? ": all of this run hold together" : ""));
    }
    if (header().cascade().isPresent()) {
      terminal.say(CascadeArguments.description(header()));
      return;
    }
    List<StopRule> rules = config.rules(source.sigmas());
    for (int s = 0; s < rules.size(); s++) {
      describe(source.sigmas().get(s), rules.get(s));
    }
  }

  private void describe(Sigma sigma, StopRule rule) {
    if (rule instanceof FixedSamples) {
      int least = ClopperPearson.smallestCertifying(rule.cap(), rule.alpha()).orElseThrow();
      terminal.say(String.format(Locale.ROOT, "sigma    %s: largest radius possible %.4f; needs %d of %d votes", sigma,
          floor4(Radius.largest(sigma, rule.cap(), rule.alpha())), least, rule.cap()));
      return;
    }
    int unanimous = rule.soonest(0, 0);
    while (!rule.stops(unanimous, unanimous)) {
      unanimous += rule.soonest(unanimous, unanimous);
    }
    terminal.say(String.format(Locale.ROOT, "sigma    %s: stops when it is known whether the radius reaches %s; "
        + "unanimous votes need %d samples, the most is %d", sigma,
        config.stop().radii().stream().map(String::valueOf).collect(Collectors.joining(", ")), unanimous, rule.cap()));
  }

  @Override
  public void started(int finished, int total) {
    before = finished;
    done = finished;
    if (finished > 0) {
      terminal.say("resumed  " + finished + " of " + total + " images were done already");
    }
    terminal.progress("certify", finished, total, before);
    begun = System.nanoTime();
  }

  @Override
  public void samples(Phase phase, int samples, int total) {
    int stages = header().cascade().isPresent() ? source.sigmas().size() : 1;
    int all = stages * (config.n0() + config.n());
    int cast = phase == Phase.SELECT ? samples : stages * config.n0() + samples;
    double part = cast / (double) all;
    if (!estimated) {
      estimate(cast, all);
    }
    terminal.progress("certify image " + (done + 1) + "/" + images.size(), done + part, images.size(), before);
  }

  /** How long it will all take, as soon as a second has shown how fast it goes, and before the first image is done. */
  private void estimate(int cast, int all) {
    long nanos = System.nanoTime() - begun;
    if (nanos < ENOUGH_NANOS && cast < all) {
      return;
    }
    estimated = true;
    double each = (double) nanos / cast;
    int left = images.size() - before;
    terminal.say(String.format(Locale.ROOT, "time     %s %s: %d %s, %d samples each, %.3g s a sample",
        config.stop().kind() == Stopping.Kind.FIXED && header().cascade().isEmpty() ? "about" : "at most",
        Terminal.time(Duration.ofNanos((long) (each * all * left))), left, left == 1 ? "image" : "images", all,
        each / 1e9));
  }

  @Override
  public void imageDone(RunRecord record, int finished, int total) {
    done = finished;
    StringBuilder line = new StringBuilder();
    line.append(String.format(Locale.ROOT, "image %5d  label %s", record.image(), name(record.label())));
    record.cascade().ifPresent(c -> line.append(CascadeArguments.found(c, record.label(), data.classNames())));
    for (Certificate c : record.cascade().isPresent() ? List.<Certificate>of() : record.certificates()) {
      line.append(String.format(Locale.ROOT, "  sigma %s: %s", c.sigma(), c.abstains() ? "abstain"
          : String.format(Locale.ROOT, "%s radius %.4f%s", name(c.predict()), floor4(c.radius()),
              c.predict() == record.label() ? "" : " (wrong)")));
      if (config.stop().kind() != Stopping.Kind.FIXED) {
        line.append(" after ").append(c.samples()).append(" samples");
      }
    }
    double left = (System.nanoTime() - started) / 1e9 / (finished - before) * (total - finished);
    line.append(String.format(Locale.ROOT, "  %.1f s, %d/%d, %s left", record.elapsed().toNanos() / 1e9, finished,
        total, Terminal.time(Duration.ofMillis((long) (left * 1000)))));
    terminal.say(line.toString());
  }

  private void summarise(Path report) {
    RunLog log = RunLog.read(directory);
    terminal.say("");
    boolean cascade = log.header().cascade().isPresent();
    String first = cascade ? "sigmas" : "sigma";
    Table table = new Table(first, "images", "r=0", "0.25", "0.5", "0.75", "1.0", "ACR", "abstain");
    for (int s = 0; s < log.header().certificates(); s++) {
      String name = cascade ? "cascade" : source.sigmas().get(s).toString();
      table.row(AnalyzeCommand.cells(name, new Analysis(Results.rows(log, s)), RADII));
    }
    terminal.say("Certified accuracy at radius r (exact 95% interval over the images):");
    terminal.say(table.toString());
    terminal.say("");
    double total = log.records().stream().mapToLong(r -> r.elapsed().toNanos()).sum() / 1e9;
    long used = log.records().stream().mapToLong(RunRecord::samples).sum();
    double calls = (double) log.records().stream().mapToLong(RunRecord::calls).sum() / used;
    long most = source.callsPerSample();
    String each = calls == most && !cascade ? Long.toString(most)
        : String.format(Locale.ROOT, cascade ? "%.1f" : "%.1f of at most %d", calls, most);
    terminal.say(String.format(Locale.ROOT, "%.2f s an image, %.0f images an hour, %s network calls a vote",
        total / log.records().size(), 3600 * log.records().size() / total, each));
    long votes = source.stageNanos().values().stream().mapToLong(Long::longValue).sum();
    if (votes > 0) {
      terminal.say("of the votes' time here " + source.stageNanos().entrySet().stream().map(stage -> String.format(
          Locale.ROOT, "%s %.1f%%", stage.getKey(), 100.0 * stage.getValue() / votes)).collect(
          Collectors.joining(", ")));
    }
    if (config.stop().kind() != Stopping.Kind.FIXED) {
      terminal.say(String.format(Locale.ROOT, "%.0f samples an image on average, those that choose the class included",
          (double) used / log.records().size()));
    }
    CascadeArguments.summary(log).ifPresent(terminal::say);
    terminal.say((run.header().joint() ? "All rows hold together" : "Each row holds") + " with probability at least "
        + (1 - config.alpha()) + " over the noise; see docs/spec/" + (cascade ? "cascade" : "certificate") + ".md.");
    terminal.say("run      " + directory.resolve(RunLog.FILE));
    for (int s = 0; s < log.header().certificates(); s++) {
      terminal.say("results  " + directory.resolve(Results.fileName(log.header(), s)));
    }
    terminal.say("report   " + report);
  }

  private String name(int label) {
    return data.classNames().get(label);
  }

  /** Four decimals, cut off: a radius is never printed above its value (S23). */
  static double floor4(double value) {
    return Math.floor(value * 1e4) / 1e4;
  }
}
