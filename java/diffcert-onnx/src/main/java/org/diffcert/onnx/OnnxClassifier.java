package org.diffcert.onnx;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.diffcert.DiffcertException;
import org.diffcert.certify.BaseClassifier;
import org.diffcert.certify.VoteSource;
import org.diffcert.denoise.RealClassifier;
import org.diffcert.image.ImageShape;
import org.diffcert.image.Resizer;

/**
 * An image classifier in an ONNX file, run by ONNX Runtime, as the base classifier of certificates. The
 * class of a row is that of its largest logit, the lowest of equals, and none if a logit is not finite.
 *
 * <p>A certificate needs a function of the row (S12), so every call has the same number of rows, the last padded with
 * zeros, and is computed by one thread; and when a model is opened it is probed: the same rows among other rows and at
 * other places must have the same logits to the bit. A model that fails this in batches is run one image at a time; one
 * that fails it then, too, or has a batch of its own, is refused. The kernels of ONNX Runtime are chosen by processor,
 * so a vote may differ on another one where two logits are close; {@link #build} says which this is.
 *
 * <p>Thread-safe, until it is closed.
 */
public final class OnnxClassifier implements BaseClassifier, RealClassifier {
  /** What floating point makes of 255 (v / 255) is nearer to v than this. */
  private static final double ON_GRID = 1e-9;

  private final Network network;
  private final String digest;
  private final OnnxOptions options;
  private final ImageShape shape;
  private final ImageShape input;
  private final Resizer resizer;
  private final int classes;
  private final int batch;
  private final boolean sizeInvariant;
  private final ValueTable values;

  private OnnxClassifier(Network network, String digest, OnnxOptions options) {
    this.network = network;
    this.digest = digest;
    this.options = options;
    this.input = network.shape(options.layout());
    this.shape = options.resize().map(r -> new ImageShape(input.channels(), r.height(), r.width())).orElse(input);
    this.resizer = options.resize()
        .map(r -> new Resizer(r.height(), r.width(), input.height(), input.width(), r.filter())).orElse(null);
    options.checkChannels(shape.channels());
    this.values = new ValueTable(options, shape.channels());
    int own = network.ownBatch();
    if (own > OnnxOptions.MOST_BATCH) {
      throw network.unfit("wants a batch of " + own + " images, " + OnnxOptions.MOST_BATCH + " is the most");
    }
    BatchProbe probe = new BatchProbe(shape.elements(), this::logits);
    float[][] logits = probe.logits(own > 0 ? own : 1);
    this.classes = logits[0].length;
    if (classes < 2) {
      throw network.unfit("has " + classes + " classes, a classifier has at least 2");
    }
    if (!Stream.of(logits).allMatch(OnnxClassifier::finite)) {
      throw network.unfit("gives logits that are not finite on noisy images, so no vote of its could count");
    }
    this.batch = batch(probe, own > 0 ? own : options.batch(), own > 0);
    this.sizeInvariant = own == 0 && probe.isSizeInvariant();
  }

  /**
   * Opens a model, checks and probes it.
   *
   * @param file the ONNX file; all its weights must be in it
   * @param options what it expects of its input
   * @return the classifier
   * @throws DiffcertException of kind BAD_INPUT if the file is malformed, is not a classifier of images of one size,
   * gives     values that are not finite or is not a function of an image; of kind USAGE if the options do not fit it
   */
  public static OnnxClassifier open(Path file, OnnxOptions options) {
    OnnxFile model = OnnxFile.read(file);
    Network network = Network.load(model, options.provider());
    try {
      return new OnnxClassifier(network, model.digest(), options);
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  @Override
  public int classes() {
    return classes;
  }

  @Override
  public ImageShape shape() {
    return shape;
  }

  /**
   * The images in every call.
   *
   * @return at least 1
   */
  @Override
  public int batch() {
    return batch;
  }

  /**
   * Whether the probe found the same bits in batches of 1, 3, 16 and 64 images. Votes do not rest on it.
   *
   * @return false, too, for a model that has a batch of its own
   */
  public boolean isSizeInvariant() {
    return sizeInvariant;
  }

  /**
   * What identifies the file.
   *
   * @return SHA-256 of its bytes, 64 hex digits
   */
  public String digest() {
    return digest;
  }

  /**
   * What computes, as far as it can change the bits of a logit beyond what {@link #identity} says: runtime,
   * processor and, with CUDA, the GPUs of this machine.
   *
   * @return for example {@code onnxruntime 1.28.0 on AMD EPYC}
   */
  public String build() {
    return "onnxruntime " + network.version() + " on " + options.provider().hardware(Path.of("/proc"));
  }

  @Override
  public Map<String, Object> identity() {
    Map<String, Object> identity = new LinkedHashMap<>();
    identity.put("kind", "onnx");
    identity.put("model", digest);
    identity.put("input", options.identity());
    identity.put("batch", (long) batch);
    identity.put("runtime", "onnxruntime " + network.version());
    identity.put("provider", options.provider().kind());
    return identity;
  }

  @Override
  public void classify(int[][] inputs, int[] classesOut) {
    float[][] logits = logits(inputs, batch);
    for (int row = 0; row < inputs.length; row++) {
      classesOut[row] = vote(logits[row]);
    }
  }

  /** A value z in EDM space is what the real number 255 (z + 1) / 2 is among integers. */
  @Override
  public void classifyReal(float[] images, int from, int to, int[] classesOut) {
    float[][] logits = logits(to - from, batch, (row, values, at) -> placeReal(images, from + row, values, at));
    for (int row = from; row < to; row++) {
      classesOut[row] = vote(logits[row - from]);
    }
  }

  /**
   * The logits of one image of real numbers. An 8-bit image, as multiples of 1/255, has those of its integers.
   *
   * @param x the image in [0,1], C,H,W
   * @return one a class
   */
  public float[] logits(double[] x) {
    return logits(1, batch, (row, out, at) -> {
      int plane = shape.height() * shape.width();
      float[] scaled = new float[plane];
      for (int channel = 0; channel < shape.channels(); channel++) {
        for (int pixel = 0; pixel < plane; pixel++) {
          double s = 255 * x[channel * plane + pixel];
          scaled[pixel] = options.value(channel, Math.abs(s - Math.rint(s)) < ON_GRID ? Math.rint(s) : s);
        }
        place(scaled, channel, out, at);
      }
    })[0];
  }

  @Override
  public void close() {
    network.close();
  }

  /** Writes a row into a call's values, in the model's layout and units. */
  private interface Placing {
    void place(int row, float[] values, int at);
  }

  /** The logits of rows of integers. */
  private float[][] logits(int[][] inputs, int size) {
    return logits(inputs.length, size, (row, values, at) -> place(inputs[row], values, at));
  }

  /** The logits of rows, computed in calls of a fixed size. */
  private float[][] logits(int all, int size, Placing placing) {
    int elements = input.elements();
    float[][] logits = new float[all][];
    float[] values = new float[Math.multiplyExact(size, elements)];
    long[] dimensions = options.layout().dimensions(size, input);
    for (int from = 0; from < all; from += size) {
      int rows = Math.min(size, all - from);
      for (int row = 0; row < rows; row++) {
        placing.place(from + row, values, row * elements);
      }
      Arrays.fill(values, rows * elements, values.length, 0f);
      float[][] call = network.logits(values, dimensions);
      for (int row = 0; row < rows; row++) {
        logits[from + row] = options.classes().of(call[row]);
      }
    }
    return logits;
  }

  private void place(int[] row, float[] out, int at) {
    int plane = shape.height() * shape.width();
    float[] scaled = new float[plane];
    for (int channel = 0; channel < shape.channels(); channel++) {
      for (int pixel = 0; pixel < plane; pixel++) {
        scaled[pixel] = values.of(channel, row[channel * plane + pixel]);
      }
      place(scaled, channel, out, at);
    }
  }

  private void placeReal(float[] images, int row, float[] out, int at) {
    int plane = shape.height() * shape.width();
    float[] scaled = new float[plane];
    for (int channel = 0; channel < shape.channels(); channel++) {
      int from = row * shape.elements() + channel * plane;
      for (int pixel = 0; pixel < plane; pixel++) {
        scaled[pixel] = options.value(channel, 255 * ((images[from + pixel] + 1.0) / 2));
      }
      place(scaled, channel, out, at);
    }
  }

  /** One channel, in the model's units: to its size, and to where it has the channel. */
  private void place(float[] scaled, int channel, float[] out, int at) {
    int plane = input.height() * input.width();
    float[] sized = scaled;
    if (resizer != null) {
      sized = new float[plane];
      resizer.resize(scaled, 0, sized, 0);
    }
    if (options.layout() == Layout.NCHW) {
      System.arraycopy(sized, 0, out, at + channel * plane, plane);
    } else {
      for (int pixel = 0; pixel < plane; pixel++) {
        out[at + channel + pixel * input.channels()] = sized[pixel];
      }
    }
  }

  private int batch(BatchProbe probe, int wanted, boolean own) {
    if (probe.isFunctionOfRow(wanted)) {
      return wanted;
    }
    if (!own && probe.isFunctionOfRow(1)) {
      return 1;
    }
    throw network.unfit(own
        ? "gives an image other logits beside other images of its batch of " + wanted
            + ", so it is no function that a certificate could be about; export it with a free batch"
        : "gives the same image other logits each time, so it is no function that a certificate could be about");
  }

  private static int vote(float[] logits) {
    if (!finite(logits)) {
      return VoteSource.NO_VOTE;
    }
    int best = 0;
    for (int c = 1; c < logits.length; c++) {
      if (logits[c] > logits[best]) {
        best = c;
      }
    }
    return best;
  }

  private static boolean finite(float[] logits) {
    for (float logit : logits) {
      if (!Float.isFinite(logit)) {
        return false;
      }
    }
    return true;
  }
}
