package org.diffcert.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.diffcert.DiffcertException;

/**
 * The bytes of one pickle stream, a range of a file: little-endian numbers, lines and raw bytes, one after the other.
 */
final class PickleBytes {
  private static final int WINDOW = 1 << 12;

  private final FileBytes file;
  private final long end;
  private final ByteBuffer window = ByteBuffer.allocate(WINDOW).order(ByteOrder.LITTLE_ENDIAN).limit(0);
  private long windowAt;

  PickleBytes(FileBytes file, long begin, long end) {
    this.file = file;
    this.windowAt = begin;
    this.end = end;
  }

  /** Where the next byte is in the file. */
  long position() {
    return windowAt + window.position();
  }

  /** How many bytes are left of the range. */
  long left() {
    return end - position();
  }

  /** Goes on after so many bytes, at most those that are left. */
  void skip(long length) {
    long next = position() + length;
    window.position(0).limit(0);
    windowAt = next;
  }

  /** A line of printable characters, as names are written. */
  String line() {
    StringBuilder text = new StringBuilder();
    for (int c = u8(); c != '\n'; c = u8()) {
      if (c < 0x20 || c > 0x7e || text.length() > 1000) {
        throw fail("it has a name that is not a line of text");
      }
      text.append((char) c);
    }
    return text.toString();
  }

  /** That many bytes; the caller has bounded their number. */
  byte[] raw(int length) {
    byte[] bytes = new byte[length];
    for (int done = 0; done < length;) {
      need(1);
      int some = Math.min(length - done, window.remaining());
      window.get(bytes, done, some);
      done += some;
    }
    return bytes;
  }

  /** Brings so many bytes into the window. */
  private void need(int count) {
    if (window.remaining() >= count) {
      return;
    }
    long at = position();
    if (count > left()) {
      throw fail("it ends in the middle of an operation");
    }
    window.clear().limit((int) Math.min(WINDOW, end - at));
    windowAt = at;
    file.read(at, window);
    window.flip();
  }

  int u8() {
    need(1);
    return window.get() & 0xFF;
  }

  int u16() {
    need(2);
    return window.getShort() & 0xFFFF;
  }

  int s32() {
    need(4);
    return window.getInt();
  }

  long u32() {
    return s32() & 0xFFFFFFFFL;
  }

  long s64() {
    need(8);
    return window.getLong();
  }

  /** A length, which is no negative number. */
  long u64() {
    long value = s64();
    if (value < 0) {
      throw fail("it has a length of " + Long.toUnsignedString(value) + " bytes");
    }
    return value;
  }

  /** What is wrong, with where. */
  DiffcertException fail(String why) {
    return DiffcertException.badInput(file.name() + " is not a pickle that can be read, at byte " + position() + ": "
        + why);
  }
}
