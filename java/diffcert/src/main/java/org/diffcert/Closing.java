package org.diffcert;

import java.util.List;

/** Closes several things that hold memory outside of the Java heap: all of them, whatever becomes of those before. */
public final class Closing {
  private Closing() {}

  /**
   * Closes each, in order. The first failure is thrown once all were tried; later ones are suppressed in it.
   *
   * @param parts what is closed
   */
  public static void all(List<? extends AutoCloseable> parts) {
    RuntimeException first = null;
    for (AutoCloseable part : parts) {
      try {
        part.close();
      } catch (Exception e) {
        RuntimeException failure = e instanceof RuntimeException unchecked ? unchecked
            : new IllegalStateException("a part does not close", e);
        if (first == null) {
          first = failure;
        } else {
          first.addSuppressed(failure);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
