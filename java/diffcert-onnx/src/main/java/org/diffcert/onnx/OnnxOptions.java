package org.diffcert.onnx;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.diffcert.DiffcertException;

/**
 * What a model expects of its input, which an ONNX file does not say. An 8-bit value s, noise included, reaches the
 * model as ((low + (high - low) s / 255) - mean) / std of its channel, computed in float64 and rounded once to float32:
 * a function of the integer s alone (S7). Resized images are resized after that. Immutable.
 *
 * @param layout the order of an image's elements
 * @param low what 0 means
 * @param high what 255 means; other than low
 * @param mean subtracted, one a channel or one for all, in the units of low and high
 * @param std divided by, one a channel or one for all, not 0
 * @param batch images in every call, 1 to 4096; a model that has a batch of its own keeps to that
 * @param resize what images of another size than the model's come through
 * @param classes which of the model's logits are the data's classes
 * @param provider where ONNX Runtime computes
 */
public record OnnxOptions(Layout layout, double low, double high, List<Double> mean, List<Double> std, int batch,
    Optional<Resize> resize, ClassMap classes, Provider provider) {
  /** Elements in the order C,H,W, 0 to 255 as 0 to 1, not normalised, 64 images a call. */
  public static final OnnxOptions DEFAULT =
      new OnnxOptions(Layout.NCHW, 0, 1, List.of(0.0), List.of(1.0), 64, Optional.empty());

  static final int MOST_BATCH = 4096;

  /**
   * Checks and copies.
   *
   * @param layout the order of an image's elements
   * @param low what 0 means
   * @param high what 255 means
   * @param mean subtracted
   * @param std divided by
   * @param batch images in every call
   * @param resize what images of another size than the model's come through
   * @param classes which of the model's logits are the data's classes
   * @param provider where ONNX Runtime computes
   * @throws DiffcertException of kind USAGE if a value is out of range
   */
  public OnnxOptions {
    mean = List.copyOf(mean);
    std = List.copyOf(std);
    if (!Double.isFinite(low) || !Double.isFinite(high) || low == high) {
      throw DiffcertException.usage("--input-range is " + low + ":" + high + ", must be two different numbers, such as "
          + "0:1");
    }
    if (mean.isEmpty() || !mean.stream().allMatch(Double::isFinite)) {
      throw DiffcertException.usage("--mean is " + mean + ", must be finite numbers");
    }
    if (std.isEmpty() || !std.stream().allMatch(value -> Double.isFinite(value) && value != 0)) {
      throw DiffcertException.usage("--std is " + std + ", must be finite numbers other than 0");
    }
    if (batch < 1 || batch > MOST_BATCH) {
      throw DiffcertException.usage("a batch of " + batch + " images was asked for, must be 1 to " + MOST_BATCH);
    }
  }

  /**
   * For a model whose classes are the data's, on the CPU.
   *
   * @param layout the order of an image's elements
   * @param low what 0 means
   * @param high what 255 means
   * @param mean subtracted
   * @param std divided by
   * @param batch images in every call
   * @param resize what images of another size than the model's come through
   * @throws DiffcertException of kind USAGE if a value is out of range
   */
  public OnnxOptions(Layout layout, double low, double high, List<Double> mean, List<Double> std, int batch,
      Optional<Resize> resize) {
    this(layout, low, high, mean, std, batch, resize, ClassMap.OWN, Provider.CPU);
  }

  /**
   * The same for images of another size.
   *
   * @param from their size and the way to the model's
   * @return such options
   */
  public OnnxOptions withResize(Resize from) {
    return new OnnxOptions(layout, low, high, mean, std, batch, Optional.of(from), classes, provider);
  }

  /**
   * The same with other calls.
   *
   * @param images in every call, 1 to 4096
   * @return such options
   */
  public OnnxOptions withBatch(int images) {
    return new OnnxOptions(layout, low, high, mean, std, images, resize, classes, provider);
  }

  /**
   * The same for other classes.
   *
   * @param map which of the model's logits are the data's classes
   * @return such options
   */
  public OnnxOptions withClasses(ClassMap map) {
    return new OnnxOptions(layout, low, high, mean, std, batch, resize, map, provider);
  }

  /**
   * The same on another device.
   *
   * @param where ONNX Runtime computes
   * @return such options
   */
  public OnnxOptions on(Provider where) {
    return new OnnxOptions(layout, low, high, mean, std, batch, resize, classes, where);
  }

  /** The value of a number of 1/255 units in a channel, in the model's units. */
  float value(int channel, double s) {
    double scaled = low + (high - low) * s / 255;
    return (float) ((scaled - of(mean, channel)) / of(std, channel));
  }

  /** How much that value moves when a channel of an image in EDM space moves by 1. */
  double slope(int channel) {
    return (high - low) / 2 / of(std, channel);
  }

  /** Refuses means and deviations of another number of channels. */
  void checkChannels(int channels) {
    for (List<Double> list : List.of(mean, std)) {
      if (list.size() != 1 && list.size() != channels) {
        throw DiffcertException.usage((list == mean ? "--mean" : "--std") + " has " + list.size()
            + " values, the model takes images of " + channels + (channels == 1 ? " channel" : " channels"));
      }
    }
  }

  /** The part of the identity that is about what goes in and what is read of what comes out. */
  Map<String, Object> identity() {
    Map<String, Object> identity = new LinkedHashMap<>();
    identity.put("layout", layout.cliName());
    identity.put("low", low);
    identity.put("high", high);
    identity.put("mean", mean);
    identity.put("std", std);
    if (!classes.equals(ClassMap.OWN)) {
      identity.put("classes", classes.logits().stream().map(Integer::longValue).toList());
    }
    resize.ifPresent(from -> identity.put("resize", from.toString()));
    return identity;
  }

  private static double of(List<Double> list, int channel) {
    return list.get(list.size() == 1 ? 0 : channel);
  }
}
