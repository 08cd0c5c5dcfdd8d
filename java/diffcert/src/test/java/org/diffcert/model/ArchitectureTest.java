package org.diffcert.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.diffcert.DiffcertException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Configurations and the tensors that they imply. */
class ArchitectureTest {
  @ParameterizedTest
  @CsvSource({"cifar10-ddpmpp-cond,55735299", "cifar10-ddpmpp-uncond,55733891", "cifar10-ncsnpp-cond,56400643",
      "cifar10-ncsnpp-uncond,56397827", "imagenet64-adm,295899267", "mnist-ddpmpp,749089"})
  void parameterCountsAreThePublishedOnes(String preset, long count) {
    assertEquals(count, Architecture.parameterCount(NetworkConfig.preset(preset)));
  }

  @Test
  void everyPresetReadsBack() {
    for (String name : Presets.names()) {
      NetworkConfig config = NetworkConfig.preset(name);
      assertEquals(config, NetworkConfig.parse(config.precond().published(), config.toJson()), name);
      assertTrue(Architecture.tensors(config).size() > 50, name);
    }
    assertEquals(DiffcertException.Kind.USAGE, assertThrows(DiffcertException.class, () -> NetworkConfig.preset("x"))
        .kind());
  }

  @Test
  void absentKeysHaveThePublishedDefaults() {
    NetworkConfig edm = NetworkConfig.parse("EDMPrecond", "{\"img_resolution\":64,\"img_channels\":3}");
    assertEquals(NetworkConfig.Unet.DHARIWAL, edm.architecture());
    assertEquals(192, edm.modelChannels());
    assertEquals(java.util.List.of(32, 16, 8), edm.attnResolutions());
    NetworkConfig vp = NetworkConfig.parse("VPPrecond", "{\"img_resolution\":32,\"img_channels\":3}");
    assertEquals(NetworkConfig.Unet.SONG, vp.architecture());
    assertEquals(java.util.List.of(1, 2, 2, 2), vp.channelMult());
    assertEquals(19.9, vp.betaD());
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "{}", "{\"img_resolution\":32}", "{\"img_channels\":3}",
      "{\"img_resolution\":\"32\",\"img_channels\":3}",
      "{\"img_resolution\":32.5,\"img_channels\":3}", "{\"img_resolution\":0,\"img_channels\":3}",
      "{\"img_resolution\":1000000,\"img_channels\":3}", "{\"img_resolution\":32,\"img_channels\":-1}",
      "{\"img_resolution\":32,\"img_channels\":3,\"model_channels\":2147483647}",
      "{\"img_resolution\":32,\"img_channels\":3,\"model_channels\":99999999999}",
      "{\"img_resolution\":32,\"img_channels\":3,\"colour\":1}",
      "{\"img_resolution\":32,\"img_channels\":3,\"model_type\":\"Unet\"}",
      "{\"img_resolution\":32,\"img_channels\":3,\"channel_mult\":[]}",
      "{\"img_resolution\":32,\"img_channels\":3,\"channel_mult\":2}",
      "{\"img_resolution\":32,\"img_channels\":3,\"channel_mult\":[2,\"2\"]}",
      "{\"img_resolution\":30,\"img_channels\":3,\"channel_mult\":[1,2,2,2]}",
      "{\"img_resolution\":32,\"img_channels\":3,\"model_type\":\"SongUNet\",\"embedding_type\":\"x\"}",
      "{\"img_resolution\":32,\"img_channels\":3,\"embedding_type\":\"fourier\"}",
      "{\"img_resolution\":32,\"img_channels\":3,\"sigma_data\":0}",
      "{\"img_resolution\":32,\"img_channels\":3,\"sigma_data\":1e999}",
      "{\"img_resolution\":32,\"img_channels\":3,\"out_channels\":6}",
      "{\"img_resolution\":32,\"img_channels\":3,\"dropout\":2}",
      "{\"img_resolution\":32,\"img_channels\":3,\"use_fp16\":1}",
      "{\"img_resolution\":32,\"img_channels\":3,\"num_blocks\":100000}",
      "{\"img_resolution\":32,\"img_channels\":3,\"attn_resolutions\":[16,null]}"})
  void badConfigurationsAreOneSentence(String json) {
    DiffcertException e = assertThrows(DiffcertException.class, () -> NetworkConfig.parse("EDMPrecond", json));
    assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    assertTrue(e.getMessage().contains("the network configuration") && !e.getMessage().contains("\n"), e.getMessage());
  }

  @Test
  void unfitWidthsAreRefused() {
    assertThrows(DiffcertException.class, () -> NetworkConfig.parse("Precond", "{}"));
    NetworkConfig odd = NetworkConfig.parse("EDMPrecond",
        "{\"img_resolution\":32,\"img_channels\":3,\"model_type\":\"SongUNet\",\"model_channels\":30}");
    assertTrue(assertThrows(DiffcertException.class, () -> Architecture.tensors(odd)).getMessage()
        .contains("group norm over 30"));
    NetworkConfig huge = NetworkConfig.parse("EDMPrecond",
        "{\"img_resolution\":32,\"img_channels\":3,\"model_channels\":4096,\"channel_mult\":[64,64]}");
    assertTrue(assertThrows(DiffcertException.class, () -> Architecture.tensors(huge)).getMessage()
        .contains("parameters"));
  }
}
