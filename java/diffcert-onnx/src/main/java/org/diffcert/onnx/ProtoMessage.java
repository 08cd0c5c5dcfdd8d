package org.diffcert.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.diffcert.DiffcertException;

/**
 * A protobuf message by field number: as much as reading a graph's nodes and constants takes. Values of a field stay in
 * their order; packed and single numbers are one list. Immutable.
 */
final class ProtoMessage {
  /** A field's value: a number (varint or fixed), or bytes. */
  private record Value(long number, ByteBuffer bytes) {}

  private final Map<Integer, List<Value>> fields = new TreeMap<>();

  /** Parses a message; one that is cut short is bad input. */
  ProtoMessage(ByteBuffer message) {
    ByteBuffer in = message.slice().order(ByteOrder.LITTLE_ENDIAN);
    try {
      while (in.hasRemaining()) {
        long header = varint(in);
        Value value = switch ((int) header & 7) {
          case 0 -> new Value(varint(in), null);
          case 1 -> new Value(in.getLong(), null);
          case 5 -> new Value(in.getInt(), null);
          case 2 -> {
            int length = Math.toIntExact(varint(in));
            ByteBuffer part = in.slice(in.position(), length);
            in.position(in.position() + length);
            yield new Value(0, part);
          }
          default -> throw new IllegalArgumentException("a wire type");
        };
        fields.computeIfAbsent((int) (header >>> 3), key -> new ArrayList<>()).add(value);
      }
    } catch (RuntimeException e) { // whatever runs over the end or makes no sense
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, "the ONNX file is damaged", e);
    }
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte b = in.get();
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("a number that does not end");
  }

  List<ProtoMessage> messages(int field) {
    return values(field).stream().map(value -> new ProtoMessage(value.bytes())).toList();
  }

  List<String> texts(int field) {
    return values(field).stream().map(value -> StandardCharsets.UTF_8.decode(value.bytes().duplicate()).toString())
        .toList();
  }

  String text(int field) {
    return texts(field).stream().findFirst().orElse("");
  }

  /** Whole numbers, packed or not. */
  long[] numbers(int field) {
    List<Long> numbers = new ArrayList<>();
    for (Value value : values(field)) {
      if (value.bytes() == null) {
        numbers.add(value.number());
        continue;
      }
      ByteBuffer packed = value.bytes().duplicate();
      while (packed.hasRemaining()) {
        numbers.add(varint(packed));
      }
    }
    return numbers.stream().mapToLong(Long::longValue).toArray();
  }

  long number(int field, long otherwise) {
    long[] all = numbers(field);
    return all.length == 0 ? otherwise : all[0];
  }

  /** The float in a field of four bytes. */
  float real(int field, float otherwise) {
    return values(field).isEmpty() ? otherwise : Float.intBitsToFloat((int) values(field).get(0).number());
  }

  /** Floats as raw little-endian bytes in one field, or packed or single in another. */
  float[] floats(int raw, int listed) {
    if (!values(raw).isEmpty()) {
      return floats(values(raw).get(0).bytes());
    }
    List<Value> list = values(listed);
    if (list.size() == 1 && list.get(0).bytes() != null) {
      return floats(list.get(0).bytes());
    }
    float[] out = new float[list.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = Float.intBitsToFloat((int) list.get(i).number());
    }
    return out;
  }

  private static float[] floats(ByteBuffer bytes) {
    float[] out = new float[bytes.remaining() / Float.BYTES];
    bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(out);
    return out;
  }

  private List<Value> values(int field) {
    return fields.getOrDefault(field, List.of());
  }
}
