package org.diffcert.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import org.diffcert.file.Safetensors;
import org.diffcert.file.Tensor;
import org.diffcert.file.TorchCheckpoint;
import org.diffcert.file.FileBytes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * EDM snapshots written by the published code give the same networks, to the bit, as the safetensors files beside
 * them.
 */
class EdmPickleTest {
  @ParameterizedTest
  @CsvSource({"models/mnist-edm.pkl,models/mnist-edm.safetensors",
      "golden/edm/ddpmpp-edm.pkl,golden/edm/ddpmpp-edm.model.safetensors",
      "golden/edm/ncsnpp-edm-gray.pkl,golden/edm/ncsnpp-edm-gray.model.safetensors"})
  void snapshotsEqualTheirSafetensors(String pickle, String safetensors) {
    try (Model one = Model.open(SharedFiles.shared(pickle)); Model two = Model.open(SharedFiles.shared(safetensors))) {
      assertEquals(ModelFormat.EDM_PICKLE, one.format());
      assertEquals(two.config(), one.config());
      assertEquals(two.digest(), one.digest());
      assertEquals(two.tensors().keySet(), one.tensors().keySet());
    }
    try (FileBytes file = FileBytes.open(SharedFiles.shared(pickle));
        Safetensors beside = Safetensors.open(SharedFiles.shared(safetensors))) {
      TorchCheckpoint checkpoint = TorchCheckpoint.pickle(file);
      assertEquals(beside.tensors().keySet(), new java.util.TreeSet<>(checkpoint.tensors().keySet()));
      for (Tensor tensor : checkpoint.tensors().values()) {
        assertEquals(beside.tensor(tensor.name()).shape(), tensor.shape());
        assertArrayEquals(beside.tensor(tensor.name()).floats(), tensor.floats(), tensor.name());
      }
    }
  }

  /** Long enough for the optimising compiler: JDK 17 once compiled a refusal into this reader. */
  @Test
  void manyFilesInOneProcess() {
    Path file = SharedFiles.shared("golden/edm/ncsnpp-edm-gray.pkl");
    for (int i = 0; i < 300; i++) {
      try (Model model = Model.open(file)) {
        assertEquals(28, model.config().imgResolution(), "round " + i);
      }
    }
  }
}
