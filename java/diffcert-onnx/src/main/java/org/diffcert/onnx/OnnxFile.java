package org.diffcert.onnx;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import org.diffcert.DiffcertException;

/**
 * An ONNX file before it is given to ONNX Runtime: its bytes and digest, and a walk over its protobuf messages that
 * refuses what would let the digest not say what the model is: tensors in other files, wherever those lie. Field
 * numbers are those of onnx.proto. Nothing of a tensor is copied.
 */
final class OnnxFile {
  /** The messages of a model in which a tensor can be. */
  private enum Message {
    MODEL, GRAPH, NODE, ATTRIBUTE, TENSOR, SPARSE, FUNCTION, TRAINING
  }

  /** Which fields of a message are messages that are walked, too. */
  private static final Map<Message, Map<Integer, Message>> FIELDS = Map.of(
      Message.MODEL, Map.of(7, Message.GRAPH, 20, Message.TRAINING, 25, Message.FUNCTION),
      Message.GRAPH, Map.of(1, Message.NODE, 5, Message.TENSOR, 15, Message.SPARSE),
      Message.NODE, Map.of(5, Message.ATTRIBUTE),
      Message.ATTRIBUTE, Map.of(5, Message.TENSOR, 6, Message.GRAPH, 10, Message.TENSOR, 11, Message.GRAPH,
          22, Message.SPARSE, 23, Message.SPARSE),
      Message.TENSOR, Map.of(),
      Message.SPARSE, Map.of(1, Message.TENSOR, 2, Message.TENSOR),
      Message.FUNCTION, Map.of(7, Message.NODE, 11, Message.ATTRIBUTE),
      Message.TRAINING, Map.of(1, Message.GRAPH, 2, Message.GRAPH));
  private static final int TENSOR_NAME = 8;
  private static final int EXTERNAL_DATA = 13;
  private static final int DATA_LOCATION = 14;
  private static final int DEEPEST = 64;
  private static final long LARGEST = Integer.MAX_VALUE - 8L;

  private final String name;
  private final byte[] bytes;

  private OnnxFile(String name, byte[] bytes) {
    this.name = name;
    this.bytes = bytes;
  }

  /** Reads and checks a file. */
  static OnnxFile read(Path path) {
    String name = String.valueOf(path.getFileName());
    try {
      if (Files.exists(path) && !Files.isRegularFile(path)) {
        throw DiffcertException.badInput(path + " is not a regular file");
      }
      if (Files.size(path) > LARGEST) {
        throw DiffcertException.badInput(name + " has " + Files.size(path) + " bytes, an ONNX file has 2 GiB at most");
      }
      OnnxFile file = new OnnxFile(name, Files.readAllBytes(path));
      file.walk(Message.MODEL, 0, file.bytes.length, 0);
      return file;
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, "the model " + path + " cannot be read: "
          + DiffcertException.reason(e), e);
    }
  }

  String name() {
    return name;
  }

  /** The file's bytes, not a copy. */
  byte[] bytes() {
    return bytes;
  }

  String digest() {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private void walk(Message message, int from, int to, int depth) {
    if (depth > DEEPEST) {
      throw DiffcertException.badInput(name + " nests graphs more than " + DEEPEST + " deep");
    }
    Cursor cursor = new Cursor(from, to);
    String tensor = "";
    boolean external = false;
    while (cursor.at < to) {
      long header = cursor.varint();
      int field = (int) (header >>> 3);
      switch ((int) header & 7) {
        case 0 -> external |= cursor.varint() == 1 && message == Message.TENSOR && field == DATA_LOCATION;
        case 1 -> cursor.skip(8);
        case 2 -> {
          long length = cursor.varint();
          int start = cursor.at;
          cursor.skip(length);
          Message part = FIELDS.get(message).get(field);
          if (part != null) {
            walk(part, start, cursor.at, depth + 1);
          } else if (message == Message.TENSOR && field == TENSOR_NAME) {
            tensor = new String(bytes, start, Math.min(60, cursor.at - start), StandardCharsets.UTF_8);
          }
          external |= message == Message.TENSOR && field == EXTERNAL_DATA;
        }
        case 5 -> cursor.skip(4);
        default -> throw malformed();
      }
    }
    if (external) {
      throw DiffcertException.badInput(name + " keeps its tensor '" + tensor.replaceAll("[^\\x20-\\x7e]", "?")
          + "' in another file, so its digest would not say what the model is; save it as one file");
    }
  }

  private DiffcertException malformed() {
    return DiffcertException.badInput(name + " is no ONNX file, or a damaged one");
  }

  /** A place in a message. */
  private final class Cursor {
    private int at;
    private final int end;

    Cursor(int from, int to) {
      this.at = from;
      this.end = to;
    }

    long varint() {
      long value = 0;
      for (int shift = 0; shift < 64 && at < end; shift += 7) {
        byte b = bytes[at++];
        value |= (long) (b & 0x7f) << shift;
        if (b >= 0) {
          return value;
        }
      }
      throw malformed();
    }

    void skip(long count) {
      if (count < 0 || count > end - at) {
        throw malformed();
      }
      at += (int) count;
    }
  }
}
