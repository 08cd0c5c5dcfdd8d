package org.diffcert.model;

import java.util.ArrayList;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.model.TensorSpec.Role;

/** The tensors of the published networks, in the order of their state dicts, derived from a configuration alone. */
public final class Architecture {
  /** More parameters than this are refused: 16 GiB of float32, fourteen times the largest published network. */
  private static final long MOST_PARAMETERS = 1L << 32;

  private final NetworkConfig config;
  private final boolean song;
  private final List<TensorSpec> tensors = new ArrayList<>();
  private final int emb;
  private long parameters;

  private Architecture(NetworkConfig config) {
    this.config = config;
    this.song = config.architecture() == NetworkConfig.Unet.SONG;
    this.emb = config.modelChannels() * config.channelMultEmb();
  }

  /**
   * The tensors of a network: names and shapes in the order of the published state dict, computed buffers flagged.
   *
   * @param config the network
   * @return an unmodifiable list
   * @throws DiffcertException BAD_INPUT where widths do not divide as group norm or attention need, or the network
   *     is too large
   */
  public static List<TensorSpec> tensors(NetworkConfig config) {
    Architecture architecture = new Architecture(config);
    architecture.build();
    return List.copyOf(architecture.tensors);
  }

  /**
   * The number of learned parameters, as the publications count them: buffers are left out.
   *
   * @param config the network
   * @return the number
   */
  public static long parameterCount(NetworkConfig config) {
    Architecture architecture = new Architecture(config);
    architecture.build();
    return architecture.parameters;
  }

  private void build() {
    if (config.precond() == NetworkConfig.Precond.IDDPM) {
      add("u", Role.COMPUTED_BUFFER, config.m() + 1);
    }
    mapping();
    List<Integer> skips = new ArrayList<>();
    int width = encoder(skips);
    width = decoder(skips, width);
    if (!song) {
      norm("model.out_norm", width);
      conv("model.out_conv", width, config.outChannels(), 3, false);
    }
  }

  private void mapping() {
    int noise = config.modelChannels() * config.channelMultNoise();
    if (song && config.embedding() == NetworkConfig.Embedding.FOURIER) {
      add("model.map_noise.freqs", Role.STORED_BUFFER, noise / 2);
    }
    if (song && config.labelDim() > 0) {
      linear("model.map_label", config.labelDim(), noise, true);
    }
    if (config.augmentDim() > 0) {
      linear("model.map_augment", config.augmentDim(), noise, false);
    }
    linear("model.map_layer0", noise, emb, true);
    linear("model.map_layer1", emb, emb, true);
    if (!song && config.labelDim() > 0) {
      linear("model.map_label", config.labelDim(), emb, false);
    }
  }

  private int encoder(List<Integer> skips) {
    int width = config.imgChannels();
    int aux = config.imgChannels();
    for (int level = 0; level < config.channelMult().size(); level++) {
      int res = config.imgResolution() >> level;
      String at = "model.enc." + res + "x" + res + "_";
      int next = config.modelChannels() * config.channelMult().get(level);
      if (level == 0) {
        int first = song ? config.modelChannels() : next;
        conv(at + "conv", width, first, 3, false);
        width = first;
      } else {
        block(at + "down", width, width, true, false);
        if (song && config.encoder() == NetworkConfig.Encoder.SKIP) {
          filter(at + "aux_down");
          conv(at + "aux_skip", aux, width, 1, false);
        } else if (song && config.encoder() == NetworkConfig.Encoder.RESIDUAL) {
          conv(at + "aux_residual", aux, width, 3, true);
          aux = width;
        }
      }
      skips.add(width);
      for (int i = 0; i < config.numBlocks(); i++) {
        block(at + "block" + i, width, next, false, config.attnResolutions().contains(res));
        width = next;
        skips.add(width);
      }
    }
    return width;
  }

  private int decoder(List<Integer> skips, int width) {
    int last = config.channelMult().size() - 1;
    for (int level = last; level >= 0; level--) {
      int res = config.imgResolution() >> level;
      String at = "model.dec." + res + "x" + res + "_";
      if (level == last) {
        block(at + "in0", width, width, false, true);
        block(at + "in1", width, width, false, false);
      } else {
        block(at + "up", width, width, true, false);
      }
      int next = config.modelChannels() * config.channelMult().get(level);
      boolean attention = config.attnResolutions().contains(res);
      for (int i = 0; i <= config.numBlocks(); i++) {
        int in = width + skips.remove(skips.size() - 1);
        block(at + "block" + i, in, next, false, attention && (!song || i == config.numBlocks()));
        width = next;
      }
      boolean aux = config.decoder() == NetworkConfig.Decoder.SKIP;
      if (song && (aux || level == 0)) {
        if (aux && level < last) {
          filter(at + "aux_up");
        }
        norm(at + "aux_norm", width);
        conv(at + "aux_conv", width, config.outChannels(), 3, false);
      }
    }
    return width;
  }

  private void block(String name, int in, int out, boolean resample, boolean attention) {
    norm(name + ".norm0", in);
    conv(name + ".conv0", in, out, 3, resample);
    linear(name + ".affine", emb, song ? out : 2 * out, true);
    norm(name + ".norm1", out);
    conv(name + ".conv1", out, out, 3, false);
    if (in != out || resample && song) {
      conv(name + ".skip", in, out, 1, resample);
    } else if (resample) {
      filter(name + ".skip");
    }
    int heads = song ? 1 : out / 64;
    if (attention && heads > 0) {
      if (out % heads != 0) {
        throw DiffcertException.badInput("the network configuration has attention over " + out
            + " channels, which do not divide into " + heads + " heads");
      }
      norm(name + ".norm2", out);
      conv(name + ".qkv", out, 3 * out, 1, false);
      conv(name + ".proj", out, out, 1, false);
    }
  }

  private void conv(String name, int in, int out, int kernel, boolean resample) {
    add(name + ".weight", Role.PARAMETER, out, in, kernel, kernel);
    add(name + ".bias", Role.PARAMETER, out);
    if (resample) {
      filter(name);
    }
  }

  private void filter(String name) {
    int length = config.resampleFilter().size();
    add(name + ".resample_filter", Role.COMPUTED_BUFFER, 1, 1, length, length);
  }

  private void linear(String name, int in, int out, boolean bias) {
    add(name + ".weight", Role.PARAMETER, out, in);
    if (bias) {
      add(name + ".bias", Role.PARAMETER, out);
    }
  }

  private void norm(String name, int channels) {
    int groups = Math.min(32, channels / 4);
    if (groups == 0 || channels % groups != 0) {
      throw DiffcertException.badInput("the network configuration has a group norm over " + channels
          + " channels, which do not divide into " + groups + " groups");
    }
    add(name + ".weight", Role.PARAMETER, channels);
    add(name + ".bias", Role.PARAMETER, channels);
  }

  private void add(String name, Role role, long... shape) {
    List<Long> extents = new ArrayList<>();
    for (long extent : shape) {
      extents.add(extent);
    }
    TensorSpec tensor = new TensorSpec(name, extents, role);
    tensors.add(tensor);
    if (role == Role.PARAMETER) {
      parameters += tensor.count();
    }
    if (parameters > MOST_PARAMETERS) {
      throw DiffcertException.badInput("the network configuration asks for more than " + MOST_PARAMETERS
          + " parameters");
    }
  }
}
