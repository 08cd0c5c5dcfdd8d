package org.diffcert.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.file.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models: opening, checking, writing, digests. */
class ModelTest {
  @TempDir Path dir;

  @ParameterizedTest
  @ValueSource(strings = {"models/mnist-edm.safetensors", "golden/edm/ddpmpp-edm.model.safetensors",
      "golden/edm/ddpmpp-vp-uncond.model.safetensors", "golden/edm/ncsnpp-ve.model.safetensors",
      "golden/edm/ncsnpp-edm-gray.model.safetensors", "golden/edm/adm-edm.model.safetensors",
          "golden/edm/adm-iddpm.model.safetensors"})
  void publishedImplementationsFilesOpenAndReadBack(String name) throws Exception {
    Path copy = dir.resolve("copy.safetensors");
    try (Model model = Model.open(SharedFiles.shared(name))) {
      model.write(copy);
      try (Model again = Model.open(copy)) {
        assertEquals(model.digest(), again.digest());
        assertEquals(model.config(), again.config());
        for (Tensor tensor : model.tensors().values()) {
          assertArrayEquals(tensor.floats(), again.tensor(tensor.name()).floats());
        }
        Path second = dir.resolve("second.safetensors");
        again.write(second);
        assertEquals(-1, Files.mismatch(copy, second));
      }
      assertTrue(model.describe().contains(model.digest()));
    }
  }

  @Test
  void theShippedModelIsTheSharedOne() {
    try (Model model = Model.open(SharedFiles.root().resolve("models/mnist-edm.safetensors"))) {
      assertEquals(749_089, model.parameterCount());
      assertEquals(ModelFormat.SAFETENSORS, model.format());
      assertEquals("mnist-edm.safetensors", model.provenance().fileName());
      assertEquals(64, model.provenance().sha256().length());
    }
  }

  @Test
  void randomModelsAreReproducibleAndBusy() {
    NetworkConfig config = NetworkConfig.preset("tiny-ddpmpp");
    Model one = Model.random(config, 1);
    assertEquals(one.digest(), Model.random(config, 1).digest());
    assertNotEquals(one.digest(), Model.random(config, 2).digest());
    for (Tensor tensor : one.tensors().values()) {
      double sum = 0;
      for (float value : tensor.floats()) {
        assertTrue(Math.abs(value) < 8, tensor.name());
        sum += Math.abs(value);
      }
      assertTrue(sum > 0, tensor.name());
    }
  }

  /**
   * A card goes through the file, changes no digest, and is shown in one line without a terminal's control characters.
   */
  @Test
  void notesAreKeptAndShownHarmlessly(@TempDir Path directory) {
    Model made = Model.random(NetworkConfig.preset("tiny-ddpmpp"), 1);
    Path file = directory.resolve("noted.safetensors");
    Map<String, String> card = Map.of("command", "train --seed 3", "evil", "a\u001b[2Jb\nc\u2028d\u202ee", "long",
        "x".repeat(5000));
    made.write(file, card);
    try (Model read = Model.open(file)) {
      assertEquals(made.digest(), read.digest());
      assertEquals(card, read.notes());
      assertTrue(read.describe().contains("command        train --seed 3\n"), read.describe());
      assertTrue(read.describe().contains("a [2Jb c d e\n"), read.describe());
      assertTrue(read.describe().lines().allMatch(line -> line.length() < 700), read.describe());
    }
    assertThrows(IllegalArgumentException.class, () -> made.write(file, Map.of("precond", "VPPrecond")));
  }

  @Test
  void digestSeesWeightsAndFunctionButNotTraining() {
    NetworkConfig config = NetworkConfig.preset("tiny-ddpmpp");
    Model model = Model.random(config, 1);
    List<Tensor> changed = new ArrayList<>(model.tensors().values());
    Tensor last = changed.remove(changed.size() - 1);
    float[] values = last.floats().clone();
    values[0] = Math.nextUp(values[0]);
    changed.add(Tensor.of(last.name(), last.shape(), values));
    assertNotEquals(model.digest(), Model.of(config, changed).digest());
    NetworkConfig dropout = NetworkConfig.parse("EDMPrecond", config.toJson().put("dropout", 0.5));
    assertEquals(model.digest(), Model.of(dropout, model.tensors().values()).digest());
    NetworkConfig data = NetworkConfig.parse("EDMPrecond", config.toJson().put("sigma_data", 1.0));
    assertNotEquals(model.digest(), Model.of(data, model.tensors().values()).digest());
  }

  @Test
  void unfitTensorsAreOneSentence() {
    NetworkConfig config = NetworkConfig.preset("tiny-ddpmpp");
    List<Tensor> good = new ArrayList<>(Model.random(config, 1).tensors().values());
    refused(config, good.subList(2, good.size()), "2 tensors are missing: model.map_label.weight and others");
    List<Tensor> extra = new ArrayList<>(good);
    extra.add(Tensor.of("model.evil", List.of(1L), new float[1]));
    refused(config, extra, "1 tensor is not of this network: model.evil");
    List<Tensor> misshapen = new ArrayList<>(good);
    misshapen.set(0, Tensor.of(good.get(0).name(), List.of(1L), new float[1]));
    refused(config, misshapen, "1 tensor is of another shape: model.map_label.weight has shape [1] instead of [16, 4]");
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      List<Tensor> infinite = new ArrayList<>(good);
      float[] values = good.get(0).floats();
      values[3] = bad;
      infinite.set(0, Tensor.of(good.get(0).name(), good.get(0).shape(), values));
      refused(config, infinite, "weights must be finite");
    }
    List<Tensor> filter = new ArrayList<>(good);
    filter.add(Tensor.of("model.enc.4x4_down.conv0.resample_filter", List.of(1L, 1L, 2L, 2L), new float[] {.25f, .25f,
        .25f, .3f}));
    refused(config, filter, "where its configuration gives 0.25");
    filter.set(filter.size() - 1, Tensor.of("model.enc.4x4_down.conv0.resample_filter", List.of(1L, 1L, 2L, 2L),
        new float[] {.25f, .25f, .25f, .25f}));
    assertEquals(Model.of(config, good).digest(), Model.of(config, filter).digest());
  }

  /** A file that begins like none of the formats is refused by what its ending promises and what it holds. */
  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "notes.pkl | dear diary | notes.pkl is not a pickle of protocol 2 to 5; it is a text that begins with 'dear diary'",
    "empty.pt | '' | empty.pt is not a file of torch.save; it is empty",
    "short.pth | PK | short.pth is not a file of torch.save; it is a text that begins with 'PK'",
    "odd.bin | '\u0007\u0001\u0080' | odd.bin is not a model: neither safetensors nor a pickle nor a file of torch.save"
        + "; it begins with the bytes 07 01 80",
    "weights.safetensors | abc | weights.safetensors is not a valid safetensors file: it has 3 bytes"})
  void aFileOfNoKnownFormIsNamedByItsEndingAndContent(String name, String text, String sentence, @TempDir Path temp)
      throws IOException {
    Path file = Files.write(temp.resolve(name), text.getBytes(StandardCharsets.ISO_8859_1));
    DiffcertException e = assertThrows(DiffcertException.class, () -> Model.open(file));
    assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    assertTrue(e.getMessage().startsWith(sentence), e.getMessage());
  }

  private static void refused(NetworkConfig config, List<Tensor> tensors, String sentence) {
    DiffcertException e = assertThrows(DiffcertException.class, () -> Model.of(config, tensors));
    assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    assertTrue(e.getMessage().contains(sentence), e.getMessage());
    assertFalse(e.getMessage().contains("\n"));
  }
}
