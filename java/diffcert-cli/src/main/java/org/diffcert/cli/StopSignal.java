package org.diffcert.cli;

import java.io.PrintWriter;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;

/**
 * Ctrl-C and SIGTERM: the process ends with exit code 5 and one sentence, not with the JVM's 130 or 143. Work that can
 * stop in good order says so by {@link #begin}; it is then asked, and waited for. What cannot (a model that is being
 * loaded, a command that leaves nothing behind) is left where it stands. Signals are a matter of the whole process, so
 * this is static; where it was not installed, as in tests, nobody is ever asked to stop.
 */
final class StopSignal {
  private static final long PATIENCE_MILLIS = 60_000;
  private static final long GLANCE_MILLIS = 50;

  private static final AtomicReference<Thread> WORKER = new AtomicReference<>();
  private static final AtomicBoolean ASKED = new AtomicBoolean();
  private static final AtomicReference<Integer> ENDED = new AtomicReference<>();

  private StopSignal() {}

  /** From now on a signal ends the process as described; its sentence goes to err. */
  static void install(PrintWriter err) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(err), "stop"));
  }

  /** Ends the process with the exit code of its command, also when it is being stopped already. */
  static void exit(int code) {
    ENDED.set(code);
    System.exit(code);
  }

  /** This thread begins work that stops in good order, by an exception of its own, once the result is true. */
  static BooleanSupplier begin() {
    WORKER.set(Thread.currentThread());
    return ASKED::get;
  }

  /** That work is over, in whichever way. */
  static void end() {
    WORKER.set(null);
  }

  /** The hook, which also runs where a command ended by itself. */
  private static void stop(PrintWriter err) {
    if (ENDED.get() != null) {
      return;
    }
    Thread worker = WORKER.get();
    ASKED.set(true);
    if (worker == null) {
      err.println("diffcert: stopped by a signal; nothing was begun that could be gone on with");
    } else {
      await(worker);
    }
    Integer code = ENDED.get();
    err.flush();
    System.out.flush();
    Runtime.getRuntime().halt(code == null ? DiffcertException.Kind.INTERRUPTED.exitCode() : code);
  }

  /** Until the command has come to its end: a thread that calls exit in the meantime hangs there, but says so first. */
  private static void await(Thread worker) {
    long until = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
    while (ENDED.get() == null && worker.isAlive() && System.nanoTime() < until) {
      try {
        Thread.sleep(GLANCE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
