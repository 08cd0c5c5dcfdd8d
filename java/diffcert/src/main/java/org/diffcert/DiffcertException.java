package org.diffcert;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/**
 * A failure that a user can act on: one sentence that names the thing, the value and the remedy, and the kind of
 * failure, which the command line turns into its exit code. Bugs of ours are other exceptions.
 */
public class DiffcertException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The kinds of failure, with the exit code of each. */
  public enum Kind {
    /** A broken invariant of the library. */
    INTERNAL(1),
    /** A bad option or argument. */
    USAGE(2),
    /** A file that is missing, malformed, hostile or does not fit. */
    BAD_INPUT(3),
    /** The device asked for is not there, or was lost. */
    DEVICE(4),
    /** Stopped from outside; the run can be resumed. */
    INTERRUPTED(5),
    /** A recomputed value differs from the recorded one. */
    MISMATCH(6);

    private final int exitCode;

    Kind(int exitCode) {
      this.exitCode = exitCode;
    }

    /**
     * The documented exit code of the command line.
     *
     * @return 1 to 6
     */
    public int exitCode() {
      return exitCode;
    }
  }

  /** What kind of failure. */
  private final Kind kind;

  /**
   * Creates a failure.
   *
   * @param kind what kind of failure
   * @param message one clear sentence for the user
   */
  public DiffcertException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  /**
   * Creates a failure with its cause.
   *
   * @param kind what kind of failure
   * @param message one clear sentence for the user
   * @param cause the cause, for logs
   */
  public DiffcertException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /**
   * What kind of failure this is.
   *
   * @return the kind
   */
  public Kind kind() {
    return kind;
  }

  /**
   * A malformed, hostile or unfit file.
   *
   * @param message one clear sentence
   * @return the exception, to be thrown
   */
  public static DiffcertException badInput(String message) {
    return new DiffcertException(Kind.BAD_INPUT, message);
  }

  /**
   * A bad option or argument.
   *
   * @param message one clear sentence
   * @return the exception, to be thrown
   */
  public static DiffcertException usage(String message) {
    return new DiffcertException(Kind.USAGE, message);
  }

  /**
   * Why a file could not be read or written, in words; an exception's own text is often only the file's name.
   *
   * @param cause what the file system said
   * @return part of a sentence
   */
  public static String reason(IOException cause) {
    if (cause instanceof NoSuchFileException) {
      return "it is not there, or its folder is not";
    }
    if (cause instanceof AccessDeniedException) {
      return "permission denied";
    }
    boolean worded = cause instanceof FileSystemException file && file.getReason() != null;
    return worded ? ((FileSystemException) cause).getReason() : String.valueOf(cause.getMessage());
  }
}
