package org.diffcert.bench;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.diffcert.file.FileBytes;
import org.diffcert.file.Json;
import org.diffcert.file.Safetensors;
import org.diffcert.model.Model;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The peer computes the published network: its outputs are those of the published implementation. */
class TorchNetworkTest {
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void outputsAreThePublishedImplementations(boolean channelsLast) {
    Path golden = root().resolveSibling("shared").resolve("golden/edm");
    Path io = golden.resolve("ddpmpp-edm.io.safetensors");
    try (Model model = Model.open(golden.resolve("ddpmpp-edm.model.safetensors"));
        Safetensors file = Safetensors.open(io)) {
      float[] expected = file.tensor("network_output").floats();
      float[] noise = file.tensor("network_noise_label").floats();
      float[] actual = new TorchNetwork(model, channelsLast).network(file.tensor("network_input").floats(), noise,
          labels(io, noise.length));
      for (int i = 0; i < expected.length; i++) {
        assertTrue(Math.abs(expected[i] - actual[i]) <= 1e-4f * Math.max(1, Math.abs(expected[i])),
            i + ": " + actual[i] + " instead of " + expected[i]);
      }
    }
  }

  /* Labels are 64-bit integers, which the library's reader, made for weights, leaves alone. */
  private static int[] labels(Path path, int count) {
    try (FileBytes file = FileBytes.open(path)) {
      long header = file.copy(0, 8).getLong();
      Json entry = Json.parse(file.copy(8, (int) header), "the golden", Json.Limits.DEFAULT).get("labels");
      ByteBuffer values = file.copy(8 + header + entry.get("data_offsets").elements().get(0).asLong(), 8 * count)
          .order(ByteOrder.LITTLE_ENDIAN);
      int[] labels = new int[count];
      for (int i = 0; i < count; i++) {
        labels[i] = (int) values.getLong(8 * i);
      }
      return labels;
    }
  }

  private static Path root() {
    Path at = Path.of("").toAbsolutePath();
    while (!Files.exists(at.resolve("native/include/diffcert/diffcert.h"))) {
      at = at.getParent();
    }
    return at;
  }
}
