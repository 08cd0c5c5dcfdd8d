package org.diffcert.analyze;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.diffcert.DiffcertException;

/** Lines of a stranger's file, one at a time, none longer than a limit; says whether the last one was ended. */
final class LineReader {
  private static final int LONGEST = 4096;

  private final InputStream in;
  private final byte[] line = new byte[LONGEST];
  private boolean ended = true;

  LineReader(InputStream in) {
    this.in = new BufferedInputStream(in, 1 << 16);
  }

  /** The next line without its end (LF or CR LF), or null after the last. */
  String next() throws IOException {
    int length = 0;
    ended = false;
    for (int b = in.read(); b >= 0; b = in.read()) {
      if (b == '\n') {
        ended = true;
        break;
      }
      if (length == LONGEST) {
        throw DiffcertException.badInput("the line is longer than " + LONGEST + " bytes");
      }
      line[length++] = (byte) b;
    }
    if (length == 0 && !ended) {
      return null;
    }
    boolean carriageReturn = length > 0 && line[length - 1] == '\r';
    return new String(line, 0, carriageReturn ? length - 1 : length, StandardCharsets.UTF_8);
  }

  /** Whether the line just read had its line feed. */
  boolean ended() {
    return ended;
  }
}
