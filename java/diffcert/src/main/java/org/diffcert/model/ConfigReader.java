package org.diffcert.model;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.diffcert.DiffcertException;
import org.diffcert.file.Json;

/**
 * Reads the published constructors' options from JSON, with their defaults; unknown keys and wrong types are one
 * sentence.
 */
final class ConfigReader {
  private final Json json;
  private final Set<String> known = new HashSet<>();

  private ConfigReader(Json json) {
    this.json = json;
  }

  static NetworkConfig read(NetworkConfig.Precond precond, Json json) {
    if (!json.isObject()) {
      throw DiffcertException.badInput("the network configuration is not a JSON object");
    }
    ConfigReader reader = new ConfigReader(json);
    NetworkConfig config = reader.config(precond);
    for (String key : json.members().keySet()) {
      if (!reader.known.contains(key)) {
        throw DiffcertException.badInput("the network configuration has the unknown option \"" + shorten(key)
            + "\" for "
            + config.architecture().published() + " under " + precond.published());
      }
    }
    return config;
  }

  static String shorten(String text) {
    return text.length() <= 60 ? text : text.substring(0, 60) + "...";
  }

  private NetworkConfig config(NetworkConfig.Precond precond) {
    NetworkConfig.Unet unet = unet(precond.usualUnet());
    boolean song = unet == NetworkConfig.Unet.SONG;
    int resolution = whole("img_resolution", null);
    int channels = channels(precond);
    /* Only the sampler, fp16 inference and training read these; they are known, checked for their type, and not
       kept. */
    if (has("use_fp16")) {
      json.get("use_fp16").asBoolean();
    }
    if (precond == NetworkConfig.Precond.EDM || precond == NetworkConfig.Precond.VE) {
      number("sigma_min", 0);
      sigmaMax();
    }
    boolean vp = precond == NetworkConfig.Precond.VP;
    boolean iddpm = precond == NetworkConfig.Precond.IDDPM;
    return new NetworkConfig(unet, precond, resolution, channels, whole("label_dim", 0), whole("heads", 1),
        whole("augment_dim", 0),
        whole("model_channels", song ? 128 : 192),
        list("channel_mult", song ? List.of(1, 2, 2, 2) : List.of(1, 2, 3, 4)),
        whole("channel_mult_emb", 4), whole("num_blocks", song ? 4 : 3),
        list("attn_resolutions", song ? List.of(16) : List.of(32, 16, 8)), number("dropout", 0.10),
        number("label_dropout", 0),
        song ? word("embedding_type", NetworkConfig.Embedding.POSITIONAL) : NetworkConfig.Embedding.POSITIONAL,
        song ? whole("channel_mult_noise", 1) : 1,
        song ? word("encoder_type", NetworkConfig.Encoder.STANDARD) : NetworkConfig.Encoder.STANDARD,
        song ? word("decoder_type", NetworkConfig.Decoder.STANDARD) : NetworkConfig.Decoder.STANDARD,
        song ? list("resample_filter", List.of(1, 1)) : List.of(1, 1),
        precond == NetworkConfig.Precond.EDM ? number("sigma_data", 0.5) : 0.5, vp ? number("beta_d", 19.9) : 19.9,
        vp ? number("beta_min", 0.1) : 0.1, vp ? number("epsilon_t", 1e-5) : 1e-5, iddpm ? number("C_1", 0.001) : 0.001,
        iddpm ? number("C_2", 0.008) : 0.008, vp || iddpm ? whole("M", 1000) : 1000);
  }

  private NetworkConfig.Unet unet(NetworkConfig.Unet usual) {
    if (!has("model_type")) {
      return usual;
    }
    String name = string("model_type");
    for (NetworkConfig.Unet unet : NetworkConfig.Unet.values()) {
      if (unet.published().equals(name)) {
        return unet;
      }
    }
    throw DiffcertException.badInput("the network configuration has the unknown model_type \"" + shorten(name)
        + "\"; known are SongUNet and DhariwalUNet");
  }

  /* A preconditioner takes img_channels; the U-Net's own in_channels and out_channels, where they stand too, must
     agree. */
  private int channels(NetworkConfig.Precond precond) {
    int channels;
    if (has("img_channels")) {
      channels = whole("img_channels", null);
    } else {
      channels = whole("in_channels", null);
    }
    int out = precond == NetworkConfig.Precond.IDDPM ? 2 * channels : channels;
    if (whole("in_channels", channels) != channels || whole("out_channels", out) != out) {
      throw DiffcertException.badInput("the network configuration has in_channels or out_channels that differ from "
          + "img_channels " + channels);
    }
    return channels;
  }

  private void sigmaMax() {
    if (has("sigma_max") && json.get("sigma_max").isString()) {
      if (!string("sigma_max").equals("inf")) {
        throw DiffcertException.badInput(
            "the network configuration has a sigma_max that is neither a number nor \"inf\"");
      }
    } else {
      number("sigma_max", 0);
    }
  }

  private boolean has(String key) {
    known.add(key);
    return json.has(key);
  }

  private String string(String key) {
    if (!json.get(key).isString()) {
      throw wrong(key, "a string");
    }
    return json.get(key).asString();
  }

  private int whole(String key, Integer absent) {
    if (!has(key)) {
      if (absent == null) {
        throw DiffcertException.badInput("the network configuration lacks the option \"" + key + "\"");
      }
      return absent;
    }
    return asWhole(key, json.get(key));
  }

  private int asWhole(String key, Json value) {
    try {
      return value.asInt();
    } catch (DiffcertException e) {
      throw wrong(key, "a whole number");
    }
  }

  private double number(String key, double absent) {
    if (!has(key)) {
      return absent;
    }
    try {
      return json.get(key).asDouble();
    } catch (DiffcertException e) {
      throw wrong(key, "a number");
    }
  }

  private List<Integer> list(String key, List<Integer> absent) {
    if (!has(key)) {
      return absent;
    }
    if (!json.get(key).isArray()) {
      throw wrong(key, "a list of whole numbers");
    }
    List<Integer> values = new ArrayList<>();
    for (Json item : json.get(key).elements()) {
      values.add(asWhole(key, item));
    }
    return values;
  }

  private <E extends Enum<E>> E word(String key, E absent) {
    if (!has(key)) {
      return absent;
    }
    String name = string(key);
    StringBuilder possible = new StringBuilder();
    for (E value : absent.getDeclaringClass().getEnumConstants()) {
      String word = value.name().toLowerCase(Locale.ROOT);
      if (word.equals(name)) {
        return value;
      }
      possible.append(possible.isEmpty() ? "" : ", ").append(word);
    }
    throw DiffcertException.badInput("the network configuration has " + key + " \"" + shorten(name)
        + "\", possible are " + possible);
  }

  private DiffcertException wrong(String key, String expected) {
    return DiffcertException.badInput("the network configuration has " + key + " " + shorten(json.get(key).write())
        + ", "
        + expected + " is expected");
  }
}
