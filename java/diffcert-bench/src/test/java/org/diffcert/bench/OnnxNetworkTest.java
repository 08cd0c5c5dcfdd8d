package org.diffcert.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The graph that is written for ONNX Runtime loads, and computes this library's network. */
class OnnxNetworkTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 10})
  void agreesWithTheReference(int classes) {
    String config = """
        {"model_type": "SongUNet", "img_resolution": 16, "img_channels": 3, "label_dim": %d, "augment_dim": 0,
         "model_channels": 32, "channel_mult": [1, 2], "channel_mult_emb": 2, "num_blocks": 1,
         "attn_resolutions": [8], "dropout": 0, "embedding_type": "positional", "channel_mult_noise": 1,
         "encoder_type": "standard", "decoder_type": "standard", "resample_filter": [1, 1], "sigma_data": 0.5}
        """.formatted(classes);
    int batch = 3;
    SplittableRandom random = new SplittableRandom(5);
    float[] x = new float[batch * 3 * 16 * 16];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (2 * random.nextDouble() - 1);
    }
    float[] noise = {-0.7f, 0.1f, 0.9f};
    int[] labels = classes == 0 ? new int[] {-1, -1, -1} : new int[] {4, -1, 9};
    try (Model model = Model.random(NetworkConfig.parse("EDMPrecond", config), 6);
        DiffusionModel ours = DiffusionModel.open(model, DeviceOptions.on(Device.REFERENCE).withMaxBatch(batch));
        OnnxNetwork peer = new OnnxNetwork(model, batch, 2)) {
      assertArrayEquals(ours.network(x, noise, labels), peer.network(x, noise, labels), 1e-4f);
    }
  }

  @Test
  void protobufBytesAreThoseOfTheFormatsDescription() {
    // Field 1 = 150 and a nested message holding it: the examples of the encoding's documentation.
    assertArrayEquals(new byte[] {8, (byte) 0x96, 1}, new Proto().number(1, 150).bytes());
    assertArrayEquals(new byte[] {0x1a, 3, 8, (byte) 0x96, 1},
        new Proto().message(3, new Proto().number(1, 150)).bytes());
    assertArrayEquals(new byte[] {0x12, 7, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67},
        new Proto().text(2, "testing").bytes());
    assertEquals(11, new Proto().number(1, -1).bytes().length);
    assertArrayEquals(new byte[] {0x15, 0, 0, (byte) 0x80, 0x3f}, new Proto().real(2, 1).bytes());
  }
}
