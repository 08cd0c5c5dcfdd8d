package org.diffcert.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.diffcert.DiffcertException;
import org.junit.jupiter.api.Test;

/**
 * The models in {@code tests/onnx} are those written here, each bad in one way for digits of 1x28x28 in 10 classes. The
 * command line's tests and scripts read them as files.
 */
class KeptModelsTest {
  private static final Path FOLDER = Path.of(System.getProperty("diffcert.root")).resolve("tests/onnx");
  private static final int ELEMENTS = 28 * 28;

  /** Each logit is the largest of as many values of the image in turn, after an operation. */
  private static TinyModel graph(String op, long height, long classes) {
    TinyModel graph = new TinyModel().node("Reshape", "groups", new String[] {"in", "flat"})
        .integers("flat", -1, classes, ELEMENTS / classes)
        .node(op, "changed", new String[] {"groups"})
        .node("ReduceMax", "out", new String[] {"changed"}, axes(2), TinyModel.attribute("keepdims", 0));
    return graph.value(11, "in", -1, 1, height, 28).value(12, "out", -1, classes);
  }

  private static TinyModel axes(long axis) {
    return new TinyModel().text(1, "axes").number(8, axis).number(20, 7);
  }

  private static Map<String, byte[]> models() {
    Map<String, byte[]> models = new TreeMap<>();
    models.put("fourteen-classes.onnx", graph("Identity", 28, 14).model(13));
    models.put("wrong-opset.onnx", graph("Identity", 28, 14).model(9999));
    models.put("dynamic-height.onnx", graph("Identity", -1, 14).model(13));
    models.put("one-class.onnx", graph("Identity", 28, 1).model(13));
    models.put("not-finite.onnx", graph("Log", 28, 14).model(13));
    models.put("external-data.onnx", graph("Identity", 28, 14).external("w", "../../../etc/hostname", 1).model(13));
    return models;
  }

  @Test
  void theFilesAreTheseModels() throws IOException {
    Map<String, byte[]> models = models();
    try (Stream<Path> files = Files.list(FOLDER)) {
      Set<String> there = files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
      assertEquals(models.keySet(), there);
    }
    for (Map.Entry<String, byte[]> model : models.entrySet()) {
      assertArrayEquals(model.getValue(), Files.readAllBytes(FOLDER.resolve(model.getKey())), model.getKey());
    }
  }

  @Test
  void allButThatForOtherDataAreRefused() {
    OnnxClassifier.open(FOLDER.resolve("fourteen-classes.onnx"), OnnxOptions.DEFAULT).close();
    for (String name : models().keySet()) {
      if (!name.equals("fourteen-classes.onnx")) {
        assertEquals(DiffcertException.Kind.BAD_INPUT, assertThrows(DiffcertException.class,
            () -> OnnxClassifier.open(FOLDER.resolve(name), OnnxOptions.DEFAULT).close(), name).kind());
      }
    }
  }
}
