package org.diffcert.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.diffcert.DiffcertException;
import org.diffcert.file.FileBytes;
import org.diffcert.file.Tensor;

/** Holds tensors against the architecture, refuses values that are not finite, and makes the digest of a model. */
final class WeightCheck {
  private static final int CHUNK = 1 << 16;

  private WeightCheck() {}

  /* The tensors that the network needs, in the architecture's order; anything missing, unknown or of another shape
     is refused. */
  static Map<String, Tensor> select(String source, NetworkConfig config, Map<String, Tensor> found) {
    Map<String, Tensor> selected = new LinkedHashMap<>();
    List<String> missing = new ArrayList<>();
    List<String> misshapen = new ArrayList<>();
    Set<String> unknown = new HashSet<>(found.keySet());
    for (TensorSpec spec : Architecture.tensors(config)) {
      Tensor tensor = found.get(spec.name());
      unknown.remove(spec.name());
      boolean computed = spec.role() == TensorSpec.Role.COMPUTED_BUFFER;
      if (tensor == null) {
        if (!computed) {
          missing.add(spec.name());
        }
      } else if (!tensor.shape().equals(spec.shape())) {
        misshapen.add(spec.name() + " has shape " + tensor.shape() + " instead of " + spec.shape());
      } else if (computed) {
        checkComputed(source, config, tensor);
      } else {
        selected.put(spec.name(), tensor);
      }
    }
    refuse(source, config, "missing", missing);
    refuse(source, config, "not of this network", unknown.stream().sorted().map(ConfigReader::shorten).toList());
    refuse(source, config, "of another shape", misshapen);
    return selected;
  }

  private static void refuse(String source, NetworkConfig config, String what, List<String> names) {
    if (!names.isEmpty()) {
      String network = config.architecture().published() + " under " + config.precond().published();
      String count = names.size() == 1 ? "1 tensor is " : names.size() + " tensors are ";
      throw DiffcertException.badInput(source + " does not fit its configuration (" + network + "): " + count + what
          + ": "
          + names.get(0) + (names.size() == 1 ? "" : " and others"));
    }
  }

  /* A network made with another filter or another schedule would be another function under the same configuration. */
  private static void checkComputed(String source, NetworkConfig config, Tensor tensor) {
    float[] values = tensor.floats();
    boolean filter = tensor.name().endsWith("resample_filter");
    float[] kernel = filter ? config.resampleKernel() : null;
    double[] levels = filter ? null : config.iddpmLevels();
    for (int i = 0; i < values.length; i++) {
      double expected = filter ? kernel[i] : levels[i];
      double tolerance = (filter ? 1e-6 : 1e-3) * (Math.abs(expected) + 1e-6);
      if (!(Math.abs(values[i] - expected) <= tolerance)) {
        throw DiffcertException.badInput(source + " has " + values[i] + " at place " + i + " of " + tensor.name()
            + " where its configuration gives " + (float) expected);
      }
    }
  }

  /* SHA-256 over the canonical configuration and the weights sorted by name: docs/spec/model-files.md. */
  static String digest(String source, NetworkConfig config, Map<String, Tensor> tensors) {
    MessageDigest digest = FileBytes.newSha256();
    digest.update("diffcert model 1\n".getBytes(StandardCharsets.UTF_8));
    text(digest, config.canonical());
    for (Tensor tensor : new TreeMap<>(tensors).values()) {
      text(digest, tensor.name());
      ByteBuffer shape = ByteBuffer.allocate(4 + 8 * tensor.shape().size()).order(ByteOrder.LITTLE_ENDIAN);
      shape.putInt(tensor.shape().size());
      tensor.shape().forEach(shape::putLong);
      digest.update(shape.flip());
      values(source, digest, tensor);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void text(MessageDigest digest, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(bytes.length).flip());
    digest.update(bytes);
  }

  private static void values(String source, MessageDigest digest, Tensor tensor) {
    float[] values = tensor.floats();
    ByteBuffer chunk = ByteBuffer.allocate(4 * Math.min(CHUNK, values.length)).order(ByteOrder.LITTLE_ENDIAN);
    for (int from = 0; from < values.length; from += CHUNK) {
      int count = Math.min(CHUNK, values.length - from);
      for (int i = from; i < from + count; i++) {
        if (!Float.isFinite(values[i])) {
          throw DiffcertException.badInput(source + " has the weight " + values[i] + " at place " + i + " of "
              + tensor.name()
              + ", weights must be finite float32 numbers");
        }
      }
      chunk.clear();
      chunk.asFloatBuffer().put(values, from, count);
      digest.update(chunk.limit(4 * count));
    }
  }
}
