package org.diffcert.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;

/**
 * Whole forward passes of a DDPM++ network by this library, libtorch and ONNX Runtime on the same CPU, with the same
 * weights and inputs, in one process, run in turn; and the speed of the four convolutions that are 82% of the work,
 * ours and libtorch's.
 *
 * <p>Arguments: {@code [--batch 8] [--threads 2] [--rounds 9] [--model PRESET|FILE] [--conv-bench PROGRAM]}
 * {@code [--peers-only] [--float64]}. With --float64 the first image also goes through the float64 reference, which
 * takes its time, and every peer's error against it is told.
 */
public final class PeerBench {
  private static final double TOLERANCE = 1e-3;

  private PeerBench() {}

  private record Settings(int batch, int threads, int rounds, String model, boolean peersOnly,
      boolean float64, String convBench) {}

  private record Inputs(float[] x, float[] noise, int[] labels) {}

  /**
   * Measures and prints.
   *
   * @param args see the class
   */
  public static void main(String[] args) {
    Locale.setDefault(Locale.ROOT);
    try {
      run(settings(args));
    } catch (DiffcertException e) {
      System.err.println(e.getMessage());
      System.exit(e.kind().exitCode());
    }
  }

  private static Settings settings(String[] args) {
    int batch = 8;
    int threads = 2;
    int rounds = 9;
    String model = "cifar10-ddpmpp-cond";
    boolean peersOnly = false;
    boolean float64 = false;
    String convBench = "";
    for (int i = 0; i < args.length; i++) {
      String value = i + 1 < args.length ? args[i + 1] : "";
      switch (args[i]) {
        case "--batch" -> batch = whole(args[i++], value);
        case "--threads" -> threads = whole(args[i++], value);
        case "--rounds" -> rounds = whole(args[i++], value);
        case "--model" -> {
          model = value;
          i++;
        }
        case "--conv-bench" -> {
          convBench = value;
          i++;
        }
        case "--peers-only" -> peersOnly = true;
        case "--float64" -> float64 = true;
        default -> throw DiffcertException.usage("the option " + args[i]
            + " is unknown; known are --batch, --threads, --rounds, --model, --conv-bench, --peers-only and --float64");
      }
    }
    return new Settings(batch, threads, rounds, model, peersOnly, float64, convBench);
  }

  private static int whole(String option, String value) {
    if (!value.matches("[1-9][0-9]{0,3}")) {
      throw DiffcertException.usage(option + " takes a whole number from 1 to 9999, not \"" + value + "\"");
    }
    return Integer.parseInt(value);
  }

  private static void run(Settings settings) {
    torch.set_num_threads(settings.threads());
    try (Model model = settings.model().contains(".") ? Model.open(Path.of(settings.model()))
        : Model.random(NetworkConfig.preset(settings.model()), 1)) {
      System.out.printf("%s, %,d parameters, batch %d, %d threads, float32, %d rounds in turn%n", settings.model(),
          model.parameterCount(), settings.batch(), settings.threads(), settings.rounds());
      System.out.printf("libtorch %s oneDNN%n%n", torch.hasMKLDNN() ? "with" : "without");
      forwards(model, settings);
    }
    System.out.println();
    convolutions(settings);
  }

  private static void forwards(Model model, Settings settings) {
    Inputs inputs = inputs(model.config(), settings.batch());
    List<Peer> peers = new ArrayList<>();
    float[] exact = settings.float64() ? reference(model, inputs) : null;
    DiffusionModel ours = null;
    if (!settings.peersOnly()) {
      ours = DiffusionModel.open(model, DeviceOptions.on(Device.of("cpu")).withThreads(settings.threads())
          .withMaxBatch(settings.batch()));
      peers.add(peer(ours));
    }
    peers.add(new TorchNetwork(model, false));
    peers.add(new TorchNetwork(model, true));
    try (OnnxNetwork onnx = new OnnxNetwork(model, settings.batch(), settings.threads())) {
      peers.add(onnx);
      table(peers, inputs, settings, exact);
    } finally {
      if (ours != null) {
        ours.close();
      }
    }
  }

  /* The first image alone, in float64. */
  private static float[] reference(Model model, Inputs in) {
    long start = System.nanoTime();
    try (DiffusionModel oracle = DiffusionModel.open(model, DeviceOptions.on(Device.REFERENCE).withMaxBatch(1))) {
      float[] output = oracle.network(Arrays.copyOf(in.x(), in.x().length / in.noise().length),
          Arrays.copyOf(in.noise(), 1), Arrays.copyOf(in.labels(), 1));
      System.out.printf("The float64 reference took %.1f s for one image.%n%n", (System.nanoTime() - start) / 1e9);
      return output;
    }
  }

  private static Peer peer(DiffusionModel ours) {
    return new Peer() {
      @Override
      public String name() {
        return "diffcert";
      }

      @Override
      public float[] network(float[] x, float[] noiseLabel, int[] labels) {
        return ours.network(x, noiseLabel, labels);
      }
    };
  }

  private static void table(List<Peer> peers, Inputs in, Settings settings, float[] exact) {
    float[] first = peers.get(0).network(in.x(), in.noise(), in.labels());
    List<Runnable> tasks = new ArrayList<>();
    for (Peer peer : peers) {
      tasks.add(() -> peer.network(in.x(), in.noise(), in.labels()));
    }
    List<Timing> timings = Timing.interleaved(tasks, 2, settings.rounds());
    double best = Double.POSITIVE_INFINITY;
    for (int p = settings.peersOnly() ? 0 : 1; p < peers.size(); p++) {
      best = Math.min(best, Timing.median(timings.get(p).wallMs()));
    }
    System.out.printf("%-26s %10s %10s %14s %14s %12s %12s%n", "forward", "median ms", "least ms", "processor ms",
        "of best peer", "difference", "float64");
    for (int p = 0; p < peers.size(); p++) {
      String name = peers.get(p).name();
      float[] output = peers.get(p).network(in.x(), in.noise(), in.labels());
      double difference = difference(first, output);
      if (!(difference <= TOLERANCE)) {
        throw new DiffcertException(DiffcertException.Kind.MISMATCH, name + " differs from " + peers.get(0).name()
            + " by " + difference + " of the largest output, where float32 rounding is under " + TOLERANCE);
      }
      double median = Timing.median(timings.get(p).wallMs());
      System.out.printf("%-26s %10.1f %10.1f %14.1f %14.3f %12.1e %12s%n", name, median,
          Timing.least(timings.get(p).wallMs()), Timing.median(timings.get(p).cpuMs()), median / best, difference,
          exact == null ? "-" : String.format("%.1e", difference(exact, output)));
    }
    System.out.println(Timing.warning());
  }

  /* Largest difference over the largest magnitude, of as many values as the first has. */
  private static double difference(float[] one, float[] two) {
    double largest = 0;
    double scale = 0;
    for (int i = 0; i < one.length; i++) {
      largest = Math.max(largest, Double.isFinite(two[i]) ? Math.abs(one[i] - two[i]) : Double.POSITIVE_INFINITY);
      scale = Math.max(scale, Math.abs(one[i]));
    }
    return largest / scale;
  }

  private static Inputs inputs(NetworkConfig config, int batch) {
    SplittableRandom random = new SplittableRandom(3);
    float[] x = values(random, batch * config.imgChannels() * config.imgResolution() * config.imgResolution());
    float[] noise = values(random, batch);
    int[] labels = new int[batch];
    for (int i = 0; i < batch; i++) {
      labels[i] = config.labelDim() == 0 ? -1 : i % config.labelDim();
    }
    return new Inputs(x, noise, labels);
  }

  private static float[] values(SplittableRandom random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (2 * random.nextDouble() - 1);
    }
    return values;
  }

  private static void convolutions(Settings settings) {
    System.out.printf("%-26s %14s %14s %14s %8s%n", "3x3 convolution, GFLOP/s", "diffcert", "libtorch", "channels last",
        "ratio");
    for (int[] shape : new int[][] {{256, 256, 32}, {256, 256, 16}, {512, 256, 32}, {512, 256, 16}}) {
      double flop = 2.0 * 9 * shape[0] * shape[1] * shape[2] * shape[2] * settings.batch();
      SplittableRandom random = new SplittableRandom(4);
      List<Runnable> tasks = new ArrayList<>();
      for (boolean last : new boolean[] {false, true}) {
        int side = shape[2];
        Tensor x = layout(values(random, settings.batch() * shape[0] * side * side), last, settings.batch(), shape[0],
            side, side);
        Tensor weight = layout(values(random, 9 * shape[0] * shape[1]), last, shape[1], shape[0], 3, 3);
        TensorOptional bias = new TensorOptional(Tensor.create(new float[shape[1]], shape[1]));
        tasks.add(() -> {
          try (InferenceMode mode = new InferenceMode(true); PointerScope scope = new PointerScope()) {
            TorchNetwork.conv(x, weight, bias);
          }
        });
      }
      OptionalDouble ours = NativeConvolution.rate(settings.convBench(), shape, settings.batch(), settings.threads(),
          3 * settings.rounds());
      List<Timing> timings = Timing.interleaved(tasks, 3, 3 * settings.rounds());
      double rows = flop / Timing.median(timings.get(0).wallMs()) / 1e6;
      double lasts = flop / Timing.median(timings.get(1).wallMs()) / 1e6;
      System.out.printf("%-26s %14s %14.1f %14.1f %8s%n", shape[0] + " to " + shape[1] + " at " + shape[2],
          ours.isEmpty() ? "not measured" : String.format("%.1f", ours.getAsDouble()), rows, lasts,
          ours.isEmpty() ? "" : String.format("%.2f", ours.getAsDouble() / Math.max(rows, lasts)));
    }
  }

  private static Tensor layout(float[] values, boolean channelsLast, long... shape) {
    Tensor tensor = Tensor.create(values, shape);
    return channelsLast ? tensor.contiguous(torch.MemoryFormat.ChannelsLast) : tensor;
  }
}
