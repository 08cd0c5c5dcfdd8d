package org.diffcert.bench;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A protobuf message under construction: as much of the wire format as an ONNX model needs. What is added is kept in
 * pieces, so that nested messages with large weights are copied once, in {@link #bytes}.
 */
final class Proto {
  private static final int VARINT = 0;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  private final List<byte[]> pieces = new ArrayList<>();
  private int size;

  /* An integer; negative ones take ten bytes, as the format has it. */
  Proto number(int field, long value) {
    return header(field, VARINT, value);
  }

  Proto real(int field, float value) {
    int bits = Float.floatToIntBits(value);
    varint((long) field << 3 | FIXED32);
    return piece(new byte[] {(byte) bits, (byte) (bits >> 8), (byte) (bits >> 16), (byte) (bits >> 24)});
  }

  Proto text(int field, String value) {
    return blob(field, value.getBytes(StandardCharsets.UTF_8));
  }

  /* The bytes are not copied: the caller leaves them alone. */
  Proto blob(int field, byte[] value) {
    return header(field, LENGTH_DELIMITED, value.length).piece(value);
  }

  /* The message must be complete. */
  Proto message(int field, Proto value) {
    header(field, LENGTH_DELIMITED, value.size);
    value.pieces.forEach(this::piece);
    return this;
  }

  byte[] bytes() {
    byte[] all = new byte[size];
    int at = 0;
    for (byte[] piece : pieces) {
      System.arraycopy(piece, 0, all, at, piece.length);
      at += piece.length;
    }
    return all;
  }

  private Proto header(int field, int type, long value) {
    varint((long) field << 3 | type);
    return varint(value);
  }

  private Proto varint(long value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(10);
    long rest = value;
    for (; (rest & ~0x7fL) != 0; rest >>>= 7) {
      out.write((int) (rest & 0x7f | 0x80));
    }
    out.write((int) rest);
    return piece(out.toByteArray());
  }

  private Proto piece(byte[] bytes) {
    pieces.add(bytes);
    size = Math.addExact(size, bytes.length);
    return this;
  }
}
