package org.diffcert.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/**
 * What a person sees while something long runs: lines, and on a terminal a bar with the time left, which is wiped
 * before each line. Elsewhere (a log, a pipe) only lines. Not for several threads.
 */
final class Terminal {
  private static final int WIDTH = 30;
  private static final long REDRAW_NANOS = 200_000_000L;

  private final PrintWriter out;
  private final boolean bar;
  private final long started = System.nanoTime();
  private long drawn;
  private boolean shown;

  Terminal(PrintWriter out) {
    this.out = out;
    String term = System.getenv("TERM");
    this.bar = onTerminal() && term != null && !term.equals("dumb");
  }

  /** From Java 22 on there is a console also where input and output are files, and it says which it is. */
  private static boolean onTerminal() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException e) {
      return true; // before Java 22 a console is a terminal
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  void say(String line) {
    wipe();
    out.println(line);
    out.flush();
  }

  /** Draws the bar, if there is a terminal and the last drawing is old enough. done and total are in any unit. */
  void progress(String what, double done, double total, double doneBefore) {
    long now = System.nanoTime();
    if (!bar || (shown && now - drawn < REDRAW_NANOS)) {
      return;
    }
    drawn = now;
    shown = true;
    double part = total <= 0 ? 0 : Math.min(1, done / total);
    int filled = (int) (part * WIDTH);
    double here = done - doneBefore;
    String left = here <= 0 ? "..." : time(Duration.ofNanos((long) ((now - started) * (total - done) / here)));
    out.print(String.format(Locale.ROOT, "\r\033[K%s [%s%s] %5.1f%%  %s left", what, "#".repeat(filled),
        "-".repeat(WIDTH - filled), 100 * part, left));
    out.flush();
  }

  /** Takes the bar away. */
  void wipe() {
    if (shown) {
      out.print("\r\033[K");
      shown = false;
    }
  }

  /** For a person: 3.2 s, 4 min 05 s, 7 h 12 min, 3 d 4 h. */
  static String time(Duration duration) {
    long seconds = duration.toSeconds();
    if (seconds < 60) {
      return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
    }
    if (seconds < 3600) {
      return String.format(Locale.ROOT, "%d min %02d s", seconds / 60, seconds % 60);
    }
    if (seconds < 86400) {
      return String.format(Locale.ROOT, "%d h %02d min", seconds / 3600, seconds / 60 % 60);
    }
    return String.format(Locale.ROOT, "%d d %d h", seconds / 86400, seconds / 3600 % 24);
  }
}
