package org.diffcert.model;

import java.util.List;
import org.diffcert.DiffcertException;

/**
 * Ranges of configuration values and how they must fit each other; all of it is checked before anything is allocated.
 */
final class ConfigLimits {
  private ConfigLimits() {}

  static void check(String name, long value, long least, long most) {
    if (value < least || value > most) {
      throw DiffcertException.badInput("the network configuration has " + name + " " + value + ", " + least + " to "
          + most + " is possible");
    }
  }

  static void check(String name, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw DiffcertException.badInput("the network configuration has " + name + " " + value + ", " + least + " to "
          + most + " is possible");
    }
  }

  static void check(String name, List<Integer> values, int shortest, int longest, int least, int most) {
    if (values.size() < shortest || values.size() > longest) {
      throw DiffcertException.badInput("the network configuration has " + values.size() + " values of " + name + ", "
          + shortest
          + " to " + longest + " are possible");
    }
    for (int value : values) {
      check("a value of " + name, value, least, most);
    }
  }

  static void fit(NetworkConfig.Precond precond, int labelDim, int heads) {
    if (heads > 1 && labelDim > 0) {
      throw DiffcertException.badInput("the network configuration has label_dim " + labelDim + " and " + heads
          + " heads; a network is told its class or has a head for each");
    }
    if (heads > 1 && precond == NetworkConfig.Precond.IDDPM) {
      throw DiffcertException.badInput("the network configuration has " + heads
          + " heads under iDDPMPrecond, whose network gives variances, too");
    }
  }

  static void fit(NetworkConfig.Unet unet, int resolution, int width, List<Integer> mult, int multNoise,
      NetworkConfig.Encoder encoder, NetworkConfig.Decoder decoder, NetworkConfig.Embedding embedding,
      List<Integer> filter) {
    int halvings = mult.size() - 1;
    if (resolution % (1 << halvings) != 0) {
      throw DiffcertException.badInput("the network configuration has img_resolution " + resolution
          + ", which cannot be halved "
          + halvings + " times as its " + mult.size() + " values of channel_mult ask for");
    }
    boolean song = unet == NetworkConfig.Unet.SONG;
    if (width * (song ? multNoise : 1) % 2 != 0) {
      throw DiffcertException.badInput("the network configuration has model_channels " + width
          + ", the embedding of the noise level needs an even width");
    }
    if (!song && (encoder != NetworkConfig.Encoder.STANDARD || decoder != NetworkConfig.Decoder.STANDARD
        || embedding != NetworkConfig.Embedding.POSITIONAL || multNoise != 1 || !filter.equals(List.of(1, 1)))) {
      throw DiffcertException.badInput("the network configuration gives DhariwalUNet an option that only SongUNet has");
    }
    if (filter.size() % 2 != 0) {
      throw DiffcertException.badInput("the network configuration has a resample_filter of odd length " + filter.size()
          + ", an even length keeps the image's size");
    }
  }
}
