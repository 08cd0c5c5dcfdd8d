package org.diffcert.diffusion;

import java.util.Random;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;

/** A network of a few thousand weights, for tests of what is around it. */
final class SmallModel {
  static final int CLASSES = 3;
  static final int VALUES = 8 * 8;

  private SmallModel() {}

  static Model make() {
    return Model.random(NetworkConfig.parse("EDMPrecond",
        "{\"model_type\":\"SongUNet\",\"img_resolution\":8,\"img_channels\":1,"
        + "\"label_dim\":3,\"model_channels\":16,\"channel_mult\":[1,2],\"num_blocks\":1,\"attn_resolutions\":[4]}"),
        7);
  }

  static DiffusionModel open(Device device) {
    return DiffusionModel.open(make(), DeviceOptions.on(device).withMaxBatch(8));
  }

  /** Images of n rows, the same for the same seed. */
  static float[] images(int n, long seed) {
    Random random = new Random(seed);
    float[] x = new float[n * VALUES];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }
}
