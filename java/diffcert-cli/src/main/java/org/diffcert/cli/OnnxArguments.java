package org.diffcert.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.diffcert.DiffcertException;
import org.diffcert.certify.NoisyVotes;
import org.diffcert.image.ImageData;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.onnx.ClassMap;
import org.diffcert.onnx.Layout;
import org.diffcert.onnx.OnnxClassifier;
import org.diffcert.onnx.OnnxOptions;
import org.diffcert.onnx.Provider;
import org.diffcert.onnx.Resize;
import org.diffcert.run.Origin;
import picocli.CommandLine.Option;

/**
 * The options of {@code --classifier onnx}, and of one behind a denoiser: what the model in an ONNX file expects of its
 * input.
 */
final class OnnxArguments {
  /** The name of the classifier, in options and headers. */
  static final String NAME = "onnx";

  @Option(names = "--input-range", paramLabel = "LOW:HIGH",
      description = "ONNX models: what pixels of 0 and 255 mean to the model. Default: 0:1.")
  String range;

  @Option(names = "--mean", paramLabel = "M[,M..]",
      description = "ONNX models: then subtracted, one for all channels or one each. Default: 0.")
  String mean;

  @Option(names = "--std", paramLabel = "S[,S..]",
      description = "ONNX models: then divided by, one for all channels or one each. Default: 1.")
  String std;

  @Option(names = "--layout", paramLabel = "ORDER",
      description = "ONNX models: nchw or nhwc. Default: nchw.")
  String layout;

  @Option(names = "--onnx-batch", paramLabel = "N",
      description = "ONNX models: images in every call of the model; part of what the classifier is. Default: 64.")
  Integer batch;

  @Option(names = "--resize", paramLabel = "FILTER:HxW",
      description = "ONNX models: images are of H rows and W columns, and brought to the model's size by bilinear or "
          + "bicubic interpolation with antialias. Noise and radii are of the images' size.")
  String resize;

  @Option(names = "--class-map", paramLabel = "FILE|I,J,..",
      description = "ONNX models: which of the model's classes are the data's: a file with the names of the model's "
          + "classes, one a line in the order of its logits, of which the data's are taken; or for each class of the "
          + "data the model's number. Default: they are the same in the same order.")
  String classMap;

  @Option(names = "--onnx-device", paramLabel = "NAME",
      description = "ONNX models: cpu, or cuda[:N] in a build with onnxruntime_gpu (not yet run on a GPU). "
          + "Default: cpu.")
  String device;

  /** Options of a model where there is none are a mistake. */
  void refuseAny() {
    if (Stream.of(range, mean, std, layout, batch, resize, classMap, device).anyMatch(Objects::nonNull)) {
      throw DiffcertException.usage(
          "--input-range, --mean, --std, --layout, --onnx-batch, --onnx-device, --resize and --class-map belong to "
              + "--classifier onnx, denoised and densepure");
    }
  }

  /** What they ask for, but for the class map, which {@link #classes} reads. */
  OnnxOptions options() {
    OnnxOptions d = OnnxOptions.DEFAULT;
    double low = d.low();
    double high = d.high();
    if (range != null) {
      String[] ends = range.split(":", -1);
      if (ends.length != 2) {
        throw DiffcertException.usage("--input-range is '" + range + "', write LOW:HIGH, such as 0:1 or -1:1");
      }
      low = Arguments.number("--input-range", ends[0]);
      high = Arguments.number("--input-range", ends[1]);
    }
    return new OnnxOptions(layout == null ? d.layout() : Layout.of(layout), low, high, list("--mean", mean, d.mean()),
        list("--std", std, d.std()), batch == null ? d.batch() : batch, Optional.ofNullable(resize).map(Resize::of),
        d.classes(), device == null ? d.provider() : Provider.of(device));
  }

  /** The options with the class map, for data whose classes have these names. */
  OnnxOptions classes(OnnxOptions options, List<String> names) {
    if (classMap == null) {
      return options;
    }
    if (classMap.matches("[0-9]{1,6}(,[0-9]{1,6})*")) {
      return options.withClasses(new ClassMap(Stream.of(classMap.split(",")).map(Integer::valueOf).toList()));
    }
    try {
      return options.withClasses(ClassMap.byName(
          Files.readAllLines(Path.of(classMap)).stream().map(String::strip).toList(), names));
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, "the class map " + classMap + " cannot be read: "
          + DiffcertException.reason(e), e);
    }
  }

  /** The classifier's votes; no vote depends on the number of threads. */
  static ClassifierArguments.Opened open(Path file, OnnxOptions options, Scales scales, long seed, int threads,
      String seedText, Terminal terminal) {
    OnnxClassifier opened = OnnxClassifier.open(file, options);
    try {
      terminal.say("model    " + file.getFileName() + ", digest " + opened.digest().substring(0, 16) + ", "
          + opened.build());
      terminal.say("votes    onnx, " + opened.batch() + (opened.batch() == 1 ? " image" : " images") + " a call ("
          + (opened.isSizeInvariant() ? "the same bits in any batch tried"
              : "always: its bits may depend on that number") + "), " + seedText);
      Origin origin = Origin.here(String.valueOf(file.getFileName()), "",
          opened.build() + ", " + threads + " threads", "", opened.build());
      return new ClassifierArguments.Opened(
          scales.votes(sigmas -> new NoisyVotes(opened, NoiseLaw.GAUSSIAN, sigmas, seed, threads)), List.of(),
          options.provider().kind(), opened.build(), origin);
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  /** A model for other images or other classes is not one for this data. */
  static void refuseUnfit(ClassifierArguments.Opened opened, ImageData data) {
    if (!opened.classifier().shape().equals(data.shape())) {
      throw DiffcertException.badInput("the model takes images of " + opened.classifier().shape() + ", " + data.name()
          + " has " + data.shape() + (opened.classifier().shape().channels() == data.shape().channels()
              ? "; --resize FILTER:" + data.shape().height() + "x" + data.shape().width()
                  + " brings an ONNX model's images to its size" : ""));
    }
    if (opened.classifier().classes() != data.classNames().size()) {
      throw DiffcertException.badInput("the model has " + opened.classifier().classes() + " classes, " + data.name()
          + " has " + data.classNames().size() + "; --class-map says which of an ONNX model's are the data's");
    }
  }

  /** The options again, from what a header says of the classifier. */
  static Map<String, String> of(Map<?, ?> classifier) {
    Map<String, String> options = new LinkedHashMap<>();
    if (!(classifier.get("input") instanceof Map<?, ?> input) || !(classifier.get("batch") instanceof Long batch)
        || !(input.get("mean") instanceof List<?> mean) || !(input.get("std") instanceof List<?> std)) {
      throw DiffcertException.badInput(
          "the run was not made by diffcert certify: its classifier's input is not described");
    }
    options.put("--classifier", NAME);
    options.put("--input-range", input.get("low") + ":" + input.get("high"));
    options.put("--mean", mean.stream().map(String::valueOf).collect(Collectors.joining(",")));
    options.put("--std", std.stream().map(String::valueOf).collect(Collectors.joining(",")));
    options.put("--layout", String.valueOf(input.get("layout")));
    options.put("--onnx-batch", batch.toString());
    if (!"cpu".equals(classifier.get("provider"))) {
      options.put("--onnx-device", String.valueOf(classifier.get("provider")));
    }
    if (input.get("resize") instanceof String from) {
      options.put("--resize", from);
    }
    if (input.get("classes") instanceof List<?> map) {
      options.put("--class-map", map.stream().map(String::valueOf).collect(Collectors.joining(",")));
    }
    return options;
  }

  private static List<Double> list(String option, String text, List<Double> otherwise) {
    if (text == null) {
      return otherwise;
    }
    List<Double> values = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      values.add(Arguments.number(option, part));
    }
    return values;
  }
}
