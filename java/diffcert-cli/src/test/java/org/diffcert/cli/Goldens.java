package org.diffcert.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.file.Safetensors;
import org.diffcert.file.Tensor;

/** The reference outputs of published networks, and how far an array is from another. */
final class Goldens {
  /** The networks with recorded inputs and outputs. */
  static final List<String> NETWORKS =
      List.of("ddpmpp-edm", "ddpmpp-vp-uncond", "ncsnpp-ve", "ncsnpp-edm-gray", "adm-edm", "adm-iddpm");

  private Goldens() {}

  static Path edm(String file) {
    return Cli.SHARED.resolve("golden/edm").resolve(file);
  }

  static Path elbo() {
    return Cli.SHARED.resolve("golden/elbo/ddpmpp-edm.safetensors");
  }

  static double[] doubles(Path file, String name) {
    try (Safetensors tensors = Safetensors.open(file)) {
      return tensors.tensors().get(name).doubles();
    }
  }

  /** Writes some tensors of a file to another, under other names: from, to, from, to, ... */
  static void extract(Path from, Path to, String... names) {
    Map<String, Tensor> picked = new LinkedHashMap<>();
    try (Safetensors tensors = Safetensors.open(from)) {
      for (int i = 0; i < names.length; i += 2) {
        Tensor tensor = tensors.tensors().get(names[i]);
        picked.put(names[i + 1], Tensor.ofDoubles(names[i + 1], tensor.shape(), tensor.doubles()));
      }
      Safetensors.write(to, Map.of(), new ArrayList<>(picked.values()));
    }
  }

  /** The L2 norm of the difference over that of what is expected. */
  static double relative(double[] expected, double[] actual) {
    if (expected.length != actual.length) {
      throw new AssertionError(actual.length + " values, expected " + expected.length);
    }
    double error = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    return Math.sqrt(error / norm);
  }

  /** The largest error of an element relative to that element. */
  static double largest(double[] expected, double[] actual) {
    if (expected.length != actual.length) {
      throw new AssertionError(actual.length + " values, expected " + expected.length);
    }
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      double error = actual[i] == expected[i] ? 0 : Math.abs(actual[i] - expected[i]) / Math.abs(expected[i]);
      largest = Math.max(largest, Double.isNaN(error) ? Double.POSITIVE_INFINITY : error);
    }
    return largest;
  }
}
