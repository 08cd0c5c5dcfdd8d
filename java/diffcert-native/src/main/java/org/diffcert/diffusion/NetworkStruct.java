package org.diffcert.diffusion;

import java.util.List;
import org.diffcert.diffusion.jni.dc_network_config;
import org.diffcert.model.NetworkConfig;

/** Writes a network's configuration into the struct of the C ABI; the enums' ordinals are the numbers there. */
final class NetworkStruct {
  /** The room of each list in dc_network_config. */
  static final int ROOM = 16;

  private NetworkStruct() {}

  /**
   * Fills every field.
   *
   * @param to the struct, in memory of the caller's
   * @param from the configuration, whose lists have at most {@link #ROOM} entries
   */
  static void fill(dc_network_config to, NetworkConfig from) {
    to.architecture(from.architecture().ordinal());
    to.precond(from.precond().ordinal());
    to.img_resolution(from.imgResolution());
    to.img_channels(from.imgChannels());
    to.label_dim(from.labelDim());
    to.heads(from.heads());
    to.augment_dim(from.augmentDim());
    to.model_channels(from.modelChannels());
    to.channel_mult_len(length(from.channelMult()));
    for (int i = 0; i < from.channelMult().size(); i++) {
      to.channel_mult(i, from.channelMult().get(i));
    }
    to.channel_mult_emb(from.channelMultEmb());
    to.num_blocks(from.numBlocks());
    to.attn_resolutions_len(length(from.attnResolutions()));
    for (int i = 0; i < from.attnResolutions().size(); i++) {
      to.attn_resolutions(i, from.attnResolutions().get(i));
    }
    to.embedding_type(from.embedding().ordinal());
    to.channel_mult_noise(from.channelMultNoise());
    to.encoder_type(from.encoder().ordinal());
    to.decoder_type(from.decoder().ordinal());
    to.resample_filter_len(length(from.resampleFilter()));
    for (int i = 0; i < from.resampleFilter().size(); i++) {
      to.resample_filter(i, from.resampleFilter().get(i));
    }
    to.sigma_data(from.sigmaData());
    to.beta_d(from.betaD());
    to.beta_min(from.betaMin());
    to.epsilon_t(from.epsilonT());
    to.c_1(from.c1());
    to.c_2(from.c2());
    to.m(from.m());
  }

  private static int length(List<Integer> list) {
    if (list.size() > ROOM) {
      throw new IllegalArgumentException("a list of " + list.size() + " entries does not fit the struct's " + ROOM);
    }
    return list.size();
  }
}
