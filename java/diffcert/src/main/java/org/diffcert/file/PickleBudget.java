package org.diffcert.file;

import java.util.function.Function;
import org.diffcert.DiffcertException;

/** Bounds what one file may make a pickle reader hold, the nested streams of the file included. */
final class PickleBudget {
  private static final int MOST_VALUES = 500_000;
  private static final long MOST_TEXT = 1L << 24;

  private int values;
  private long text;

  void value(Function<String, DiffcertException> fail) {
    if (++values > MOST_VALUES) {
      throw fail.apply("it has more than " + MOST_VALUES + " values");
    }
  }

  void text(long bytes, Function<String, DiffcertException> fail) {
    text += bytes;
    if (text > MOST_TEXT) {
      throw fail.apply("it has more than " + MOST_TEXT + " bytes of text");
    }
  }
}
