package org.diffcert.cli;

import java.nio.file.Path;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.file.Safetensors;
import org.diffcert.file.Tensor;
import org.diffcert.model.NetworkConfig;

/** Input tensors of denoise and elbo: taken by name, shapes checked against the network, each refusal one sentence. */
final class TensorInput {
  private TensorInput() {}

  static Tensor take(Safetensors in, Path file, String name) {
    Tensor tensor = in.tensors().get(name);
    if (tensor == null) {
      throw DiffcertException.badInput(
          file + " has no tensor '" + name + "'; it has " + String.join(", ", in.tensors().keySet()));
    }
    return tensor;
  }

  /** The batch of images [N,C,R,R]; N is given back. */
  static int rows(Tensor x, NetworkConfig config, Path file) {
    List<Long> shape = x.shape();
    long side = config.imgResolution();
    List<Long> image = List.of((long) config.imgChannels(), side, side);
    if (shape.size() != 4 || !shape.subList(1, 4).equals(image) || shape.get(0) < 1) {
      throw DiffcertException.badInput(file + " has " + x.name() + " of shape " + shape + ", the network takes [N, "
          + config.imgChannels() + ", " + side + ", " + side + "]");
    }
    return Math.toIntExact(shape.get(0));
  }

  /** Numbers of any float type, count of them, or any number of them where count is negative. */
  static double[] doubles(Safetensors in, Path file, String name, long count) {
    Tensor tensor = take(in, file, name);
    if (count >= 0 && tensor.count() != count) {
      throw DiffcertException.badInput(
          file + " has " + tensor.count() + " values in " + name + ", there must be " + count);
    }
    return tensor.doubles();
  }

  static int[] integers(Safetensors in, Path file, String name, long count) {
    double[] values = doubles(in, file, name, count);
    int[] integers = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      integers[i] = (int) values[i];
      if (integers[i] != values[i]) {
        throw DiffcertException.badInput(file + " has " + values[i] + " in " + name + ", which is no label");
      }
    }
    return integers;
  }
}
