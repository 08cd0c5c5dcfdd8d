package org.diffcert.denoise;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Where the time goes: wall time by the name of a stage, stages one after another. Thread-safe. */
final class StageTimes {
  private final Map<String, Long> nanos = new LinkedHashMap<>();

  /** Does work and adds its time to a stage. */
  <T> T timed(String stage, Supplier<T> work) {
    long start = System.nanoTime();
    T result = work.get();
    long spent = System.nanoTime() - start;
    synchronized (nanos) {
      nanos.merge(stage, spent, Long::sum);
    }
    return result;
  }

  /** The nanoseconds of each stage so far, in the order in which they first came. */
  Map<String, Long> nanos() {
    synchronized (nanos) {
      return new LinkedHashMap<>(nanos);
    }
  }
}
