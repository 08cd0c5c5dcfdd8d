package org.diffcert.bench;

import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.model.NetworkConfig;

/** What the comparators compute in Java: the sinusoids of the noise label and the one-hot classes, as published. */
final class EmbeddingInputs {
  private EmbeddingInputs() {}

  /* The comparators know DDPM++ alone: positional embedding, standard encoder and decoder, the filter [1,1]. */
  static void requireDdpmpp(NetworkConfig config) {
    if (config.architecture() != NetworkConfig.Unet.SONG || config.embedding() != NetworkConfig.Embedding.POSITIONAL
        || config.encoder() != NetworkConfig.Encoder.STANDARD || config.decoder() != NetworkConfig.Decoder.STANDARD
        || !config.resampleFilter().equals(List.of(1, 1))) {
      throw DiffcertException.usage("the comparison is written for DDPM++ networks alone");
    }
  }

  static int width(NetworkConfig config) {
    return config.modelChannels() * config.channelMultNoise();
  }

  /* [n, width]: float32 frequencies, endpoint included, sines before cosines. */
  static float[] waves(NetworkConfig config, float[] noiseLabel) {
    int width = width(config);
    int half = width / 2;
    float[] waves = new float[noiseLabel.length * width];
    for (int i = 0; i < noiseLabel.length; i++) {
      for (int k = 0; k < half; k++) {
        float frequency = (float) Math.pow(1.0 / 10000, (double) k / (half - 1));
        waves[i * width + k] = (float) Math.sin(noiseLabel[i] * frequency);
        waves[i * width + half + k] = (float) Math.cos(noiseLabel[i] * frequency);
      }
    }
    return waves;
  }

  /* [n, labelDim]: sqrt(labelDim) at the class, nothing for -1. */
  static float[] hot(NetworkConfig config, int[] labels) {
    float[] hot = new float[labels.length * config.labelDim()];
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] >= 0) {
        hot[i * config.labelDim() + labels[i]] = (float) Math.sqrt(config.labelDim());
      }
    }
    return hot;
  }
}
