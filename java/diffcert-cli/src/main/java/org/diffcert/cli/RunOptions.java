package org.diffcert.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.noise.Sigma;
import org.diffcert.run.RunHeader;

/** The options of certify that a run was made with, told from its header: what repeating the run starts from. */
final class RunOptions {
  /** What a header says of pruning beside the rule's name, and the option that sets it. */
  private static final Map<String, String> PRUNING = Map.of("siftLevels", "--sift-levels", "siftThreshold",
      "--sift-threshold", "keep", "--keep", "pruneError", "--prune-error");

  private RunOptions() {}

  /** Those that make the classifier, as option and value. */
  static Map<String, String> ofClassifier(RunHeader header) {
    Map<String, String> options = ofVoter(header);
    CascadeArguments.complete(options, header);
    return options;
  }

  /**
   * What the votes are cast by; of a cascade, at its smallest sigma, beside which its others differ in levels alone.
   */
  private static Map<String, Object> voter(RunHeader header) {
    Map<String, Object> voter = new LinkedHashMap<>(header.source());
    if (header.cascade().isPresent()) {
      if (!(header.source().get("scales") instanceof List<?> scales) || scales.isEmpty()
          || !(scales.get(0) instanceof Map<?, ?> smallest)) {
        throw foreign("scales");
      }
      smallest.forEach((key, value) -> voter.put((String) key, value));
    }
    return voter;
  }

  private static Map<String, String> ofVoter(RunHeader header) {
    Map<String, Object> source = voter(header);
    if (source.get("classifier") instanceof Map<?, ?> described) {
      Map<String, String> options;
      if (OnnxArguments.NAME.equals(described.get("kind"))) {
        options = OnnxArguments.of(described);
      } else if (DenoiserArguments.isOne(described.get("kind"))) {
        options = DenoiserArguments.of(described);
        options.putAll(ofDevice(header));
      } else {
        throw foreign("classifier");
      }
      options.putAll(common(header));
      return options;
    }
    if (!(source.get("clamp") instanceof Boolean clamp)) {
      throw foreign("clamp");
    }
    if (!(source.get("levels") instanceof Long levels)) {
      throw foreign("levels");
    }
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--classifier", text(source, "classifier"));
    options.put("--levels", levels.toString());
    options.put("--grid", text(source, "grid"));
    options.put("--weights", text(source, "weights"));
    options.put("--no-clamp", Boolean.toString(!clamp));
    options.put("--noise", text(source, "noise").equals("float") ? "float" : "integer");
    options.put("--prune", text(source, "prune"));
    for (Map.Entry<String, String> detail : PRUNING.entrySet()) {
      if (source.get(detail.getKey()) instanceof Number value) {
        options.put(detail.getValue(), value.toString());
      }
    }
    options.putAll(ofDevice(header));
    options.putAll(common(header));
    return options;
  }

  /**
   * The option that gives a run's second file, if it has one: the unconditional network, or what is behind a denoiser.
   */
  static String second(RunHeader header) {
    boolean denoised = voter(header).get("classifier") instanceof Map<?, ?> described
        && DenoiserArguments.isOne(described.get("kind"));
    return denoised ? "--onnx" : "--unconditional-model";
  }

  /** Those of every classifier. */
  private static Map<String, String> common(RunHeader header) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--sigma", header.sigmas().stream().map(Sigma::toString).collect(Collectors.joining(",")));
    options.put("--seed", text(header.source(), "seed"));
    return options;
  }

  /** Where a network of ours is computed. */
  private static Map<String, String> ofDevice(RunHeader header) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--device", Device.ofIdentity(header.device()));
    if (!DeviceOptions.formOfIdentity(header.device()).isEmpty()) {
      options.put("--isa", DeviceOptions.formOfIdentity(header.device()));
    }
    return options;
  }

  /** All of them but network, images and directory. */
  static Map<String, String> of(RunHeader header) {
    Map<String, String> options = ofClassifier(header);
    options.put("--images", header.images().from() + ":" + header.images().to() + ":" + header.images().step());
    options.put("--n0", Integer.toString(header.config().n0()));
    options.put("--n", Integer.toString(header.config().n()));
    options.put("--alpha", Double.toString(header.config().alpha()));
    options.put("--family", Integer.toString(header.config().family()));
    options.put("--stop", header.config().stop().kind().cliName());
    List<Double> radii = header.config().stop().radii();
    if (!radii.isEmpty()) {
      options.put("--radius", radii.stream().map(String::valueOf).collect(Collectors.joining(",")));
    }
    return options;
  }

  /** Options and values as words of a command line. */
  static List<String> words(Map<String, String> options) {
    return options.entrySet().stream().map(option -> option.getKey() + "=" + option.getValue()).toList();
  }

  private static String text(Map<String, Object> source, String key) {
    if (source.get(key) instanceof String text) {
      return text;
    }
    throw foreign(key);
  }

  private static DiffcertException foreign(String key) {
    return DiffcertException.badInput("the run was not made by diffcert certify: its source has no '" + key + "'");
  }
}
