package org.diffcert.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.diffcert.file.Tensor;

/**
 * Random weights of the published initial scale, for measurements and tests where no trained weights are at hand.
 * Last layers, biases and norms are random too where the published code starts them at zero or one, so that no part
 * of the network is idle. A tensor's values depend on the seed and its name alone.
 */
final class RandomWeights {
  private RandomWeights() {}

  static Map<String, Tensor> make(NetworkConfig config, long seed) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (TensorSpec spec : Architecture.tensors(config)) {
      if (spec.role() != TensorSpec.Role.COMPUTED_BUFFER) {
        tensors.put(spec.name(), Tensor.of(spec.name(), spec.shape(), () -> values(config, spec, seed)));
      }
    }
    return tensors;
  }

  private static float[] values(NetworkConfig config, TensorSpec spec, long seed) {
    SplittableRandom random = new SplittableRandom(seed ^ hash(spec.name()));
    float centre = spec.name().contains("norm") && spec.name().endsWith(".weight") ? 1 : 0;
    float scale = scale(config, spec);
    float[] values = new float[Math.toIntExact(spec.count())];
    for (int i = 0; i < values.length; i++) {
      values[i] = centre + scale * ((random.nextLong() >> 40) * 0x1p-23f);
    }
    return values;
  }

  /* Half the width of the uniform distribution: Xavier for SongUNet, Kaiming times sqrt(1/3) for DhariwalUNet. */
  private static float scale(NetworkConfig config, TensorSpec spec) {
    List<Long> shape = spec.shape();
    if (spec.role() == TensorSpec.Role.STORED_BUFFER) {
      return (float) (16 * Math.sqrt(3));
    }
    if (shape.size() == 1) {
      return 0.1f;
    }
    double kernel = shape.size() == 4 ? shape.get(2) * shape.get(3) : 1;
    double in = shape.get(1) * kernel;
    double out = shape.get(0) * kernel;
    double xavier = Math.sqrt(6 / (in + out));
    if (config.architecture() == NetworkConfig.Unet.SONG) {
      return (float) (spec.name().endsWith(".qkv.weight") ? xavier * Math.sqrt(0.2) : xavier);
    }
    double kaiming = Math.sqrt(3 / in);
    return (float) (spec.name().equals("model.map_label.weight") ? kaiming * Math.sqrt(in)
        : kaiming * Math.sqrt(1.0 / 3));
  }

  private static long hash(String name) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * 0x100000001b3L;
    }
    return hash;
  }
}
