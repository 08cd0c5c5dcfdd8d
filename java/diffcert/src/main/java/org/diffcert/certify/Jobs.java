package org.diffcert.certify;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;

/** Independent jobs, done by several threads that end with the call. */
public final class Jobs {
  private Jobs() {}

  /**
   * Does the jobs 0 to count - 1, each once, by this thread and helpers. When it returns or throws, no job is running;
   * what is thrown is a failure of one, after which no other was begun.
   *
   * @param threads how many threads at most, at least 1
   * @param count the number of jobs
   * @param job does the job of a number
   */
  public static void run(int threads, int count, IntConsumer job) {
    AtomicInteger next = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Runnable work = () -> {
      try {
        for (int i = next.getAndIncrement(); i < count && failure.get() == null; i = next.getAndIncrement()) {
          job.accept(i);
        }
      } catch (RuntimeException | Error e) {
        failure.compareAndSet(null, e);
      }
    };
    List<Thread> helpers = new ArrayList<>();
    for (int t = 1; t < Math.min(threads, count); t++) {
      Thread helper = new Thread(work, "diffcert-job-" + t);
      helper.setDaemon(true);
      helper.start();
      helpers.add(helper);
    }
    work.run();
    helpers.forEach(Jobs::await);
    if (failure.get() instanceof Error error) {
      throw error;
    }
    if (failure.get() instanceof RuntimeException exception) {
      throw exception;
    }
  }

  /** Waits for the end of a thread even if interrupted: it must not outlive what it works with. */
  private static void await(Thread helper) {
    boolean interrupted = false;
    while (helper.isAlive()) {
      try {
        helper.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
