package org.diffcert.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.diffcert.DiffcertException;

/**
 * The speed of this library's own convolutions, which Java cannot call one by one: the native program
 * diffcert-bench-conv measures them, run in turn with what they are compared with.
 */
final class NativeConvolution {
  /** The batch of the program's shapes. */
  private static final int BATCH = 8;

  private NativeConvolution() {}

  /**
   * GFLOP/s of one shape, counted as the direct form.
   *
   * @param program the path of diffcert-bench-conv, or empty
   * @param shape channels in, channels out, side
   * @param batch the batch that is being measured
   * @param threads threads
   * @param repeats measurements, of which the median counts
   * @return the rate, or empty where there is no program or it does not know the batch
   */
  static OptionalDouble rate(String program, int[] shape, int batch, int threads, int repeats) {
    if (program.isEmpty() || batch != BATCH) {
      return OptionalDouble.empty();
    }
    String name = "cifar " + shape[0] + "->" + shape[1] + " " + shape[2] + "x" + shape[2];
    String said;
    try {
      Process process = new ProcessBuilder(List.of(program, "--only", name, "--no-error", "--threads",
          Integer.toString(threads), "--repeats", Integer.toString(repeats))).redirectErrorStream(true).start();
      said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw DiffcertException.usage("the program " + program + " cannot be run: " + DiffcertException.reason(e));
    }
    // name, batch, microseconds, GFLOP/s
    Matcher row = Pattern.compile(Pattern.quote(name) + " +" + BATCH + " +[0-9.]+ +([0-9.]+) ").matcher(said);
    if (!row.find()) {
      throw new IllegalStateException(program + " says nothing of " + name + ": " + said);
    }
    return OptionalDouble.of(Double.parseDouble(row.group(1)));
  }
}
