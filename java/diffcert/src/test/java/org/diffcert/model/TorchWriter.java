package org.diffcert.model;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import org.diffcert.file.Tensor;

/**
 * Writes state dicts as torch.save does, in its zip and its legacy form, so that good and damaged files can be
 * made without it.
 */
final class TorchWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  TorchWriter op(int... bytes) {
    for (int b : bytes) {
      out.write(b);
    }
    return this;
  }

  TorchWriter raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  TorchWriter text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return op('X').raw(le(4, utf8.length)).raw(utf8);
  }

  TorchWriter global(String module, String name) {
    return op('c').raw((module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
  }

  TorchWriter whole(long value) {
    return op('J').raw(le(4, value));
  }

  TorchWriter proto() {
    return op(0x80, 2);
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  static byte[] le(int count, long value) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (value >> 8 * i);
    }
    return bytes;
  }

  static byte[] floats(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  /* The opcodes of an OrderedDict of tensors; legacy ids have a sixth field. */
  static byte[] stateDict(Collection<Tensor> tensors, boolean legacy) {
    TorchWriter w = new TorchWriter().proto().global("collections", "OrderedDict").op(')', 'R', 'q', 0, '(');
    int key = 0;
    for (Tensor tensor : tensors) {
      w.text(tensor.name()).tensor(key++, tensor, legacy);
    }
    w.op('u', '}').text("_metadata").global("collections", "OrderedDict").op(')', 'R', 's', 'b', '.');
    return w.bytes();
  }

  private TorchWriter tensor(int key, Tensor tensor, boolean legacy) {
    global("torch._utils", "_rebuild_tensor_v2").op('(', '(').text("storage").global("torch", "FloatStorage").text(""
        + key).text("cpu")
        .whole(tensor.count());
    if (legacy) {
      op('N');
    }
    op('t', 'Q', 'K', 0, '(');
    tensor.shape().forEach(this::whole);
    op('t', '(');
    for (int d = 0; d < tensor.shape().size(); d++) {
      whole(tensor.shape().subList(d + 1, tensor.shape().size()).stream().reduce(1L, (a, b) -> a * b));
    }
    return op('t', 0x89).global("collections", "OrderedDict").op(')', 'R', 't', 'R');
  }

  static Map<String, byte[]> entries(Collection<Tensor> tensors) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("archive/data.pkl", stateDict(tensors, false));
    entries.put("archive/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    int key = 0;
    for (Tensor tensor : tensors) {
      entries.put("archive/data/" + key++, floats(tensor.floats()));
    }
    entries.put("archive/version", "3\n".getBytes(StandardCharsets.US_ASCII));
    return entries;
  }

  /* Entries stored one after the other, each padded to 64 bytes by an extra field, as torch.save aligns them. */
  static byte[] zip(Map<String, byte[]> entries) {
    TorchWriter file = new TorchWriter();
    TorchWriter directory = new TorchWriter();
    entries.forEach((name, data) -> {
      byte[] ascii = name.getBytes(StandardCharsets.ISO_8859_1);
      int offset = file.out.size();
      int padding = Math.floorMod(-(offset + 30 + ascii.length + 4), 64);
      CRC32 crc = new CRC32();
      crc.update(data);
      byte[] sums = new TorchWriter().raw(le(4, crc.getValue())).raw(le(4, data.length)).raw(le(4, data.length))
          .bytes();
      file.raw(le(4, 0x04034b50)).raw(le(2, 0)).raw(le(2, 0x800)).raw(new byte[6]).raw(sums).raw(le(2, ascii.length))
          .raw(le(2, padding + 4)).raw(ascii).raw(le(2, 0x4246)).raw(le(2, padding)).raw(new byte[padding]).raw(data);
      directory.raw(le(4, 0x02014b50)).raw(le(2, 0)).raw(le(2, 0)).raw(le(2, 0x800)).raw(new byte[6]).raw(sums)
          .raw(le(2, ascii.length)).raw(new byte[12]).raw(le(4, offset)).raw(ascii);
    });
    int at = file.out.size();
    byte[] central = directory.bytes();
    return file.raw(central).raw(le(4, 0x06054b50)).raw(new byte[4]).raw(le(2, entries.size())).raw(le(2,
        entries.size()))
        .raw(le(4, central.length)).raw(le(4, at)).raw(new byte[2]).bytes();
  }

  /* The three small pickles before the object of a legacy stream. */
  static byte[] legacyHead() {
    return new TorchWriter().proto().op(0x8a, 10).raw(java.util.HexFormat.of().parseHex("6cfc9c46f9206aa85019"))
        .op('.').proto()
        .op('M', 0xe9, 3, '.').proto().op('}', '(').text("protocol_version").op('M', 0xe9, 3).text("little_endian")
            .op(0x88, 'u', '.')
        .bytes();
  }

  static byte[] legacy(Collection<Tensor> tensors) {
    TorchWriter w = new TorchWriter().raw(legacyHead()).raw(stateDict(tensors, true)).proto().op(']', '(');
    for (int key = 0; key < tensors.size(); key++) {
      w.text("" + key);
    }
    w.op('e', '.');
    for (Tensor tensor : tensors) {
      w.raw(le(8, tensor.count())).raw(floats(tensor.floats()));
    }
    return w.bytes();
  }
}
