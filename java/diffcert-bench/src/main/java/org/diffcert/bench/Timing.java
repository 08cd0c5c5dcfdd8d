package org.diffcert.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Interleaved timing: one run of each in turn, so that whatever else the machine does meets all alike. Beside the time
 * on the clock it takes the processors' time, which other programs on a busy machine lengthen less (waiting threads
 * that spin count in it).
 *
 * @param wallMs milliseconds of each round
 * @param cpuMs processor milliseconds of each round, all threads of the process
 */
record Timing(double[] wallMs, double[] cpuMs) {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  /* The rounds of each task, after warm-up rounds that do not count. */
  static List<Timing> interleaved(List<Runnable> tasks, int warmups, int rounds) {
    List<Timing> timings = new ArrayList<>();
    for (int t = 0; t < tasks.size(); t++) {
      timings.add(new Timing(new double[rounds], new double[rounds]));
    }
    for (int round = -warmups; round < rounds; round++) {
      for (int t = 0; t < tasks.size(); t++) {
        long cpu = SYSTEM.getProcessCpuTime();
        long start = System.nanoTime();
        tasks.get(t).run();
        if (round >= 0) {
          timings.get(t).wallMs[round] = (System.nanoTime() - start) / 1e6;
          timings.get(t).cpuMs[round] = (SYSTEM.getProcessCpuTime() - cpu) / 1e6;
        }
      }
    }
    return timings;
  }

  /* One sentence where the clock cannot be trusted: more runnable threads than processors. */
  static String warning() {
    double load = SYSTEM.getSystemLoadAverage();
    int processors = SYSTEM.getAvailableProcessors();
    return load <= processors + 1 ? "" : String.format(
        "The load was %.1f on %d processors: other programs ran, so the clock says little about a quiet machine.",
        load, processors);
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  static double least(double[] values) {
    return Arrays.stream(values).min().orElseThrow();
  }
}
