package org.diffcert.diffusion;

import org.diffcert.DiffcertException;

/**
 * How a model is opened. Immutable; results depend on the device and, on a device of kernels, on the form, and on
 * nothing else of it.
 *
 * @param device where the network runs
 * @param threads threads of a call on a CPU device; 0 = one a core
 * @param maxBatch the largest batch a call may have, or {@link #DEVICES_CHOICE}; the working memory is sized for it
 *     once
 * @param instructionSet on the CPU {@code ""} = the best of this machine, or {@code portable}, {@code avx2},
 *     {@code avx512} to force one, which no result shows. On {@code cuda} (and {@code emulator}) the form: {@code ""}
 *     or {@code fp32}, or {@value #BF16}: feature maps in memory and the products of convolutions and attention in
 *     bfloat16, faster, and with bits of its own, so that {@link #identity} names it. A device that lacks it refuses
 *     when the model is opened
 * @param gradients which gradients the model can give
 * @param rowBytes with gradients, what the working memory may take for a row of a batch; 0 = as much as it needs.
 *     Beyond it the insides of blocks are computed again on the way back rather than kept
 */
public record DeviceOptions(Device device, int threads, int maxBatch, String instructionSet, Gradients gradients,
    long rowBytes) {
  /** The batch that a model is opened for unless told otherwise. */
  public static final int DEFAULT_MAX_BATCH = 16;
  /** The batch is what suits the device: whole waves of a GPU's multiprocessors within its free memory, 80 on a CPU. */
  public static final int DEVICES_CHOICE = 0;
  /** The form of devices of kernels whose feature maps and products are bfloat16. */
  public static final String BF16 = "bf16";

  private static final String BF16_IDENTITY = "-" + BF16;

  /**
   * Checks the ranges.
   *
   * @param device where the network runs
   * @param threads threads of a call on a CPU device; 0 = one a core
   * @param maxBatch the largest batch a call may have, or {@link #DEVICES_CHOICE}; the working memory is sized for it
   *     once
   * @param instructionSet {@code ""} = the best of this machine, or {@code portable}, {@code avx2}, {@code avx512}; on
   *     {@code cuda} {@code fp32} or {@value #BF16}
   * @param gradients which gradients the model can give
   * @param rowBytes with gradients, what the working memory may take for a row; 0 = as much as it needs
   * @throws DiffcertException of kind USAGE if threads is negative or over 1024, maxBatch is not in 0..65536, or
   *     rowBytes is negative
   */
  public DeviceOptions {
    if (threads < 0 || threads > 1024) {
      throw DiffcertException.usage("The number of threads must be 0 (one a core) to 1024, not " + threads + ".");
    }
    if (maxBatch < 0 || maxBatch > 65536) {
      throw DiffcertException.usage("The largest batch must be 1 to 65536 (or 0, the device's choice), not " + maxBatch
          + ".");
    }
    if (rowBytes < 0) {
      throw DiffcertException.usage("The working memory of a row must not be negative, but is " + rowBytes + ".");
    }
  }

  /**
   * Options of a model without gradients.
   *
   * @param device where the network runs
   * @param threads threads of a call on a CPU device; 0 = one a core
   * @param maxBatch the largest batch a call may have, at least 1
   * @param instructionSet {@code ""} = the best of this machine, or {@code portable}, {@code avx2}, {@code avx512}; on
   *     {@code cuda} {@code fp32} or {@value #BF16}
   * @throws DiffcertException of kind USAGE if threads is negative or over 1024, or maxBatch is not in 1..65536
   */
  public DeviceOptions(Device device, int threads, int maxBatch, String instructionSet) {
    this(device, threads, maxBatch, instructionSet, Gradients.NONE, 0);
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
    return new DeviceOptions(device, count, maxBatch, instructionSet, gradients, rowBytes);
  }

  /**
   * The same with another largest batch.
   *
   * @param rows at least 1, or {@link #DEVICES_CHOICE}
   * @return the options
   */
  public DeviceOptions withMaxBatch(int rows) {
    return new DeviceOptions(device, threads, rows, instructionSet, gradients, rowBytes);
  }

  /**
   * The same with a forced instruction set, or the form of a device of kernels.
   *
   * @param name {@code ""}, {@code portable}, {@code avx2} or {@code avx512}; on {@code cuda} {@code ""}, {@code fp32}
   *     or {@value #BF16}
   * @return the options
   */
  public DeviceOptions withInstructionSet(String name) {
    return new DeviceOptions(device, threads, maxBatch, name, gradients, rowBytes);
  }

  /**
   * The same with gradients.
   *
   * @param which the gradients that the model can give
   * @return the options
   */
  public DeviceOptions withGradients(Gradients which) {
    return new DeviceOptions(device, threads, maxBatch, instructionSet, which, rowBytes);
  }

  /**
   * The same with another working memory for a row of a model with gradients. No result depends on it.
   *
   * @param bytes 0 = as much as it needs
   * @return the options
   */
  public DeviceOptions withRowBytes(long bytes) {
    return new DeviceOptions(device, threads, maxBatch, instructionSet, gradients, bytes);
  }

  /**
   * What of device and form can change the bits of a vote, as run logs keep it.
   *
   * @return {@link Device#identity()}, with {@code -bf16} behind it in that form: {@code cpu}, {@code cuda-9.0},
   *     {@code cuda-9.0-bf16}
   * @throws DiffcertException of kind DEVICE if the device or the native library is not there
   */
  public String identity() {
    return device.identity() + (instructionSet.equals(BF16) ? BF16_IDENTITY : "");
  }

  /**
   * The form to ask for where a run is repeated.
   *
   * @param identity what {@link #identity()} gave
   * @return {@value #BF16}, or {@code ""}: results do not depend on any other instruction set
   */
  public static String formOfIdentity(String identity) {
    return identity.endsWith(BF16_IDENTITY) ? BF16 : "";
  }

  /** The device's own part of an identity. */
  static String deviceOfIdentity(String identity) {
    return identity.endsWith(BF16_IDENTITY) ? identity.substring(0, identity.length() - BF16_IDENTITY.length())
        : identity;
  }
}
