package org.diffcert.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * An ONNX graph under construction: inputs, constants and nodes in the order of their computation. Values are named;
 * every node has one output, whose name is returned. Field numbers are those of onnx.proto (IR version 8, opset 13).
 */
final class OnnxGraph {
  private static final int FLOAT = 1;
  private static final int INT64 = 7;

  private final Proto graph = new Proto().text(2, "network");
  private int nodes;
  private int constants;

  /** An attribute of a node. */
  record Attribute(Proto proto) {
    static Attribute of(String name, long value) {
      return new Attribute(new Proto().text(1, name).number(3, value).number(20, 2));
    }

    static Attribute of(String name, float value) {
      return new Attribute(new Proto().text(1, name).real(2, value).number(20, 1));
    }

    static Attribute of(String name, String value) {
      return new Attribute(new Proto().text(1, name).blob(4, value.getBytes(StandardCharsets.UTF_8)).number(20, 3));
    }

    static Attribute of(String name, long[] values) {
      Proto proto = new Proto().text(1, name);
      for (long value : values) {
        proto.number(8, value);
      }
      return new Attribute(proto.number(20, 7));
    }
  }

  String input(String name, long... shape) {
    graph.message(11, value(name, shape));
    return name;
  }

  void output(String name, long... shape) {
    graph.message(12, value(name, shape));
  }

  String constant(String name, float[] values, long... shape) {
    ByteBuffer raw = ByteBuffer.allocate(Math.multiplyExact(4, values.length)).order(ByteOrder.LITTLE_ENDIAN);
    raw.asFloatBuffer().put(values);
    return constant(name, FLOAT, raw, shape);
  }

  String scalar(double value) {
    return constant("scalar" + constants++, new float[] {(float) value});
  }

  String list(long... values) {
    ByteBuffer raw = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    raw.asLongBuffer().put(values);
    return constant("list" + constants++, INT64, raw, values.length);
  }

  private String constant(String name, int type, ByteBuffer raw, long... shape) {
    Proto tensor = new Proto();
    for (long extent : shape) {
      tensor.number(1, extent);
    }
    graph.message(5, tensor.number(2, type).text(8, name).blob(9, raw.array()));
    return name;
  }

  /* An input named "" is one that is left out. */
  String node(String op, String[] inputs, Attribute... attributes) {
    String output = op + nodes++;
    Proto node = new Proto();
    for (String input : inputs) {
      node.text(1, input);
    }
    node.text(2, output).text(4, op);
    for (Attribute attribute : attributes) {
      node.message(5, attribute.proto());
    }
    graph.message(1, node);
    return output;
  }

  /* The whole model. Nothing may be added afterwards. */
  byte[] model() {
    return new Proto().number(1, 8).message(7, graph).message(8, new Proto().text(1, "").number(2, 13)).bytes();
  }

  private static Proto value(String name, long... shape) {
    Proto extents = new Proto();
    for (long extent : shape) {
      extents.message(1, new Proto().number(1, extent));
    }
    Proto tensor = new Proto().number(1, FLOAT).message(2, extents);
    return new Proto().text(1, name).message(2, new Proto().message(1, tensor));
  }
}
