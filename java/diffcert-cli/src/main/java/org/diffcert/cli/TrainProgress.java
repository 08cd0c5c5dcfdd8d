package org.diffcert.cli;

import java.time.Duration;
import java.util.Locale;
import org.diffcert.train.TrainLimits;
import org.diffcert.train.TrainListener;

/**
 * A training as a person sees it: a bar with the time left on a terminal, and now and then a line, ever more rarely.
 */
final class TrainProgress implements TrainListener {
  private static final double FIRST_LINE_SECONDS = 1;
  private static final double MOST_SECONDS = 60;

  private final Terminal terminal;
  private final TrainLimits limits;
  private double before;
  private double shareBefore;
  private double wait = FIRST_LINE_SECONDS;
  private double said;
  private double sum;
  private long count;
  private long imagesSaid;

  TrainProgress(Terminal terminal, TrainLimits limits) {
    this.terminal = terminal;
    this.limits = limits;
  }

  @Override
  public void started(long steps, long images, double seconds) {
    imagesSaid = images;
    before = seconds;
    said = seconds;
    shareBefore = limits.share(steps, seconds);
    if (steps > 0) {
      terminal.say("resumed  after step " + steps);
    }
  }

  @Override
  public void stepDone(long steps, long images, double loss, double seconds) {
    sum += loss;
    count++;
    double share = limits.share(steps, seconds);
    terminal.progress("train step " + steps, share, 1, shareBefore);
    if (seconds - said < wait) {
      return;
    }
    double left = share <= shareBefore ? 0 : (seconds - before) * (1 - share) / (share - shareBefore);
    terminal.say(String.format(Locale.ROOT, "step %7d  loss %.4f  %.0f images/s  %s left", steps, sum / count,
        (images - imagesSaid) / (seconds - said),
        Terminal.time(Duration.ofMillis((long) (1000 * left)))));
    said = seconds;
    imagesSaid = images;
    wait = Math.min(MOST_SECONDS, 2 * wait);
    sum = 0;
    count = 0;
  }

  @Override
  public void note(String sentence) {
    terminal.say("note     " + sentence);
  }
}
