package org.diffcert.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.diffcert.DiffcertException;

/**
 * The header of a .npy array, versions 1 to 3, read by a fixed grammar: a dictionary of exactly descr (a string),
 * fortran_order and shape. Nothing in it is evaluated. Only C order and plain number types are taken.
 *
 * @param descr the number type, for example |u1 or <i8
 * @param shape the extents, each at least 0
 * @param headerBytes bytes before the data
 */
record NpyHeader(String descr, long[] shape, int headerBytes) {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int MAX_HEADER = 4096;
  private static final int MAX_RANK = 8;
  private static final Pattern ENTRY = Pattern.compile(
      "\\s*'(descr|fortran_order|shape)'\\s*:\\s*(?:'([^']{1,16})'|(True|False)|"
      + "\\(([0-9, ]{0,200})\\))\\s*(,|(?=}))");

  /** Reads the header; what names the array in sentences. */
  static NpyHeader read(Path file, String what, InputStream in) throws IOException {
    byte[] start = Inputs.exactly(in, 8);
    if (!Arrays.equals(MAGIC, Arrays.copyOf(start, 6))) {
      throw bad(file, what, "does not begin as a .npy array does; save it with numpy");
    }
    int major = start[6];
    if (major < 1 || major > 3 || start[7] != 0) {
      throw bad(file, what, "is of .npy version " + major + "." + start[7] + "; versions 1.0, 2.0 and 3.0 can be read");
    }
    int lengthBytes = major == 1 ? 2 : 4;
    byte[] length = Arrays.copyOf(Inputs.exactly(in, lengthBytes), 4);
    int size = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getInt();
    if (size < 2 || size > MAX_HEADER) {
      throw bad(file, what, "has a header of " + Integer.toUnsignedString(size) + " bytes; at most " + MAX_HEADER
          + " are read");
    }
    String text = new String(Inputs.exactly(in, size), StandardCharsets.ISO_8859_1);
    return parse(file, what, text, 8 + lengthBytes + size);
  }

  private static NpyHeader parse(Path file, String what, String text, int headerBytes) {
    if (!text.startsWith("{") || !text.matches("(?s).*}[ ]*\\n?")) {
      throw bad(file, what, "has a header that is no dictionary; save it with numpy");
    }
    int end = text.lastIndexOf('}');
    Matcher entry = ENTRY.matcher(text).region(1, end + 1);
    entry.useTransparentBounds(true);
    Set<String> seen = new HashSet<>();
    String descr = null;
    String order = null;
    long[] shape = null;
    int at = 1;
    while (entry.lookingAt()) {
      if (!seen.add(entry.group(1))) {
        throw bad(file, what, "has '" + entry.group(1) + "' twice in its header");
      }
      switch (entry.group(1)) {
        case "descr" -> descr = entry.group(2);
        case "fortran_order" -> order = entry.group(3);
        default -> shape = entry.group(4) == null ? null : shape(file, what, entry.group(4));
      }
      at = entry.end();
      entry.region(at, end + 1);
    }
    if (text.substring(at, end).matches("(?s)\\s*'descr'\\s*:\\s*\\[.*")) {
      throw bad(file, what, "is an array of records; save plain numbers");
    }
    if (!text.substring(at, end).isBlank() || descr == null || order == null || shape == null) {
      throw bad(file, what,
          "has a header that is not descr, fortran_order and shape and nothing else; save it with numpy");
    }
    if (descr.indexOf('O') >= 0) {
      throw bad(file, what, "holds Python objects, which are never loaded; save plain numbers");
    }
    if (order.equals("True")) {
      throw bad(file, what, "is in Fortran order; save numpy.ascontiguousarray of it");
    }
    return new NpyHeader(descr, shape, headerBytes);
  }

  private static long[] shape(Path file, String what, String text) {
    String trimmed = text.strip();
    if (!trimmed.matches("|[0-9]{1,10} ?,|[0-9]{1,10}( ?, ?[0-9]{1,10})+( ?,)?")) {
      throw bad(file, what, "has a shape (" + text + ") that is no tuple of numbers of at most ten digits");
    }
    long[] shape = trimmed.isEmpty() ? new long[0]
        : Arrays.stream(trimmed.split(" ?, ?")).mapToLong(Long::parseLong).toArray();
    if (shape.length > MAX_RANK) {
      throw bad(file, what, "has " + shape.length + " axes; at most " + MAX_RANK + " are read");
    }
    return shape;
  }

  /** The product of the extents, or -1 where it is beyond 2^62. */
  long elements() {
    long product = 1;
    for (long extent : shape) {
      if (extent == 0) {
        return 0;
      }
      if (product > (1L << 62) / extent) {
        return -1;
      }
      product *= extent;
    }
    return product;
  }

  static DiffcertException bad(Path file, String what, String how) {
    return DiffcertException.badInput("array '" + what + "' of " + file + " " + how);
  }
}
