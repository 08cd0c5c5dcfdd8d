package org.diffcert.onnx;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.image.ImageShape;

/**
 * Reads the graph of an ONNX file into layers that can be differentiated, with the extents of every value; an operator
 * or a setting that there is no layer for is refused by name. The file has been loaded by ONNX Runtime before, so its
 * graph is sound. Field numbers are those of onnx.proto. Not for several threads.
 */
final class LayerReader {
  /** A layer, the values that it reads and the one that it gives, by number. */
  record Step(Layer layer, int[] reads, int gives) {}

  private final String name;
  private final Map<String, ProtoMessage> constants = new HashMap<>();
  private final Map<String, Integer> numbers = new HashMap<>();
  private final List<int[]> extents = new ArrayList<>();
  private final List<Step> steps = new ArrayList<>();

  LayerReader(OnnxFile file, ImageShape input) {
    this.name = file.name();
    ProtoMessage graph = new ProtoMessage(ByteBuffer.wrap(file.bytes())).messages(7).get(0);
    graph.messages(5).forEach(tensor -> constants.put(tensor.text(8), tensor));
    String image = graph.messages(11).stream().map(value -> value.text(1)).filter(n -> !constants.containsKey(n))
        .findFirst().orElseThrow(() -> refused("it has no input"));
    value(image, input.channels(), input.height(), input.width());
    graph.messages(1).forEach(this::node);
    String output = graph.messages(12).get(0).text(1);
    if (steps.isEmpty() || !numbers.containsKey(output) || numbers.get(output) != extents.size() - 1) {
      throw refused("its output is not what its last operator gives");
    }
  }

  List<Step> steps() {
    return List.copyOf(steps);
  }

  /** How many values there are: the image is number 0, the logits are the last. */
  int values() {
    return extents.size();
  }

  /** How many numbers a value has. */
  int size(int value) {
    return Arrays.stream(extents.get(value)).reduce(1, Math::multiplyExact);
  }

  private int value(String of, int... extent) {
    numbers.put(of, extents.size());
    extents.add(extent);
    return extents.size() - 1;
  }

  private void node(ProtoMessage node) {
    String op = node.text(4);
    List<String> reads = node.texts(1);
    String gives = node.texts(2).get(0);
    Map<String, ProtoMessage> settings = new HashMap<>();
    node.messages(5).forEach(attribute -> settings.put(attribute.text(1), attribute));
    int[] in = extent(reads.get(0), op);
    switch (op) {
      case "Conv" -> conv(reads, gives, settings, in);
      case "Relu" -> add(new Layer.Relu(), reads.subList(0, 1), gives, in);
      case "MaxPool", "AveragePool" -> pool(op, reads, gives, settings, in);
      case "GlobalAveragePool" -> {
        require(in.length == 3, op + " of a value of rank " + (in.length + 1));
        add(new Layer.Pool(false, in[0], in[1], in[2], in[1], in[2], 1, 1), reads, gives, in[0], 1, 1);
      }
      case "Flatten", "Reshape" -> {
        require(op.equals("Reshape") || number(settings, "axis", 1) == 1, "Flatten at another axis than 1");
        add(new Layer.Sum(), reads.subList(0, 1), gives, Arrays.stream(in).reduce(1, Math::multiplyExact));
      }
      case "Identity", "Dropout" -> add(new Layer.Sum(), reads.subList(0, 1), gives, in);
      case "Add" -> {
        require(reads.stream().allMatch(numbers::containsKey) && Arrays.equals(in, extent(reads.get(1), op)),
            "Add of something else than two values of one shape");
        add(new Layer.Sum(), reads, gives, in);
      }
      case "Gemm" -> gemm(reads, gives, settings, in);
      default -> throw refused("the operator " + op.replaceAll("[^\\x20-\\x7e]", "?")
          + " has no gradient here");
    }
  }

  private void add(Layer layer, List<String> reads, String gives, int... extent) {
    int[] from = reads.stream().mapToInt(numbers::get).toArray();
    steps.add(new Step(layer, from, value(gives, extent)));
  }

  private void conv(List<String> reads, String gives, Map<String, ProtoMessage> settings, int[] in) {
    ProtoMessage weight = constant(reads.get(1), "Conv");
    long[] shape = weight.numbers(1);
    long[] strides = numbers(settings, "strides", 1, 1);
    long[] pads = numbers(settings, "pads", 0, 0, 0, 0);
    require(number(settings, "group", 1) == 1 && strides.length == 2 && strides[0] == strides[1]
        && Arrays.stream(numbers(settings, "dilations", 1, 1)).allMatch(d -> d == 1) && explicit(settings),
        "Conv with groups, dilations, unequal strides or automatic padding");
    require(in.length == 3 && shape.length == 4 && shape[1] == in[0], "Conv of other than two dimensions");
    int outHeight = (int) ((in[1] + pads[0] + pads[2] - shape[2]) / strides[0] + 1);
    int outWidth = (int) ((in[2] + pads[1] + pads[3] - shape[3]) / strides[1] + 1);
    add(new Layer.Conv(weight.floats(9, 4), reads.size() > 2 ? constant(reads.get(2), "Conv").floats(9, 4) : null,
        in[0], in[1], in[2], (int) shape[0], outHeight, outWidth, (int) shape[2], (int) shape[3], (int) strides[0],
        (int) pads[0], (int) pads[1]), reads.subList(0, 1), gives, (int) shape[0], outHeight, outWidth);
  }

  private void pool(String op, List<String> reads, String gives, Map<String, ProtoMessage> settings, int[] in) {
    long[] kernel = numbers(settings, "kernel_shape");
    long[] strides = numbers(settings, "strides", 1, 1);
    require(in.length == 3 && kernel.length == 2, op + " of other than two dimensions");
    require(Arrays.stream(numbers(settings, "pads", 0, 0, 0, 0)).allMatch(p -> p == 0)
        && number(settings, "ceil_mode", 0) == 0 && explicit(settings)
        && Arrays.stream(numbers(settings, "dilations", 1, 1)).allMatch(d -> d == 1),
        op + " with padding, dilations or a rounded-up size");
    Layer.Pool pool = new Layer.Pool(op.equals("MaxPool"), in[0], in[1], in[2], (int) kernel[0], (int) kernel[1],
        (int) strides[0], (int) strides[1]);
    add(pool, reads, gives, in[0], pool.outHeight(), pool.outWidth());
  }

  private void gemm(List<String> reads, String gives, Map<String, ProtoMessage> settings, int[] in) {
    ProtoMessage weight = constant(reads.get(1), "Gemm");
    long[] shape = weight.numbers(1);
    boolean transposed = number(settings, "transB", 0) == 1;
    require(number(settings, "transA", 0) == 0 && in.length == 1 && shape.length == 2
        && shape[transposed ? 1 : 0] == in[0], "Gemm of other than rows with a matrix");
    int outs = (int) shape[transposed ? 0 : 1];
    float[] values = weight.floats(9, 4);
    float[] rows = transposed ? values : new float[values.length];
    for (int i = 0; !transposed && i < values.length; i++) {
      rows[i % outs * in[0] + i / outs] = values[i];
    }
    float[] bias = reads.size() > 2 ? constant(reads.get(2), "Gemm").floats(9, 4) : null;
    require(bias == null || bias.length == outs, "Gemm with another bias than one value an output");
    add(new Layer.Gemm(rows, bias, in[0], outs, real(settings, "alpha"), real(settings, "beta")), reads.subList(0, 1),
        gives, outs);
  }

  private int[] extent(String of, String op) {
    Integer number = numbers.get(of);
    if (number == null) {
      throw refused("the operator " + op + " reads a constant where an image's values are expected");
    }
    return extents.get(number);
  }

  private ProtoMessage constant(String of, String op) {
    ProtoMessage found = constants.get(of);
    if (found == null || found.number(2, 0) != 1) {
      throw refused(op + " has weights that are no float32 constants");
    }
    return found;
  }

  private static boolean explicit(Map<String, ProtoMessage> settings) {
    String padding = settings.containsKey("auto_pad") ? settings.get("auto_pad").text(4) : "NOTSET";
    return padding.equals("NOTSET");
  }

  private static long number(Map<String, ProtoMessage> settings, String key, long otherwise) {
    return settings.containsKey(key) ? settings.get(key).number(3, otherwise) : otherwise;
  }

  private static double real(Map<String, ProtoMessage> settings, String key) {
    return settings.containsKey(key) ? settings.get(key).real(2, 1) : 1;
  }

  private static long[] numbers(Map<String, ProtoMessage> settings, String key, long... otherwise) {
    return settings.containsKey(key) ? settings.get(key).numbers(8) : otherwise;
  }

  private void require(boolean ok, String what) {
    if (!ok) {
      throw refused(what + " has no gradient here");
    }
  }

  private DiffcertException refused(String why) {
    return DiffcertException.badInput("the model " + name + " cannot be differentiated: " + why);
  }
}
