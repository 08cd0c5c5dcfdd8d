package org.diffcert.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.bench.OnnxGraph.Attribute;
import org.diffcert.file.Tensor;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;

/**
 * The DDPM++ network as an ONNX graph on ONNX Runtime's CPU kernels, built from a {@link Model} for one batch size, so
 * that every shape is known when the session optimises the graph. All optimisations are on; the threads spin while a
 * call runs and stop with it, so that they take nothing from whoever is measured next.
 */
final class OnnxNetwork implements Peer, AutoCloseable {
  private static final float EPS = 1e-6f;

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final NetworkConfig config;
  private final int batch;

  OnnxNetwork(Model model, int batch, int threads) {
    this.config = model.config();
    this.batch = batch;
    EmbeddingInputs.requireDdpmpp(config);
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      options.setIntraOpNumThreads(threads);
      options.addConfigEntry("session.force_spinning_stop", "1");
      session = environment.createSession(new Graph(model, batch).bytes(), options);
    } catch (OrtException e) {
      throw new DiffcertException(DiffcertException.Kind.INTERNAL, "ONNX Runtime refuses the graph: " + e.getMessage(),
          e);
    }
  }

  @Override
  public String name() {
    return "ONNX Runtime";
  }

  @Override
  public float[] network(float[] x, float[] noiseLabel, int[] labels) {
    int side = config.imgResolution();
    try (OnnxTensor image = tensor(x, batch, config.imgChannels(), side, side);
        OnnxTensor waves = tensor(EmbeddingInputs.waves(config, noiseLabel), batch, EmbeddingInputs.width(config));
        OnnxTensor hot = tensor(EmbeddingInputs.hot(config, labels), batch, config.labelDim());
        OrtSession.Result result = session.run(config.labelDim() > 0
            ? Map.of("image", image, "waves", waves, "hot", hot) : Map.of("image", image, "waves", waves))) {
      float[] values = new float[x.length];
      ((OnnxTensor) result.get(0)).getFloatBuffer().get(values);
      return values;
    } catch (OrtException e) {
      throw new DiffcertException(DiffcertException.Kind.INTERNAL, "ONNX Runtime failed: " + e.getMessage(), e);
    }
  }

  private OnnxTensor tensor(float[] values, long... shape) throws OrtException {
    return OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), shape);
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new DiffcertException(DiffcertException.Kind.INTERNAL, "ONNX Runtime does not close: " + e.getMessage(), e);
    }
  }

  /** The network written down; a value is a name, its channels and its side. */
  private static final class Graph {
    private record Value(String name, int channels, int side) {}

    private final OnnxGraph graph = new OnnxGraph();
    private final Model model;
    private final NetworkConfig config;
    private final int batch;
    private final String rootHalf;
    private String emb;

    Graph(Model model, int batch) {
      this.model = model;
      this.config = model.config();
      this.batch = batch;
      this.rootHalf = graph.scalar(Math.sqrt(0.5));
      // Augmentation labels are not given, so their map, bare of a bias, adds nothing.
      model.tensors().values().stream().filter(t -> !t.name().equals("model.map_augment.weight")).forEach(this::weight);
    }

    /* gamma and beta of a norm as [channels, 1, 1], everything else as it is. */
    private void weight(Tensor tensor) {
      boolean norm = tensor.shape().size() == 1 && tensor.name().contains("norm");
      graph.constant(tensor.name(), tensor.floats(), norm ? new long[] {tensor.count(), 1, 1}
          : tensor.shape().stream().mapToLong(Long::longValue).toArray());
    }

    byte[] bytes() {
      int side = config.imgResolution();
      int channels = config.imgChannels();
      Value image = new Value(graph.input("image", batch, channels, side, side), channels, side);
      emb = embedding(graph.input("waves", batch, EmbeddingInputs.width(config)));
      graph.output(unet(image).name(), batch, channels, side, side);
      return graph.model();
    }

    private String embedding(String waves) {
      String sum = config.labelDim() == 0 ? waves
          : op("Add", waves, linear("model.map_label", graph.input("hot", batch, config.labelDim())));
      return silu(linear("model.map_layer1", silu(linear("model.map_layer0", sum))));
    }

    private Value unet(Value image) {
      Deque<Value> skips = new ArrayDeque<>();
      Value x = image;
      int last = config.channelMult().size() - 1;
      for (int level = 0; level <= last; level++) {
        String at = "model.enc." + side(level);
        x = level == 0 ? conv(at + "conv", x) : block(at + "down", half(norm(at + "down.norm0", x)), half(x));
        skips.push(x);
        for (int i = 0; i < config.numBlocks(); i++) {
          x = block(at + "block" + i, x);
          skips.push(x);
        }
      }
      for (int level = last; level >= 0; level--) {
        String at = "model.dec." + side(level);
        x = level == last ? block(at + "in1", block(at + "in0", x))
            : block(at + "up", twice(norm(at + "up.norm0", x)), twice(x));
        for (int i = 0; i <= config.numBlocks(); i++) {
          Value skip = skips.pop();
          String both = graph.node("Concat", new String[] {x.name(), skip.name()}, Attribute.of("axis", 1));
          x = block(at + "block" + i, new Value(both, x.channels() + skip.channels(), x.side()));
        }
      }
      String out = "model.dec." + side(0) + "aux_";
      return conv(out + "conv", norm(out + "norm", x));
    }

    private String side(int level) {
      int side = config.imgResolution() >> level;
      return side + "x" + side + "_";
    }

    private Value half(Value x) {
      String out = graph.node("AveragePool", new String[] {x.name()},
          Attribute.of("kernel_shape", new long[] {2, 2}), Attribute.of("strides", new long[] {2, 2}));
      return new Value(out, x.channels(), x.side() / 2);
    }

    private Value twice(Value x) {
      String scales = graph.constant(x.name() + ".scales", new float[] {1, 1, 2, 2}, 4);
      return new Value(graph.node("Resize", new String[] {x.name(), "", scales}, Attribute.of("mode", "nearest"),
          Attribute.of("coordinate_transformation_mode", "asymmetric"), Attribute.of("nearest_mode", "floor")),
          x.channels(), 2 * x.side());
    }

    private Value block(String name, Value x) {
      return block(name, norm(name + ".norm0", x), x);
    }

    private Value block(String name, Value normed, Value x) {
      Value first = conv(name + ".conv0", normed);
      String shift = reshape(linear(name + ".affine", emb), batch, first.channels(), 1, 1);
      Value h = conv(name + ".conv1", norm(name + ".norm1", as(first, op("Add", first.name(), shift))));
      Value skip = model.tensors().containsKey(name + ".skip.weight") ? conv(name + ".skip", x) : x;
      h = scaledSum(h, skip);
      return model.tensors().containsKey(name + ".qkv.weight") ? attention(name, h) : h;
    }

    private Value scaledSum(Value one, Value two) {
      return as(one, op("Mul", op("Add", one.name(), two.name()), rootHalf));
    }

    private Value attention(String name, Value x) {
      int c = x.channels();
      int places = x.side() * x.side();
      String qkv = reshape(conv(name + ".qkv", groupNorm(name + ".norm2", x)).name(), batch, c, 3, places);
      String q = op("Mul", transposed(part(qkv, 0)), graph.scalar(1 / Math.sqrt(c)));
      String w = graph.node("Softmax", new String[] {op("MatMul", q, part(qkv, 1))}, Attribute.of("axis", 2));
      String a = op("MatMul", part(qkv, 2), transposed(w));
      return scaledSum(conv(name + ".proj", as(x, reshape(a, batch, c, x.side(), x.side()))), x);
    }

    private String transposed(String x) {
      return graph.node("Transpose", new String[] {x}, Attribute.of("perm", new long[] {0, 2, 1}));
    }

    /* q, k or v: channels are stored with the three interleaved. */
    private String part(String qkv, int which) {
      return op("Squeeze", op("Slice", qkv, graph.list(which), graph.list(which + 1), graph.list(2)), graph.list(2));
    }

    private Value norm(String name, Value x) {
      return as(x, silu(groupNorm(name, x).name()));
    }

    /* A group is an instance: the form that exporters write and ONNX Runtime has a kernel for. */
    private Value groupNorm(String name, Value x) {
      int groups = Math.min(32, x.channels() / 4);
      float[] ones = new float[groups];
      Arrays.fill(ones, 1);
      String flat = reshape(x.name(), batch, groups, (long) x.channels() / groups * x.side() * x.side());
      String scale = graph.constant(name + ".ones", ones, groups);
      String shift = graph.constant(name + ".zeros", new float[groups], groups);
      String normal = graph.node("InstanceNormalization", new String[] {flat, scale, shift},
          Attribute.of("epsilon", EPS));
      String shaped = reshape(normal, batch, x.channels(), x.side(), x.side());
      return as(x, op("Add", op("Mul", shaped, name + ".weight"), name + ".bias"));
    }

    private Value conv(String name, Value x) {
      List<Long> shape = model.tensor(name + ".weight").shape();
      long pad = shape.get(2) / 2;
      String out = graph.node("Conv", new String[] {x.name(), name + ".weight", name + ".bias"},
          Attribute.of("pads", new long[] {pad, pad, pad, pad}));
      return new Value(out, Math.toIntExact(shape.get(0)), x.side());
    }

    private String linear(String name, String x) {
      String bias = name + ".bias";
      String[] inputs = model.tensors().containsKey(bias) ? new String[] {x, name + ".weight", bias}
          : new String[] {x, name + ".weight"};
      return graph.node("Gemm", inputs, Attribute.of("transB", 1));
    }

    private String silu(String x) {
      return op("Mul", x, op("Sigmoid", x));
    }

    private String reshape(String x, long... shape) {
      return op("Reshape", x, graph.list(shape));
    }

    private String op(String op, String... inputs) {
      return graph.node(op, inputs);
    }

    private static Value as(Value x, String name) {
      return new Value(name, x.channels(), x.side());
    }
  }
}
