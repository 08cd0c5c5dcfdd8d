package org.diffcert.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.diffusion.ClassifierOptions;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DeviceBuffer;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.DiffusionClassifier;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.NativeLibrary;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageData;
import org.diffcert.image.ImageShape;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;
import org.diffcert.noise.Sigma;
import org.diffcert.run.CertifyRun;
import org.diffcert.run.ImageRange;
import org.diffcert.run.Origin;
import org.diffcert.run.RunListener;
import org.diffcert.schedule.ClassifierKind;
import org.diffcert.schedule.GridKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * GPUs as Java sees them, with the emulator of kernels in their place: buffers that stay on the device, several
 * devices, what is not there.
 */
class DevicesTest {
  private static final int VALUES = 8 * 8;

  private static DiffusionModel open(String device) {
    return open(DeviceOptions.on(new Device(device)).withMaxBatch(DeviceOptions.DEVICES_CHOICE));
  }

  private static DiffusionModel open(DeviceOptions options) {
    Model model = Model.random(NetworkConfig.parse("EDMPrecond",
        "{\"model_type\":\"SongUNet\",\"img_resolution\":8,\"img_channels\":1,"
        + "\"label_dim\":2,\"model_channels\":16,\"channel_mult\":[1],\"num_blocks\":1,\"attn_resolutions\":[]}"), 7);
    return DiffusionModel.open(model, options);
  }

  private static float[] images(int n) {
    Random random = new Random(5);
    float[] x = new float[n * VALUES];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  @Test
  void imagesStayOnTheDevice() {
    float[] x = images(3);
    double[] sigma = {0.3, 1, 4};
    int[] labels = {1, -1, 0};
    for (String name : List.of("cpu", "emulator:1")) {
      Device device = new Device(name);
      float[] found = new float[x.length];
      DeviceBuffer closed;
      try (DiffusionModel model = open(name); DeviceBuffer in = DeviceBuffer.allocate(device, x.length);
          DeviceBuffer out = DeviceBuffer.allocate(device, x.length)) {
        in.write(0, x);
        model.denoise(in, sigma, labels, out);
        out.read(0, found);
        assertArrayEquals(model.denoise(x, sigma, labels), found);

        // As the presets hand it over: a pointer that knows an address and nothing else; it begins a row later.
        FloatPointer pointer = new FloatPointer(new Pointer() {
          {
            address = in.address();
          }
        }).position(VALUES);
        DeviceBuffer view = CudaBuffers.of(pointer, 2L * VALUES, device);
        model.denoise(view, new double[] {1, 4}, new int[] {-1, 0}, view);
        float[] all = new float[x.length];
        in.read(0, all);
        System.arraycopy(x, 0, found, 0, VALUES);
        assertArrayEquals(found, all);
        view.close();
        in.read(0, all);

        fails("2^40", () -> DeviceBuffer.allocate(device, 0));
        fails("not in the buffer", () -> in.read(1, found));
        fails("view", () -> view.read(0, found));
        fails("does not hold 3 images", () -> model.denoise(view, sigma, labels, out));
        fails("images are on reference", () -> model.denoise(DeviceBuffer.at(Device.REFERENCE, 4096, 1000), sigma,
            labels, out));
        fails("label", () -> model.denoise(in, sigma, new int[] {2, 0, 0}, out));
        fails("noise level", () -> model.denoise(in, new double[] {0, 1, 1}, labels, out));
        closed = in;
      }
      closed.close();
      assertThrows(IllegalStateException.class, closed::address);
      assertThrows(IllegalStateException.class, () -> closed.read(0, found));
    }
    fails("multiple of 4", () -> DeviceBuffer.at(Device.CPU, 4098, 1));
    fails("null", () -> CudaBuffers.of(null, 1, Device.CPU));
  }

  /** The first device has two names, and images on it one place. */
  @Test
  void theFirstDeviceIsTheSameByEitherName() {
    float[] x = images(1);
    float[] found = new float[x.length];
    try (DiffusionModel model = open("emulator"); DeviceBuffer buffer = DeviceBuffer.allocate(new Device("emulator:0"),
        x.length)) {
      buffer.write(0, x);
      model.denoise(buffer, new double[] {1}, null, buffer);
      buffer.read(0, found);
      assertArrayEquals(model.denoise(x, new double[] {1}, null), found);
    }
  }

  /** A form with bits of its own is part of what a run's header keeps; one that has none is not. */
  @Test
  void theIdentityNamesTheForm() {
    float[] x = images(1);
    DeviceOptions whole = DeviceOptions.on(new Device("emulator"));
    DeviceOptions half = whole.withInstructionSet(DeviceOptions.BF16);
    assertEquals("emulator", whole.identity());
    assertEquals("emulator", whole.withInstructionSet("fp32").identity());
    assertEquals("emulator-bf16", half.identity());
    assertEquals("cpu", DeviceOptions.on(Device.CPU).withInstructionSet("portable").identity());
    try (DiffusionModel one = open(whole); DiffusionModel other = open(half)) {
      assertFalse(Arrays.equals(one.denoise(x, new double[] {1}, null), other.denoise(x, new double[] {1}, null)),
          "the bits are others");
    }
    assertEquals("emulator", Device.ofIdentity(half.identity()));
    assertEquals(DeviceOptions.BF16, DeviceOptions.formOfIdentity(half.identity()));
  }

  /** A wrong address is refused before a kernel reads it. */
  @Test
  void anAddressOfAnotherMemoryIsRefused() {
    Device device = new Device("emulator");
    try (DiffusionModel model = open("emulator"); DeviceBuffer out = DeviceBuffer.allocate(device, VALUES);
        DeviceBuffer host = DeviceBuffer.allocate(Device.CPU, VALUES)) {
      DeviceBuffer wrong = DeviceBuffer.at(device, host.address(), VALUES);
      fails("the address is not in its memory", () -> model.denoise(wrong, new double[] {1}, null, out));
    }
  }

  private static void fails(String part, Runnable body) {
    DiffcertException e = assertThrows(DiffcertException.class, body::run);
    assertEquals(Kind.USAGE, e.kind());
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  /** Two images of noise, of two classes. */
  private record Pictures() implements ImageData {
    @Override
    public String name() {
      return "pictures";
    }

    @Override
    public String digest() {
      return "0".repeat(64);
    }

    @Override
    public ImageShape shape() {
      return new ImageShape(1, 8, 8);
    }

    @Override
    public int size() {
      return 2;
    }

    @Override
    public List<String> classNames() {
      return List.of("zero", "one");
    }

    @Override
    public int label(int index) {
      return index;
    }

    @Override
    public ByteImage image(int index) {
      byte[] pixels = new byte[VALUES];
      new Random(index).nextBytes(pixels);
      return new ByteImage(shape(), pixels);
    }

    @Override
    public void close() {}
  }

  private static String log(String device, Path directory) throws Exception {
    ClassifierOptions options = ClassifierOptions.of(ClassifierKind.DC, new Sigma(0.5)).withLevels(3,
        GridKind.LOG).withSeed(11);
    try (DiffusionModel model = open(device); DiffusionClassifier votes = DiffusionClassifier.open(model, null,
        options);
        Pictures pictures = new Pictures()) {
      Origin origin = Origin.here("small", "", model.options().device().describe(), "", "");
      new CertifyRun(votes, pictures, new ImageRange(0, 2, 1), CertifyConfig.of(2, 12, 0.01), "0.1.0",
          NativeLibrary.buildDigest(),
          model.options().identity(), origin).run(directory, new RunListener() {}, () -> false);
    }
    return Files.readString(directory.resolve("run.jsonl")).replaceAll("\"time\":\\{[^}]*\\}", "");
  }

  /** Samples are split over devices; histograms, log and checksum are those of one device. */
  @Test
  void severalDevicesWriteTheLogOfOne(@TempDir Path directory) throws Exception {
    String one = log("emulator", directory.resolve("one"));
    assertEquals(one, log("emulator:0,emulator:3", directory.resolve("two")));
    assertTrue(one.contains("\"device\":\"emulator\""), one);
  }

  @Test
  void whatIsNotThereIsSaidInOneSentence() {
    DiffcertException e = assertThrows(DiffcertException.class, () -> new Device("emulator:0,emulator:9").describe());
    assertEquals(Kind.DEVICE, e.kind());
    assertTrue(e.getMessage().endsWith("'emulator:9' is not there: the machine has 4 devices."), e.getMessage());
    if (!Files.exists(Path.of("/proc/driver/nvidia/version"))) {
      e = assertThrows(DiffcertException.class, () -> new Device("cuda").describe());
      assertEquals(Kind.DEVICE, e.kind());
      assertTrue(e.getMessage().startsWith("The device 'cuda' is not there: no CUDA driver (libcuda.so.1: "),
          e.getMessage());
      assertTrue(e.getMessage().endsWith("; install NVIDIA's driver of version 580 or later, or use the device cpu."),
          e.getMessage());
      // The example compiles; without the presets' natives and a GPU it gets as far as their absence.
      try (DiffusionModel model = open("cpu")) {
        assertThrows(LinkageError.class, () -> PresetsExample.denoise(model, images(1), new double[] {1}));
      }
    }
  }

  /**
   * The kernels are found where the build put them, without DIFFCERT_DEVICE_PATH; where there is no nvcc, their absence
   * is.
   */
  @Test
  void kernelsAreFoundOnTheClassPath() {
    Path built = Path.of("target/classes/org/diffcert/cuda/linux-x86_64");
    assertEquals(Files.exists(built.resolve("libdiffcert-cuda.so")), NativeLibrary.kernels().isPresent());
    assertEquals(NativeLibrary.kernels().isEmpty(), Files.exists(built.resolve("no-kernels.txt")));
  }
}
