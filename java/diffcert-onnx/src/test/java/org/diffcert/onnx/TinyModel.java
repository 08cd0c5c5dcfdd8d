package org.diffcert.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A protobuf message under construction, and small ONNX models made of it: as much of onnx.proto as the tests need (IR
 * version 8). An extent of -1 is a free one.
 */
final class TinyModel {
  private static final int FLOAT = 1;
  private static final int INT64 = 7;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  TinyModel number(int field, long value) {
    varint((long) field << 3);
    varint(value);
    return this;
  }

  TinyModel real(int field, float value) {
    varint((long) field << 3 | 5);
    out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array());
    return this;
  }

  TinyModel text(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  TinyModel bytes(int field, byte[] value) {
    varint((long) field << 3 | 2);
    varint(value.length);
    out.writeBytes(value);
    return this;
  }

  TinyModel message(int field, TinyModel value) {
    return bytes(field, value.bytes());
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  /** A graph's input (field 11) or output (12). */
  TinyModel value(int field, String name, long... extents) {
    TinyModel shape = new TinyModel();
    for (long extent : extents) {
      shape.message(1, extent < 0 ? new TinyModel().text(2, "free") : new TinyModel().number(1, extent));
    }
    TinyModel tensor = new TinyModel().number(1, FLOAT).message(2, shape);
    return message(field, new TinyModel().text(1, name).message(2, new TinyModel().message(1, tensor)));
  }

  /** A graph's node. */
  TinyModel node(String op, String output, String[] inputs, TinyModel... attributes) {
    TinyModel node = new TinyModel();
    for (String input : inputs) {
      node.text(1, input);
    }
    node.text(2, output).text(4, op);
    for (TinyModel attribute : attributes) {
      node.message(5, attribute);
    }
    return message(1, node);
  }

  /** A graph's constant. */
  TinyModel constant(String name, float[] values, long... extents) {
    ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    raw.asFloatBuffer().put(values);
    return message(5, tensor(name, FLOAT, extents).bytes(9, raw.array()));
  }

  /** A graph's list of integers. */
  TinyModel integers(String name, long... values) {
    ByteBuffer raw = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    raw.asLongBuffer().put(values);
    return message(5, tensor(name, INT64, values.length).bytes(9, raw.array()));
  }

  /** A graph's constant that lies in another file. */
  TinyModel external(String name, String file, long... extents) {
    return message(5, tensor(name, FLOAT, extents)
        .message(13, new TinyModel().text(1, "location").text(2, file)).number(14, 1));
  }

  static TinyModel attribute(String name, long value) {
    return new TinyModel().text(1, name).number(3, value).number(20, 2);
  }

  /** The model around this graph. */
  byte[] model(int opset) {
    return new TinyModel().number(1, 8).message(7, new TinyModel().text(2, "g").append(this))
        .message(8, new TinyModel().text(1, "").number(2, opset)).bytes();
  }

  private TinyModel append(TinyModel other) {
    out.writeBytes(other.bytes());
    return this;
  }

  private static TinyModel tensor(String name, int type, long... extents) {
    TinyModel tensor = new TinyModel();
    for (long extent : extents) {
      tensor.number(1, extent);
    }
    return tensor.number(2, type).text(8, name);
  }

  private void varint(long value) {
    long rest = value;
    for (; (rest & ~0x7fL) != 0; rest >>>= 7) {
      out.write((int) (rest & 0x7f | 0x80));
    }
    out.write((int) rest);
  }
}
