package org.diffcert.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;

/** Configurations by name: the published networks, and three small ones for tests and measurements. */
public final class Presets {
  private static final Map<String, String[]> CONFIGS = new LinkedHashMap<>();

  static {
    String song = "\"img_resolution\":32,\"img_channels\":3,\"model_type\":\"SongUNet\",\"model_channels\":128,"
        + "\"channel_mult\":[2,2,2],\"num_blocks\":4,\"attn_resolutions\":[16],\"dropout\":0.13,\"augment_dim\":9,";
    String ddpmpp = "{" + song + "\"label_dim\":%d}";
    String ncsnpp = "{" + song
        + "\"embedding_type\":\"fourier\",\"encoder_type\":\"residual\",\"channel_mult_noise\":2,"
        + "\"resample_filter\":[1,3,3,1],\"label_dim\":%d}";
    for (String precond : List.of("EDM", "VP", "VE")) {
      String suffix = precond.equals("EDM") ? "" : "-" + precond.toLowerCase(java.util.Locale.ROOT);
      add("cifar10-ddpmpp-cond" + suffix, precond + "Precond", String.format(ddpmpp, 10));
      add("cifar10-ddpmpp-uncond" + suffix, precond + "Precond", String.format(ddpmpp, 0));
      add("cifar10-ncsnpp-cond" + suffix, precond + "Precond", String.format(ncsnpp, 10));
      add("cifar10-ncsnpp-uncond" + suffix, precond + "Precond", String.format(ncsnpp, 0));
    }
    String adm = "{\"img_resolution\":64,\"img_channels\":3,\"label_dim\":1000,\"model_type\":\"DhariwalUNet\","
        + "\"model_channels\":192,\"channel_mult\":[1,2,3,4]}";
    add("imagenet64-adm", "EDMPrecond", adm);
    add("imagenet64-adm-iddpm", "iDDPMPrecond", adm);
    add("imagenet64-adm-small", "EDMPrecond", "{\"img_resolution\":64,\"img_channels\":3,\"label_dim\":1000,"
        + "\"model_type\":\"DhariwalUNet\",\"model_channels\":16,\"channel_mult\":[1,2,3,4],\"num_blocks\":1,"
        + "\"attn_resolutions\":[8]}");
    add("mnist-ddpmpp", "EDMPrecond",
        "{\"img_resolution\":28,\"img_channels\":1,\"label_dim\":10,\"model_type\":\"SongUNet\","
        + "\"model_channels\":32,\"channel_mult\":[1,2],\"num_blocks\":1,\"attn_resolutions\":[14],\"dropout\":0.0}");
    add("tiny-ddpmpp", "EDMPrecond",
        "{\"img_resolution\":8,\"img_channels\":3,\"label_dim\":4,\"model_type\":\"SongUNet\","
        + "\"model_channels\":16,\"channel_mult\":[1,2],\"num_blocks\":1,\"attn_resolutions\":[4],\"dropout\":0.0}");
  }

  private Presets() {}

  private static void add(String name, String precond, String config) {
    CONFIGS.put(name, new String[] {precond, config});
  }

  /**
   * The names, in a fixed order.
   *
   * @return the names
   */
  public static List<String> names() {
    return List.copyOf(CONFIGS.keySet());
  }

  /**
   * A configuration by name.
   *
   * @param name one of {@link #names()}
   * @return the configuration
   * @throws DiffcertException USAGE for an unknown name
   */
  public static NetworkConfig named(String name) {
    String[] config = CONFIGS.get(name);
    if (config == null) {
      throw DiffcertException.usage("the network \"" + name + "\" is unknown; known are " + String.join(", ",
          CONFIGS.keySet()));
    }
    return NetworkConfig.parse(config[0], config[1]);
  }
}
