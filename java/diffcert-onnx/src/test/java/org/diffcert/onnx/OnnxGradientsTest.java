package org.diffcert.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.diffcert.DiffcertException;
import org.diffcert.denoise.ClassifierGradient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Gradients of classifiers in ONNX files: by differences, against ONNX Runtime's logits, and what is refused. */
class OnnxGradientsTest {
  private static final Path SHARED =
      Path.of(System.getProperty("diffcert.root")).toAbsolutePath().normalize().resolveSibling("shared");

  @TempDir Path temp;

  private static TinyModel list(String name, long... values) {
    TinyModel attribute = new TinyModel().text(1, name);
    for (long value : values) {
      attribute.number(8, value);
    }
    return attribute.number(20, 7);
  }

  private static float[] random(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (0.5 * random.nextGaussian());
    }
    return values;
  }

  private static TinyModel graph() {
    return new TinyModel().value(11, "x", -1, 2, 9, 8).value(12, "logits", -1, 3);
  }

  private Path file(TinyModel graph) throws IOException {
    return Files.write(temp.resolve("model.onnx"), graph.model(13));
  }

  /** Every operator there is a layer for, a stride that does not divide, padding, a skip, both forms of Gemm. */
  private Path everything() throws IOException {
    return file(graph()
        .constant("w1", random(4 * 2 * 9, 1), 4, 2, 3, 3).constant("b1", random(4, 2), 4)
        .constant("w2", random(4 * 4, 3), 4, 4, 1, 1).constant("w3", random(4 * 6, 4), 6, 4)
        .constant("b3", random(6, 5), 6).constant("w4", random(6 * 3, 6), 6, 3)
        .node("Conv", "c1", new String[] {"x", "w1", "b1"}, list("strides", 2, 2), list("pads", 1, 1, 1, 1))
        .node("Relu", "r1", new String[] {"c1"}).node("Conv", "c2", new String[] {"r1", "w2"})
        .node("Add", "s", new String[] {"c2", "r1"})
        .node("MaxPool", "m", new String[] {"s"}, list("kernel_shape", 2, 2), list("strides", 1, 1))
        .node("AveragePool", "a", new String[] {"m"}, list("kernel_shape", 2, 1), list("strides", 2, 1))
        .node("GlobalAveragePool", "g", new String[] {"a"}).node("Flatten", "f", new String[] {"g"})
        .node("Gemm", "h", new String[] {"f", "w3", "b3"}, TinyModel.attribute("transB", 1))
        .node("Identity", "i", new String[] {"h"}).node("Gemm", "logits", new String[] {"i", "w4"}));
  }

  private static void byDifferences(ClassifierGradient model, long seed) {
    Random random = new Random(seed);
    float[] image = new float[2 * model.shape().elements()];
    for (int e = 0; e < image.length; e++) {
      image[e] = (float) random.nextGaussian();
    }
    double[] cotangent = random.doubles(model.classes(), -1, 1).toArray();
    double[] gradient = model.forward(image, 1).back(cotangent);
    double wrong = 0;
    double all = 0;
    for (int trial = 0; trial < 40; trial++) {
      int e = random.nextInt(model.shape().elements());
      int at = model.shape().elements() + e;
      float before = image[at];
      double step = 1.0 / 32768;
      image[at] = (float) (before + step);
      double up = dot(cotangent, model.forward(image, 1).logits());
      float above = image[at];
      image[at] = (float) (before - step);
      double down = dot(cotangent, model.forward(image, 1).logits());
      double slope = (up - down) / ((double) above - image[at]);
      image[at] = before;
      wrong += Math.abs(slope - gradient[e]);
      all += Math.abs(slope);
    }
    // Not 0: where a Relu or a maximum turns within the step, a difference is no derivative.
    assertTrue(all > 0.1 && wrong < 0.03 * all, wrong + " of " + all + ", seed " + seed);
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  @Test
  void gradientsAreThoseOfDifferences() throws IOException {
    OnnxOptions options = new OnnxOptions(Layout.NCHW, -1, 3, List.of(0.5), List.of(0.25, 0.5), 64, Optional.empty());
    byDifferences(OnnxGradients.open(everything(), options), 3);
    byDifferences(OnnxGradients.open(SHARED.resolve("models/mnist-cnn.onnx"), OnnxOptions.DEFAULT), 4);
  }

  @Test
  void theOtherClassesOfTheModelHaveNoPart() throws IOException {
    OnnxOptions three = OnnxOptions.DEFAULT.withClasses(new ClassMap(List.of(7, 0, 4)));
    byDifferences(OnnxGradients.open(SHARED.resolve("models/mnist-cnn.onnx"), three), 5);
  }

  @Test
  void theFileIsTheOneThatVotes() {
    Path file = SHARED.resolve("models/mnist-cnn.onnx");
    ClassifierGradient model = OnnxGradients.open(file, OnnxOptions.DEFAULT);
    try (OnnxClassifier votes = OnnxClassifier.open(file, OnnxOptions.DEFAULT)) {
      assertEquals(votes.digest(), model.digest());
      float[] images = random(20 * 784, 9);
      int[] classes = new int[20];
      votes.classifyReal(images, 0, 20, classes);
      for (int row = 0; row < 20; row++) {
        double[] logits = model.forward(images, row).logits();
        int best = 0;
        for (int c = 1; c < logits.length; c++) {
          best = logits[c] > logits[best] ? c : best;
        }
        assertEquals(classes[row], best, "row " + row);
      }
    }
  }

  @Test
  void whatHasNoGradientIsRefusedByName() throws IOException {
    refused("Sigmoid", graph().constant("w", random(144 * 3, 1), 144, 3).node("Sigmoid", "s", new String[] {"x"})
        .node("Flatten", "f", new String[] {"s"}).node("Gemm", "logits", new String[] {"f", "w"}));
    refused("Conv with groups", graph().constant("w", random(2 * 9, 1), 2, 1, 3, 3)
        .constant("v", random(84 * 3, 1), 84, 3)
        .node("Conv", "c", new String[] {"x", "w"}, TinyModel.attribute("group", 2))
        .node("Flatten", "f", new String[] {"c"}).node("Gemm", "logits", new String[] {"f", "v"}));
    OnnxOptions other = new OnnxOptions(Layout.NHWC, 0, 1, List.of(0.0), List.of(1.0), 64, Optional.empty());
    Path file = everything();
    assertEquals(DiffcertException.Kind.USAGE,
        assertThrows(DiffcertException.class, () -> OnnxGradients.open(file, other)).kind());
  }

  private void refused(String what, TinyModel graph) throws IOException {
    Path file = file(graph);
    DiffcertException e =
        assertThrows(DiffcertException.class, () -> OnnxGradients.open(file, OnnxOptions.DEFAULT));
    assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    assertTrue(e.getMessage().contains(what), e.getMessage());
  }
}
