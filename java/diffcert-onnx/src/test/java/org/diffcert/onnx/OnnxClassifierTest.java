package org.diffcert.onnx;

import static org.diffcert.onnx.TinyModel.attribute;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.diffcert.DiffcertException;
import org.diffcert.certify.VoteSource;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageData;
import org.diffcert.image.ImageShape;
import org.diffcert.image.ImageSource;
import org.diffcert.image.Resampling;
import org.diffcert.noise.IntegerNoise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models in ONNX files: what they answer, and that those that cannot be certified are refused with one sentence. */
class OnnxClassifierTest {
  private static final Path ROOT = Path.of(System.getProperty("diffcert.root")).toAbsolutePath().normalize();
  private static final Path MODELS = ROOT.resolveSibling("shared").resolve("models");

  @TempDir
  Path folder;

  /** logits = the 4 values of a 1x2x2 image, in the model's order. */
  private static TinyModel copies(long batch, long... extents) {
    return new TinyModel().node("Reshape", "out", new String[] {"in", "four"}).integers("four", -1, 4)
        .value(11, "in", batch, extents[0], extents[1], extents[2]).value(12, "out", batch, 4);
  }

  private OnnxClassifier open(byte[] model, OnnxOptions options) throws IOException {
    Path file = folder.resolve("model.onnx");
    Files.write(file, model);
    return OnnxClassifier.open(file, options);
  }

  private String refusal(byte[] model) {
    DiffcertException e = assertThrows(DiffcertException.class, () -> open(model, OnnxOptions.DEFAULT).close());
    assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind(), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
    return e.getMessage();
  }

  private static int[] classify(OnnxClassifier classifier, int[]... rows) {
    int[] classes = new int[rows.length];
    classifier.classify(rows, classes);
    return classes;
  }

  @Test
  void theLargestLogitWinsAndTheLowestOfEquals() throws IOException {
    try (OnnxClassifier c = open(copies(-1, 1, 2, 2).model(13), OnnxOptions.DEFAULT)) {
      assertEquals(new ImageShape(1, 2, 2), c.shape());
      assertEquals(4, c.classes());
      assertTrue(c.isSizeInvariant());
      assertEquals(64, c.batch());
      assertArrayEquals(new int[] {2, 0, 1, 3},
          classify(c, new int[] {0, 1, 9, 3}, new int[] {7, 7, 7, 7}, new int[] {-3, -1, -1, -2},
              new int[] {0, 0, 0, 70000}));
    }
  }

  /** Four logits, of which the data have three, in another order. */
  @Test
  void theDatasClassesAreFoundAmongTheModels() throws IOException {
    List<String> models = List.of("cat", "dog", "frog", "ship");
    ClassMap map = ClassMap.byName(models, List.of("ship", "cat", "frog"));
    assertEquals(List.of(3, 0, 2), map.logits());
    try (OnnxClassifier c = open(copies(-1, 1, 2, 2).model(13), OnnxOptions.DEFAULT.withClasses(map))) {
      assertEquals(3, c.classes());
      assertEquals(List.of(3L, 0L, 2L), c.identity().get("input") instanceof Map<?, ?> m ? m.get("classes") : null);
      assertArrayEquals(new int[] {2, 1, 0, 0},
          classify(c, new int[] {0, 99, 9, 3}, new int[] {7, 9, 6, 6}, new int[] {-3, 0, -1, -1},
              new int[] {5, 5, 5, 5}));
      assertArrayEquals(new float[] {0.75f, 0, 0.5f}, c.logits(new double[] {0, 0.25, 0.5, 0.75}));
    }
    DiffcertException few = assertThrows(DiffcertException.class, () -> open(copies(-1, 1, 2, 2).model(13),
        OnnxOptions.DEFAULT.withClasses(new ClassMap(List.of(1, 4)))).close());
    assertEquals("the model has 4 classes, the class map wants its number 4, counted from 0", few.getMessage());
    for (List<String> datas : List.of(List.of("cat", "bird"), List.of("cat", "Dog"))) {
      assertEquals(DiffcertException.Kind.BAD_INPUT,
          assertThrows(DiffcertException.class, () -> ClassMap.byName(models, datas)).kind());
    }
    assertThrows(DiffcertException.class, () -> ClassMap.byName(List.of("cat", "cat", "dog"), List.of("cat", "dog")));
    for (List<Integer> numbers : List.of(List.of(1), List.of(1, 1), List.of(-1, 2))) {
      assertEquals(DiffcertException.Kind.USAGE,
          assertThrows(DiffcertException.class, () -> new ClassMap(numbers)).kind());
    }
  }

  /** A run on another kind of GPU is another run; the kernel's tables as NVIDIA's driver fills them. */
  @Test
  void theHardwareIsNamed() throws IOException {
    Files.writeString(folder.resolve("cpuinfo"), "processor\t: 0\nmodel name\t: A Processor\n");
    assertEquals("A Processor", Provider.CPU.hardware(folder));
    assertEquals("a GPU without a name, A Processor", Provider.of("cuda").hardware(folder));
    for (String card : List.of("0000:01:00.0", "0000:02:00.0")) {
      Path place = Files.createDirectories(folder.resolve("driver/nvidia/gpus").resolve(card));
      Files.writeString(place.resolve("information"), "Model: \t\t NVIDIA H200\nIRQ:   \t\t 88\n");
    }
    assertEquals("NVIDIA H200, A Processor", Provider.of("cuda:1").hardware(folder));
    Path other = Files.createDirectories(folder.resolve("driver/nvidia/gpus/0000:03:00.0"));
    Files.writeString(other.resolve("information"), "Model: \t\t NVIDIA L4\n");
    assertEquals("NVIDIA H200 and NVIDIA L4 (cuda:1), A Processor", Provider.of("cuda:1").hardware(folder));
    assertThrows(DiffcertException.class, () -> Provider.of("cuda:x"));
  }

  /**
   * A 1x1 image spread over 2x2 pixels, a 4x4 image shrunk to them: means of its quarters, pulled at by their
   * neighbours.
   */
  @Test
  void imagesOfAnotherSizeAreBroughtToTheModels() throws IOException {
    byte[] model = copies(-1, 1, 2, 2).model(13);
    try (OnnxClassifier c = open(model, OnnxOptions.DEFAULT.withResize(new Resize(Resampling.BICUBIC, 1, 1)))) {
      assertEquals(new ImageShape(1, 1, 1), c.shape());
      assertArrayEquals(new int[] {0, 0}, classify(c, new int[] {200}, new int[] {-9}));
    }
    for (Layout layout : new Layout[] {Layout.NCHW, Layout.NHWC}) {
      byte[] laid = layout == Layout.NCHW ? model : copies(-1, 2, 2, 1).model(13);
      OnnxOptions options = new OnnxOptions(layout, 0, 1, List.of(0.0), List.of(1.0), 64,
          Optional.of(Resize.of("bilinear:4x4")));
      try (OnnxClassifier c = open(laid, options)) {
        assertEquals("bilinear:4x4", c.identity().get("input") instanceof Map<?, ?> m ? m.get("resize") : null);
        for (int quarter = 0; quarter < 4; quarter++) {
          int[] image = new int[16];
          image[(quarter / 2 * 2 + 1) * 4 + quarter % 2 * 2 + 1] = 50;
          image[(quarter / 2 * 2) * 4 + quarter % 2 * 2] = 200;
          float[] real = new float[16];
          for (int i = 0; i < 16; i++) {
            real[i] = image[i] / 127.5f - 1;
          }
          int[] classes = new int[1];
          c.classifyReal(real, 0, 1, classes);
          assertArrayEquals(new int[] {quarter, quarter}, new int[] {classify(c, image)[0], classes[0]});
        }
      }
    }
    assertThrows(DiffcertException.class, () -> Resize.of("bicubic:32"));
    assertThrows(DiffcertException.class, () -> new Resize(Resampling.BICUBIC, 0, 5));
  }

  @Test
  void valuesAreWhatTheOptionsSay() throws IOException {
    OnnxOptions options = new OnnxOptions(Layout.NHWC, -1, 1, List.of(0.25, 0.5), List.of(2.0, -4.0), 3,
        Optional.empty());
    try (OnnxClassifier c = open(copies(-1, 1, 2, 2).model(13), options)) {
      // Layout: 2 channels of 1x2; in C,H,W order a0 a1 b0 b1, in the model's a0 b0 a1 b1. Channel 1 has its sign
      // turned.
      assertEquals(new ImageShape(2, 1, 2), c.shape());
      assertArrayEquals(new int[] {2, 1, 3},
          classify(c, new int[] {9, 1000, 255, 255}, new int[] {0, 0, -1000, 0}, new int[] {0, 0, 0, -1000}));
    }
    assertEquals((float) ((-1 + 2.0 * 51 / 255 - 0.25) / 2), options.value(0, 51));
    assertEquals(options.value(1, -1530), new ValueTable(options, 2).of(1, -1530));
    assertEquals(options.value(0, 20000), new ValueTable(options, 2).of(0, 20000));
  }

  /**
   * What a denoiser gives is placed as the integers are, whatever the layout, and a part of an array is its own rows.
   */
  @Test
  void realImagesAreThoseOfTheIntegers() throws IOException {
    OnnxOptions options = new OnnxOptions(Layout.NHWC, -1, 1, List.of(0.25, 0.5), List.of(2.0, -4.0), 3,
        Optional.empty());
    try (OnnxClassifier c = open(copies(-1, 1, 2, 2).model(13), options)) {
      long seed = 20261121;
      Random random = new Random(seed);
      int[][] rows = new int[40][4];
      float[] images = new float[160];
      for (int i = 0; i < 160; i++) {
        rows[i / 4][i % 4] = random.nextInt(900) - 300;
        images[i] = (float) IntegerNoise.edmValue(rows[i / 4][i % 4]);
      }
      int[] real = new int[40];
      c.classifyReal(images, 0, 13, real);
      c.classifyReal(images, 13, 40, real);
      assertArrayEquals(classify(c, rows), real, "seed " + seed);
      images[4 * 17 + 2] = Float.NaN;
      c.classifyReal(images, 16, 18, real);
      assertEquals(VoteSource.NO_VOTE, real[17]);
    }
  }

  @Test
  void rowsThatAreMixedAreRunOneAtATime() throws IOException {
    TinyModel mixed = new TinyModel().node("ReduceMax", "max", new String[] {"in"}, new TinyModel().text(1, "axes")
            .number(8, 0).number(20, 7), attribute("keepdims", 1))
        .node("Sub", "difference", new String[] {"in", "max"})
        .node("Reshape", "out", new String[] {"difference", "four"}).integers("four", -1, 4)
        .value(11, "in", -1, 1, 2, 2).value(12, "out", -1, 4);
    try (OnnxClassifier c = open(mixed.model(13), OnnxOptions.DEFAULT)) {
      assertEquals(1, c.batch());
      assertFalse(c.isSizeInvariant());
      assertArrayEquals(new int[] {0, 0}, classify(c, new int[] {0, 0, 0, 1}, new int[] {0, 9, 0, 0}));
    }
  }

  @Test
  void rowsThatAreMixedInABatchOfTheModelsOwnAreRefused() {
    TinyModel mixed = new TinyModel().node("Softmax", "soft", new String[] {"in"}, attribute("axis", 0))
        .node("Reshape", "out", new String[] {"soft", "four"}).integers("four", -1, 4)
        .value(11, "in", 8, 1, 2, 2).value(12, "out", 8, 4);
    assertTrue(refusal(mixed.model(13)).contains("beside other images of its batch of 8"));
  }

  @Test
  void aBatchOfTheModelsOwnIsKept() throws IOException {
    try (OnnxClassifier c = open(copies(5, 1, 2, 2).model(13), OnnxOptions.DEFAULT)) {
      assertEquals(5, c.batch());
      int[][] rows = new int[12][4];
      for (int r = 0; r < rows.length; r++) {
        rows[r][r % 4] = 1;
      }
      assertArrayEquals(new int[] {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3}, classify(c, rows));
    }
  }

  @Test
  void randomLogitsAreRefused() {
    TinyModel random = new TinyModel().node("RandomUniformLike", "noise", new String[] {"in"})
        .node("Reshape", "out", new String[] {"noise", "four"}).integers("four", -1, 4)
        .value(11, "in", -1, 1, 2, 2).value(12, "out", -1, 4);
    assertTrue(refusal(random.model(13)).contains("other logits each time"));
  }

  @Test
  void logitsThatAreNotFinite() throws IOException {
    TinyModel root = new TinyModel().node("Sqrt", "root", new String[] {"in"})
        .node("Reshape", "out", new String[] {"root", "four"}).integers("four", -1, 4)
        .value(11, "in", -1, 1, 2, 2).value(12, "out", -1, 4);
    assertTrue(refusal(root.model(13)).contains("not finite"));
    // A model that the probe's rows suit, and others do not: such a sample has no vote.
    TinyModel far = new TinyModel().node("Add", "sum", new String[] {"in", "ten"}).node("Sqrt", "root",
        new String[] {"sum"}).node("Reshape", "out", new String[] {"root", "four"}).integers("four", -1, 4)
        .constant("ten", new float[] {10}, 1).value(11, "in", -1, 1, 2, 2).value(12, "out", -1, 4);
    try (OnnxClassifier c = open(far.model(13), OnnxOptions.DEFAULT)) {
      assertArrayEquals(new int[] {1, VoteSource.NO_VOTE}, classify(c, new int[] {0, 1, 0, 0},
          new int[] {0, 1, 0, -3000}));
    }
  }

  @Test
  void unfitModelsAreRefused() {
    assertTrue(refusal(copies(-1, 1, 2, 2).model(9999)).contains("cannot be loaded"));
    assertTrue(refusal(copies(-1, 1, -1, 2).model(13)).contains("leaves extent 2 of its input open"));
    assertTrue(refusal(copies(-1, 1 << 12, 1 << 12, 1 << 12).model(13)).contains("images of more than"));
    assertTrue(refusal(new byte[0]).length() > 0);
    assertTrue(refusal(new byte[] {1, 2, 3}).contains("damaged"));
    assertTrue(refusal(copies(-1, 1, 2, 2).value(11, "second", 1).model(13)).contains("2 inputs"));
    assertTrue(refusal(copies(1 << 30, 1, 2, 2).model(13)).contains("batch of"));
    TinyModel flat = new TinyModel().node("Identity", "out", new String[] {"in"}).value(11, "in", -1, 4)
        .value(12, "out", -1, 4);
    assertTrue(refusal(flat.model(13)).contains("rank 4"));
    TinyModel oneClass = new TinyModel().node("Reshape", "out", new String[] {"in", "one"}).integers("one", -1, 1)
        .value(11, "in", -1, 1, 1, 1).value(12, "out", -1, 1);
    assertTrue(refusal(oneClass.model(13)).contains("at least 2"));
  }

  @Test
  void weightsInOtherFilesAreRefusedWhereverTheyLie() throws IOException {
    Files.write(folder.resolve("weights.bin"), new byte[16]);
    for (String place : new String[] {"weights.bin", "../weights.bin", "/etc/hostname"}) {
      TinyModel model = new TinyModel().node("Add", "sum", new String[] {"in", "w"})
          .node("Reshape", "out", new String[] {"sum", "four"}).integers("four", -1, 4)
          .external("w", place, 1, 2, 2).value(11, "in", -1, 1, 2, 2).value(12, "out", -1, 4);
      assertTrue(refusal(model.model(13)).contains("tensor 'w' in another file"));
    }
  }

  @Test
  void mutatedFilesAreReadOrRefused() throws IOException {
    byte[] good = copies(-1, 1, 2, 2).model(13);
    int times = 60 * Integer.getInteger("depth", 1);
    long seed = 20261121;
    Random random = new Random(seed);
    for (int i = 0; i < times; i++) {
      byte[] bad = Arrays.copyOf(good, random.nextInt(4) == 0 ? random.nextInt(good.length) : good.length);
      for (int flips = random.nextInt(3); flips >= 0 && bad.length > 0; flips--) {
        bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
      }
      try {
        open(bad, OnnxOptions.DEFAULT).close();
      } catch (DiffcertException e) {
        assertFalse(e.getMessage().contains("\n"), "seed " + seed + ": " + e.getMessage());
      }
    }
  }

  @Test
  void theDigitClassifierIsRight() {
    try (OnnxClassifier c = OnnxClassifier.open(MODELS.resolve("mnist-cnn.onnx"), OnnxOptions.DEFAULT);
        ImageData images = ImageSource.open("mnist:" + ROOT.resolve("data/mnist"))) {
      int[][] rows = new int[200][];
      for (int i = 0; i < rows.length; i++) {
        ByteImage image = images.image(i);
        rows[i] = new int[c.shape().elements()];
        for (int e = 0; e < rows[i].length; e++) {
          rows[i][e] = image.get(e);
        }
      }
      int[] classes = classify(c, rows);
      int right = 0;
      for (int i = 0; i < rows.length; i++) {
        right += classes[i] == images.label(i) ? 1 : 0;
      }
      assertTrue(right >= 190, right + " of 200");
    }
  }

  @Test
  void publishedModelsOpenOrAreRefused() throws IOException {
    try (OnnxClassifier c = OnnxClassifier.open(MODELS.resolve("cifar10-resnet20.onnx"), OnnxOptions.DEFAULT)) {
      assertEquals(10, c.classes());
      assertEquals(new ImageShape(3, 32, 32), c.shape());
    }
    for (String name : new String[] {"cifar10_resnet__onnx__resnet_2b", "verivital__Convnet_avgpool",
        "marabou-cifar10__nets__cifar10_small"}) {
      try {
        OnnxClassifier.open(MODELS.resolve(name + ".onnx"), OnnxOptions.DEFAULT).close();
      } catch (DiffcertException e) {
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
      }
    }
  }
}
