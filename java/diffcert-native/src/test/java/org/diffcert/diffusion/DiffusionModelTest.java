package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.diffusion.jni.DiffcertAbi;
import org.diffcert.noise.Sigma;
import org.diffcert.schedule.ClassifierKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A model through the binding: rows, devices, bad arguments, and the life of its handle. */
@Timeout(120)
class DiffusionModelTest {
  @ParameterizedTest
  @ValueSource(strings = {"cpu", "reference"})
  void aRowIsTheSameInEveryBatch(String device) {
    float[] x = SmallModel.images(5, 1);
    double[] sigma = {0.3, 0.5, 1.7, 20, 0.02};
    int[] labels = {0, 2, -1, 1, 2};
    try (DiffusionModel model = SmallModel.open(new Device(device))) {
      float[] all = model.denoise(x, sigma, labels);
      for (int i = 0; i < 5; i++) {
        float[] one = model.denoise(Arrays.copyOfRange(x, i * SmallModel.VALUES, (i + 1) * SmallModel.VALUES),
            new double[] {sigma[i]}, new int[] {labels[i]});
        assertArrayEquals(Arrays.copyOfRange(all, i * SmallModel.VALUES, (i + 1) * SmallModel.VALUES), one, "row " + i);
      }
    }
  }

  @Test
  void threadsAndInstructionSetsDoNotChangeABit() {
    float[] x = SmallModel.images(4, 8);
    double[] sigma = {0.3, 0.5, 1.7, 20};
    int[] labels = {0, 2, -1, 1};
    DeviceOptions plain = DeviceOptions.on(Device.CPU).withThreads(1).withMaxBatch(4).withInstructionSet("portable");
    float[] expected = denoise(plain, x, sigma, labels);
    assertArrayEquals(expected, denoise(plain.withThreads(2), x, sigma, labels));
    assertArrayEquals(expected, denoise(plain.withMaxBatch(7), x, sigma, labels));
    assertArrayEquals(expected, denoise(plain.withInstructionSet(""), x, sigma, labels));
    for (String name : new String[] {"avx2", "avx512"}) {
      try {
        assertArrayEquals(expected, denoise(plain.withInstructionSet(name), x, sigma, labels), name);
      } catch (DiffcertException e) {
        assertEquals(Kind.DEVICE, e.kind(), e.getMessage());
      }
    }
  }

  private static float[] denoise(DeviceOptions options, float[] x, double[] sigma, int[] labels) {
    try (DiffusionModel model = DiffusionModel.open(SmallModel.make(), options)) {
      return model.denoise(x, sigma, labels);
    }
  }

  @Test
  void theCpuAgreesWithTheReference() {
    float[] x = SmallModel.images(3, 2);
    double[] sigma = {0.25, 1, 4};
    try (DiffusionModel cpu = SmallModel.open(Device.CPU); DiffusionModel reference =
        SmallModel.open(Device.REFERENCE)) {
      assertTrue(distance(cpu.denoise(x, sigma, null), reference.denoise(x, sigma, null)) < 1e-5);
      assertTrue(distance(cpu.denoise(x, sigma, new int[] {0, 1, 2}), reference.denoise(x, sigma, null)) > 1e-5,
          "labels have no influence");
      float[] noise = {-0.3f, 0, 0.4f};
      assertTrue(distance(cpu.network(x, noise, null), reference.network(x, noise, null)) < 1e-5);
      assertTrue(cpu.memory().weightBytes() > 0 && cpu.memory().arenaBytes() > 0);
      assertEquals(cpu.digest(), reference.digest());
    }
  }

  @Test
  void theDeviceChoosesABatch() {
    try (DiffusionModel model =
        DiffusionModel.open(SmallModel.make(),
        DeviceOptions.on(Device.CPU).withMaxBatch(DeviceOptions.DEVICES_CHOICE))) {
      assertEquals(80, model.maxBatch());
    }
  }

  @Test
  void gradientsFollowDifferencesAndAddUp() {
    float[] x = SmallModel.images(3, 21);
    float[] cotangent = SmallModel.images(3, 22);
    double[] sigma = {0.3, 1, 5};
    int[] labels = {0, -1, 2};
    DeviceOptions options = DeviceOptions.on(Device.CPU).withMaxBatch(3).withGradients(Gradients.WEIGHTS);
    String tensor = "model.dec.4x4_block0.conv0.weight";
    try (DiffusionModel model = DiffusionModel.open(SmallModel.make(), options);
        DiffusionModel sparing = DiffusionModel.open(SmallModel.make(), options.withRowBytes(1));
        DiffusionModel plain = SmallModel.open(Device.REFERENCE)) {
      DiffusionModel.Pullback back = model.vectorJacobian(x, sigma, labels, cotangent);
      assertTrue(distance(back.denoised(), plain.denoise(x, sigma, labels)) < 1e-5);
      float[] direction = SmallModel.images(3, 23);
      float step = 1e-2f;
      double slope = (product(plain.denoise(moved(x, direction, step), sigma, labels), cotangent)
          - product(plain.denoise(moved(x, direction, -step), sigma, labels), cotangent)) / (2 * step);
      assertEquals(slope, product(back.gradient(), direction), 2e-3 * Math.abs(slope) + 2e-3);

      assertTrue(sparing.memory().arenaBytes() < model.memory().arenaBytes());
      double[] sum = model.gradient(tensor);
      assertTrue(Arrays.stream(sum).anyMatch(v -> v != 0));
      for (int i = 0; i < 3; i++) {
        DiffusionModel.Pullback one = sparing.vectorJacobian(row(x, i), new double[] {sigma[i]}, new int[] {labels[i]},
            row(cotangent, i));
        assertArrayEquals(row(back.gradient(), i), one.gradient());
      }
      assertArrayEquals(sum, sparing.gradient(tensor));
      sparing.clearGradients();
      assertArrayEquals(new double[sum.length], sparing.gradient(tensor));

      fails(Kind.BAD_INPUT, "no tensor", () -> model.gradient("nothing"));
      fails(Kind.USAGE, "cotangent", () -> model.vectorJacobian(x, sigma, labels, new float[3]));
      fails(Kind.USAGE, "finite and positive", () -> model.vectorJacobian(x, new double[] {1, 0, 1}, labels,
          cotangent));
      fails(Kind.USAGE, "not made for gradients", () -> plain.vectorJacobian(x, sigma, labels, cotangent));
      fails(Kind.USAGE, "not made for gradients", () -> plain.gradient(tensor));
      fails(Kind.USAGE, "not made for gradients", plain::clearGradients);
    }
    fails(Kind.USAGE, "working memory", () -> options.withRowBytes(-1));
  }

  @Test
  void theLossOfAClassHasItsGradient() {
    int levels = 5;
    double[] x = doubles(SmallModel.images(1, 31));
    double[] noise = doubles(SmallModel.images(levels, 32));
    double[] direction = doubles(SmallModel.images(1, 33));
    double[] upper = {0.1, 0.4, 0.9, 1.5, 3};
    double[] weights = {1, 0.5, 0.25, 2, 0.1};
    DeviceOptions options = DeviceOptions.on(Device.REFERENCE).withMaxBatch(2).withGradients(Gradients.IMAGE);
    try (DiffusionModel model = DiffusionModel.open(SmallModel.make(),
        options); DiffusionModel plain = SmallModel.open(Device.REFERENCE)) {
      for (boolean clamp : new boolean[] {false, true}) {
        Elbo.Gradient back = Elbo.gradient(model, clamp, x, upper, weights, noise, 2, -1, 0);
        double[][] residuals = Elbo.residuals(plain, null, ClassifierKind.DC, clamp, new Sigma(0.5), x, upper, upper,
            noise);
        for (int i : new int[] {0, 2}) {
          double loss = 0;
          for (int l = 0; l < levels; l++) {
            loss += weights[l] * residuals[i == 0 ? 2 : 0][l];
          }
          assertEquals(loss, back.loss()[i], 1e-12 * loss);
        }
        double step = 1e-5;
        Elbo.Gradient up = Elbo.gradient(model, clamp, moved(x, direction, step), upper, weights, noise, 2, -1, 0);
        Elbo.Gradient down = Elbo.gradient(model, clamp, moved(x, direction, -step), upper, weights, noise, 2, -1, 0);
        for (int i = 0; i < 3; i++) {
          double slope = 0;
          for (int e = 0; e < x.length; e++) {
            slope += back.gradient()[i][e] * direction[e];
          }
          assertEquals((up.loss()[i] - down.loss()[i]) / (2 * step), slope, 1e-4 * Math.abs(slope) + 1e-6, "clamp "
              + clamp + ", label " + i);
        }
      }
      fails(Kind.USAGE, "not made for gradients", () -> Elbo.gradient(plain, true, x, upper, weights, noise, 0));
      fails(Kind.USAGE, "label", () -> Elbo.gradient(model, true, x, upper, weights, noise, 3));
      fails(Kind.USAGE, "weights", () -> Elbo.gradient(model, true, x, upper, new double[2], noise, 0));
    }
  }

  private static double[] doubles(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static double[] moved(double[] x, double[] direction, double step) {
    double[] moved = x.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += step * direction[i];
    }
    return moved;
  }

  private static float[] row(float[] values, int i) {
    return Arrays.copyOfRange(values, i * SmallModel.VALUES, (i + 1) * SmallModel.VALUES);
  }

  private static float[] moved(float[] x, float[] direction, float step) {
    float[] moved = x.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += step * direction[i];
    }
    return moved;
  }

  private static double product(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  @Test
  void whatDoesNotFitIsAUsageError() {
    try (DiffusionModel model = SmallModel.open(Device.CPU)) {
      float[] one = SmallModel.images(1, 3);
      double[] level = {1};
      fails(Kind.USAGE, "values", () -> model.denoise(new float[3], level, null));
      fails(Kind.USAGE, "batch of 0", () -> model.denoise(new float[0], new double[0], null));
      fails(Kind.USAGE, "batch of 9", () -> model.denoise(SmallModel.images(9, 3), new double[9], null));
      fails(Kind.USAGE, "finite and positive", () -> model.denoise(one, new double[] {0}, null));
      fails(Kind.USAGE, "finite and positive", () -> model.denoise(one, new double[] {Double.NaN}, null));
      fails(Kind.USAGE, "finite and positive", () -> model.denoise(one, new double[] {Double.POSITIVE_INFINITY}, null));
      fails(Kind.USAGE, "label", () -> model.denoise(one, level, new int[] {3}));
      fails(Kind.USAGE, "label", () -> model.denoise(one, level, new int[] {-2}));
      fails(Kind.USAGE, "labels", () -> model.denoise(one, level, new int[2]));
    }
    fails(Kind.USAGE, "threads", () -> DeviceOptions.on(Device.CPU).withThreads(-1));
    fails(Kind.USAGE, "batch", () -> DeviceOptions.on(Device.CPU).withMaxBatch(-1));
    fails(Kind.USAGE, "sse9", () -> DiffusionModel.open(SmallModel.make(),
        DeviceOptions.on(Device.CPU).withInstructionSet("sse9")));
    fails(Kind.DEVICE, "cuda", () -> SmallModel.open(new Device("cuda")));
  }

  @Test
  void anImageThatIsNotFiniteSpoilsNoOtherRow() {
    try (DiffusionModel model = SmallModel.open(Device.CPU)) {
      float[] images = SmallModel.images(3, 6);
      double[] levels = {1, 1, 1};
      float[] sound = model.denoise(images, levels, null);
      int size = images.length / 3;
      images[size + 2] = Float.NaN;
      images[size + 3] = Float.NEGATIVE_INFINITY;
      float[] spoilt = model.denoise(images, levels, null);
      assertEquals(-1, Arrays.mismatch(sound, 0, size, spoilt, 0, size));
      assertEquals(-1, Arrays.mismatch(sound, 2 * size, 3 * size, spoilt, 2 * size, 3 * size));
    }
  }

  @Test
  void theNativeSideRefusesBadWeightsToo() {
    float[] bad = new float[16];
    bad[5] = Float.NaN;
    try (DiffusionModel model = SmallModel.open(Device.CPU)) {
      int finished = model.call(p -> DiffcertAbi.dc_model_set_tensor(p, "model.map_layer0.bias", bad, bad.length));
      assertFalse(finished == NativeStatus.OK.code());
      int unknown = model.call(p -> DiffcertAbi.dc_model_set_tensor(p, "no.such.tensor", bad, bad.length));
      assertFalse(unknown == NativeStatus.OK.code());
      assertThrows(DiffcertException.class, () -> NativeLibrary.check(unknown, "dc_model_set_tensor"));
    }
  }

  @Test
  void closingTwiceIsFineAndUseAfterItIsNot() {
    DiffusionModel model = SmallModel.open(Device.CPU);
    model.close();
    model.close();
    assertTrue(model.isClosed());
    IllegalStateException e = assertThrows(IllegalStateException.class,
        () -> model.denoise(SmallModel.images(1, 4), new double[] {1}, null));
    assertNotNull(e.getCause());
    assertThrows(IllegalStateException.class, () -> model.network(SmallModel.images(1, 4), new float[1], null));
    assertThrows(IllegalStateException.class, model::memory);
    assertEquals(SmallModel.CLASSES, model.config().labelDim());
  }

  @Test
  void closingWhileCallsRunWaitsForThem() throws Exception {
    for (int round = 0; round < 10; round++) {
      DiffusionModel model = SmallModel.open(Device.CPU);
      CountDownLatch started = new CountDownLatch(2);
      AtomicInteger refused = new AtomicInteger();
      AtomicReference<Throwable> other = new AtomicReference<>();
      Thread[] callers = new Thread[2];
      for (int t = 0; t < callers.length; t++) {
        callers[t] = new Thread(() -> {
          float[] x = SmallModel.images(4, 5);
          try {
            while (true) {
              model.denoise(x, new double[] {1, 1, 1, 1}, null);
              started.countDown();
            }
          } catch (IllegalStateException e) {
            refused.incrementAndGet();
          } catch (Throwable e) {
            other.set(e);
          }
        });
        callers[t].start();
      }
      started.await(60, TimeUnit.SECONDS);
      model.close();
      for (Thread caller : callers) {
        caller.join();
      }
      assertEquals(null, other.get());
      assertEquals(2, refused.get());
    }
  }

  @Test
  void aHundredModelsOpenedAndDropped() throws Exception {
    AtomicInteger warnings = new AtomicInteger();
    Logger logger = Logger.getLogger(NativeHandle.class.getName());
    Handler listener = new Handler() {
      @Override
      public void publish(LogRecord entry) {
        warnings.incrementAndGet();
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
    logger.addHandler(listener);
    logger.setUseParentHandlers(false);
    try {
      for (int i = 0; i < 100; i++) {
        SmallModel.open(Device.CPU);
      }
      for (int i = 0; i < 1000 && warnings.get() < 100; i++) {
        System.gc();
        TimeUnit.MILLISECONDS.sleep(10);
      }
    } finally {
      logger.removeHandler(listener);
      logger.setUseParentHandlers(true);
    }
    assertEquals(100, warnings.get());
  }

  @Test
  void theJvmFindsNoFaultWithTheBinding() throws Exception {
    String path = String.join(":", "target/test-classes", System.getProperty("java.class.path", ""),
        System.getProperty("jdk.module.path", ""));
    Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xcheck:jni",
        "-cp", path, Scenario.class.getName()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), output);
    assertEquals("whole scenario\n", output, "-Xcheck:jni has something to say");
  }

  /** Every kind of call of the binding, good and bad, for a JVM of its own. */
  public static final class Scenario {
    private Scenario() {}

    /** @param args none */
    public static void main(String[] args) {
      for (String device : new String[] {"cpu", "reference"}) {
        try (DiffusionModel model = SmallModel.open(new Device(device))) {
          model.denoise(SmallModel.images(3, 6), new double[] {0.1, 1, 9}, new int[] {0, -1, 2});
          model.network(SmallModel.images(2, 6), new float[] {0, 1}, null);
          model.memory();
          model.call(p -> DiffcertAbi.dc_model_set_tensor(p, "no.such.tensor", new float[1], 1));
        }
        new Device(device).describe();
      }
      try {
        SmallModel.open(new Device("cuda:3"));
      } catch (DiffcertException e) {
        NativeLibrary.buildInfo();
      }
      System.out.println("whole scenario");
    }
  }

  private static double distance(float[] a, float[] b) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < a.length; i++) {
      difference += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
      norm += (double) b[i] * b[i];
    }
    assertTrue(norm > 0);
    return Math.sqrt(difference / norm);
  }

  private static void fails(Kind kind, String part, Executable body) {
    DiffcertException e = assertThrows(DiffcertException.class, body);
    assertEquals(kind, e.kind(), e.getMessage());
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }
}
