package org.diffcert.onnx;

import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.diffcert.DiffcertException;
import org.diffcert.denoise.ClassifierGradient;
import org.diffcert.image.ImageShape;

/**
 * The classifier in an ONNX file with gradients of its logits by the image, which ONNX Runtime does not give: the
 * file's graph computed here, in float64, one image at a time. When it is opened its logits are held against ONNX
 * Runtime's on random images. For fine-tuning what stands in front of a classifier; votes are {@link OnnxClassifier}'s.
 * Which operators there are is in docs/spec/finetune.md. Immutable, thread-safe.
 */
public final class OnnxGradients implements ClassifierGradient {
  private static final double TOLERANCE = 1e-3;
  private static final int PROBES = 4;

  private final ImageShape shape;
  private final String digest;
  private final OnnxOptions options;
  private final List<LayerReader.Step> steps;
  private final int[] sizes;

  private OnnxGradients(OnnxFile file, Network network, OnnxOptions options) {
    this.shape = network.shape(options.layout());
    this.digest = file.digest();
    this.options = options;
    LayerReader reader = new LayerReader(file, shape);
    this.steps = reader.steps();
    this.sizes = new int[reader.values()];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = reader.size(i);
    }
    options.checkChannels(shape.channels());
    holdAgainst(network);
  }

  /**
   * Opens a model.
   *
   * @param file the ONNX file
   * @param options what it expects of its input; layout nchw, no resizing
   * @return the classifier
   * @throws DiffcertException of kind BAD_INPUT if the file is malformed, has an operator without a gradient here, or
   *     its logits here are not those of ONNX Runtime; of kind USAGE for another layout or resizing
   */
  public static OnnxGradients open(Path file, OnnxOptions options) {
    if (options.layout() != Layout.NCHW || options.resize().isPresent()) {
      throw DiffcertException.usage("gradients of an ONNX model are computed for --layout nchw without --resize only");
    }
    OnnxFile model = OnnxFile.read(file);
    Network network = Network.load(model);
    try {
      return new OnnxGradients(model, network, options);
    } finally {
      network.close();
    }
  }

  @Override
  public int classes() {
    return options.classes().classes(sizes[sizes.length - 1]);
  }

  @Override
  public ImageShape shape() {
    return shape;
  }

  @Override
  public String digest() {
    return digest;
  }

  @Override
  public Pass forward(float[] images, int row) {
    return new Walk(placed(images, row));
  }

  /** An image in the model's units. */
  private double[] placed(float[] images, int row) {
    int plane = shape.height() * shape.width();
    double[] input = new double[sizes[0]];
    for (int e = 0; e < input.length; e++) {
      input[e] = options.value(e / plane, 255 * ((images[row * input.length + e] + 1.0) / 2));
    }
    return input;
  }

  /** The values of one image, kept for the way back. */
  private final class Walk implements Pass {
    private final double[][] values = new double[sizes.length][];

    Walk(double[] input) {
      values[0] = input;
      for (LayerReader.Step step : steps) {
        values[step.gives()] = step.layer().forward(pick(values, step.reads()));
      }
    }

    /** Those of every class that the model knows. */
    double[] all() {
      return values[values.length - 1];
    }

    @Override
    public double[] logits() {
      return options.classes().of(all());
    }

    @Override
    public double[] back(double[] cotangent) {
      double[][] gradients = new double[sizes.length][];
      for (int i = 0; i + 1 < sizes.length; i++) {
        gradients[i] = new double[sizes[i]];
      }
      gradients[sizes.length - 1] = options.classes().back(cotangent, sizes[sizes.length - 1]);
      for (int s = steps.size() - 1; s >= 0; s--) {
        LayerReader.Step step = steps.get(s);
        step.layer().back(pick(values, step.reads()), gradients[step.gives()], pick(gradients, step.reads()));
      }
      int plane = shape.height() * shape.width();
      for (int e = 0; e < sizes[0]; e++) {
        gradients[0][e] *= options.slope(e / plane);
      }
      return gradients[0];
    }

    private double[][] pick(double[][] from, int[] which) {
      double[][] picked = new double[which.length][];
      for (int i = 0; i < which.length; i++) {
        picked[i] = from[which[i]];
      }
      return picked;
    }
  }

  private void holdAgainst(Network network) {
    SplittableRandom random = new SplittableRandom(1);
    int own = network.ownBatch();
    for (int probe = 0; probe < PROBES; probe++) {
      float[] image = new float[sizes[0]];
      for (int e = 0; e < image.length; e++) {
        image[e] = (float) (2 * random.nextDouble() - 1);
      }
      Walk pass = new Walk(placed(image, 0));
      float[] input = new float[Math.max(1, own) * sizes[0]];
      double[] placed = pass.values[0];
      for (int e = 0; e < placed.length; e++) {
        input[e] = (float) placed[e];
      }
      float[] theirs = network.logits(input, options.layout().dimensions(Math.max(1, own), shape))[0];
      double[] ours = pass.all();
      double largest = 1;
      for (float logit : theirs) {
        largest = Math.max(largest, Math.abs(logit));
      }
      for (int c = 0; c < theirs.length; c++) {
        if (theirs.length != ours.length || !(Math.abs(theirs[c] - ours[c]) <= TOLERANCE * largest)) {
          throw network.unfit("has other logits here than in ONNX Runtime (" + ours[c] + " and " + theirs[c]
              + " of class " + c + "), so its gradients cannot be trusted");
        }
      }
    }
  }
}
