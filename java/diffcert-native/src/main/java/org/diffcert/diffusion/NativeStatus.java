package org.diffcert.diffusion;

import org.diffcert.DiffcertException;

/**
 * What a native call came back with: the Java side of {@code dc_status}. Kept in step with
 * native/include/diffcert/diffcert.h; a test walks both.
 */
public enum NativeStatus {
  /** It worked. */
  OK(0, null),
  /** A value, length or shape that the function does not take. */
  BAD_ARGUMENT(1, DiffcertException.Kind.USAGE),
  /** Tensors missing, unknown, not finite or of another shape than the configuration asks for. */
  BAD_MODEL(2, DiffcertException.Kind.BAD_INPUT),
  /** Host or device memory ran out. */
  OUT_OF_MEMORY(3, DiffcertException.Kind.INTERNAL),
  /** The device asked for is not there. */
  DEVICE_UNAVAILABLE(4, DiffcertException.Kind.DEVICE),
  /** The device failed while it worked. */
  DEVICE_LOST(5, DiffcertException.Kind.DEVICE),
  /** A broken invariant of the library. */
  INTERNAL(6, DiffcertException.Kind.INTERNAL);

  private final int code;
  private final DiffcertException.Kind kind;

  NativeStatus(int code, DiffcertException.Kind kind) {
    this.code = code;
    this.kind = kind;
  }

  /**
   * The number of this status in the C ABI.
   *
   * @return 0 for OK, else 1 to 6
   */
  public int code() {
    return code;
  }

  /**
   * The kind of exception that this status becomes.
   *
   * @return the kind, or null for {@link #OK}
   */
  public DiffcertException.Kind kind() {
    return kind;
  }

  /**
   * The status with a number of the C ABI.
   *
   * @param code the number
   * @return the status; {@link #INTERNAL} for a number that no status has
   */
  public static NativeStatus of(int code) {
    for (NativeStatus status : values()) {
      if (status.code == code) {
        return status;
      }
    }
    return INTERNAL;
  }
}
