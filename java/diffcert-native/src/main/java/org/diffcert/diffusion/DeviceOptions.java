package org.diffcert.diffusion;

import org.diffcert.DiffcertException;

/**
 * How a model is opened. Immutable; results do not depend on any of it but the device.
 *
 * @param device where the network runs
 * @param threads threads of a call on a CPU device; 0 = one a core
 * @param maxBatch the largest batch a call may have, at least 1; the working memory is sized for it once
 * @param instructionSet {@code ""} = the best of this machine, or {@code portable}, {@code avx2}, {@code avx512} to force one
 */
public record DeviceOptions(Device device, int threads, int maxBatch, String instructionSet) {
  /** The batch that a model is opened for unless told otherwise. */
  public static final int DEFAULT_MAX_BATCH = 16;

  /**
   * Checks the ranges.
   *
   * @param device where the network runs
   * @param threads threads of a call on a CPU device; 0 = one a core
   * @param maxBatch the largest batch a call may have, at least 1; the working memory is sized for it once
   * @param instructionSet {@code ""} = the best of this machine, or {@code portable}, {@code avx2}, {@code avx512}
   * @throws DiffcertException of kind USAGE if threads is negative or over 1024, or maxBatch is not in 1..65536
   */
  public DeviceOptions {
    if (threads < 0 || threads > 1024) {
      throw DiffcertException.usage("The number of threads must be 0 (one a core) to 1024, not " + threads + ".");
    }
    if (maxBatch < 1 || maxBatch > 65536) {
      throw DiffcertException.usage("The largest batch must be 1 to 65536, not " + maxBatch + ".");
    }
  }

  /**
   * A device with one thread a core and the default batch.
   *
   * @param device where the network runs
   * @return the options
   */
  public static DeviceOptions on(Device device) {
    return new DeviceOptions(device, 0, DEFAULT_MAX_BATCH, "");
  }

  /**
   * The same with another number of threads.
   *
   * @param count 0 = one a core
   * @return the options
   */
  public DeviceOptions withThreads(int count) {
    return new DeviceOptions(device, count, maxBatch, instructionSet);
  }

  /**
   * The same with another largest batch.
   *
   * @param rows at least 1
   * @return the options
   */
  public DeviceOptions withMaxBatch(int rows) {
    return new DeviceOptions(device, threads, rows, instructionSet);
  }

  /**
   * The same with a forced instruction set.
   *
   * @param name {@code ""}, {@code portable}, {@code avx2} or {@code avx512}
   * @return the options
   */
  public DeviceOptions withInstructionSet(String name) {
    return new DeviceOptions(device, threads, maxBatch, name);
  }
}
