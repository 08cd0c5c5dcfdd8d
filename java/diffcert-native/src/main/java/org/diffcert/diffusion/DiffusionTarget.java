package org.diffcert.diffusion;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.diffcert.DiffcertException;
import org.diffcert.Named;
import org.diffcert.attack.AttackTarget;
import org.diffcert.attack.LikelihoodMaximization;
import org.diffcert.image.ImageShape;
import org.diffcert.model.NetworkConfig;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.schedule.ClassifierKind;
import org.diffcert.schedule.Schedule;

/**
 * The diffusion classifier, and RDC, as what is attacked: the diffusion classifier behind likelihood maximisation. A
 * class's score is minus its loss times the number of elements, so that squared differences are summed, not averaged,
 * and cross entropy's softmax is one of log likelihoods. The noise of a level is shared by the classes. Gradients are
 * those of the whole way, or of the classifier alone where maximisation is to be passed over ({@link
 * Through#IDENTITY}). As thread-safe as its models, which stay the caller's to close.
 */
public final class DiffusionTarget implements AttackTarget {
  /** What a gradient does at likelihood maximisation. */
  public enum Through implements Named {
    /** It passes unchanged: BPDA with the identity, as the released attacks do. */
    IDENTITY("bpda"),
    /** It goes back through every step. */
    STEPS("full");

    private final String cliName;

    Through(String cliName) {
      this.cliName = cliName;
    }

    @Override
    public String cliName() {
      return cliName;
    }

    /**
     * The way of a name.
     *
     * @param name bpda or full
     * @return the way
     * @throws DiffcertException of kind USAGE if there is none of that name
     */
    public static Through of(String name) {
      return Named.find(values(), name, "gradient through likelihood maximisation");
    }
  }

  /**
   * Everything about it but the networks.
   *
   * @param schedule the levels and their weights, of {@link ClassifierKind#DC}
   * @param sampling whether those levels are used or random ones
   * @param clamp whether the network's output is clamped to [-1, 1]
   * @param fresh whether each draw has noise of its own; else an image has one noise, which attacks know
   * @param seed key of the noise
   * @param through what gradients do at likelihood maximisation
   */
  public record Options(Schedule schedule, TimeSampling sampling, boolean clamp, boolean fresh, long seed,
      Through through) {}

  private final DiffusionModel model;
  private final Optional<Maximizer> maximizer;
  private final Options options;
  private final ImageShape shape;

  /**
   * A target.
   *
   * @param model a class-conditional or multi-head model, opened for gradients if they will be asked for
   * @param maximizer likelihood maximisation before it, for RDC; empty for the diffusion classifier
   * @param options everything else
   * @throws DiffcertException of kind USAGE if the model has fewer than two classes or the maximiser's takes other
   *     images
   */
  public DiffusionTarget(DiffusionModel model, Optional<Maximizer> maximizer, Options options) {
    NetworkConfig config = model.config();
    if (config.classes() < 2) {
      throw DiffcertException.usage("a diffusion classifier needs a class-conditional model; this one has "
          + config.classes() + " classes");
    }
    this.shape = new ImageShape(config.imgChannels(), config.imgResolution(), config.imgResolution());
    maximizer.map(m -> m.model().config()).ifPresent(other -> {
      if (other.imgChannels() != config.imgChannels() || other.imgResolution() != config.imgResolution()) {
        throw DiffcertException.usage("the unconditional model takes images of " + other.imgChannels() + "x"
            + other.imgResolution() + "x"
            + other.imgResolution() + ", the classifier's of " + shape);
      }
    });
    this.model = model;
    this.maximizer = maximizer;
    this.options = options;
  }

  @Override
  public int classes() {
    return model.config().classes();
  }

  @Override
  public ImageShape shape() {
    return shape;
  }

  @Override
  public Map<String, Object> identity() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("kind", maximizer.isPresent() ? "rdc" : ClassifierKind.DC.cliName());
    map.put("model", model.digest());
    map.put("levels", (long) options.schedule().gridPoints());
    map.put("grid", options.schedule().grid().cliName());
    map.put("weights", options.schedule().weighting().cliName());
    map.put("sampling", options.sampling().cliName());
    map.put("clamp", options.clamp());
    map.put("noise", options.fresh() ? "fresh" : "fixed");
    map.put("seed", Long.toUnsignedString(options.seed()));
    maximizer.ifPresent(m -> {
      map.put("maximization", m.identity());
      map.put("gradient", options.through().cliName());
    });
    return map;
  }

  @Override
  public boolean isDifferentiable() {
    return model.options().gradients() != Gradients.NONE;
  }

  @Override
  public boolean isRandom() {
    return options.fresh() && maximizer.map(Maximizer::isRandom).orElse(true);
  }

  @Override
  public double[] logits(double[] x, int imageId, int draw) {
    double[] z = edm(x);
    if (maximizer.isPresent()) {
      z = inside(maximizer.get().of(imageId, drawn(draw)).run(z).end());
    }
    return logits(z, noise(imageId, draw));
  }

  @Override
  public Pull pull(double[] x, int imageId, int draw, Cotangent cotangent) {
    Noise noise = noise(imageId, draw);
    if (maximizer.isEmpty()) {
      return scaled(pull(edm(x), noise, cotangent), 2);
    }
    Maximizer.Purification purification = maximizer.get().of(imageId, drawn(draw));
    LikelihoodMaximization.Trace trace = purification.run(edm(x));
    Pull pull = pull(inside(trace.end()), noise, cotangent);
    if (options.through() == Through.IDENTITY) {
      return scaled(pull, 2);
    }
    double[] back = pull.gradient().clone();
    for (int e = 0; e < back.length; e++) {
      back[e] = Math.abs(trace.end()[e]) > 1 ? 0 : back[e];
    }
    return scaled(new Pull(pull.logits(), purification.pullback(trace, back)), 2);
  }

  /** Nothing: the models are the caller's. */
  @Override
  public void close() {}

  /**
   * Levels, weights and standard normal noise of a draw.
   *
   * @param levels with their weights
   * @param normals {@code [levels, elements]}
   */
  private record Noise(TimeSampling.Levels levels, double[] normals) {}

  private int drawn(int draw) {
    return isRandom() ? draw : JUDGE;
  }

  private Noise noise(int imageId, int draw) {
    MaximizerForm form = maximizer.map(Maximizer::form).orElse(MaximizerForm.CORRECTED);
    NoiseKey key = Maximizer.key(form, options.seed(), imageId, drawn(draw));
    TimeSampling.Levels levels = options.sampling().of(options.schedule(), key);
    int elements = shape.elements();
    double[] normals = new double[levels.levels().length * elements];
    for (int t = 0; t < levels.levels().length; t++) {
      System.arraycopy(key.normals(NoiseStream.LEVEL, t, elements), 0, normals, t * elements, elements);
    }
    return new Noise(levels, normals);
  }

  private double[] logits(double[] z, Noise noise) {
    return scores(Elbo.losses(model, options.clamp(), z, noise.levels().levels(), noise.levels().weights(),
        noise.normals()));
  }

  /** Scores and gradient by z. */
  private Pull pull(double[] z, Noise noise, Cotangent cotangent) {
    double[] levels = noise.levels().levels();
    double[] weights = noise.levels().weights();
    if (cotangent.sparse() || model.config().multiHead()) {
      double[] logits = logits(z, noise);
      double[] coefficients = Arrays.stream(cotangent.of(logits)).map(a -> -shape.elements() * a).toArray();
      return new Pull(logits, Elbo.pull(model, options.clamp(), z, levels, weights, noise.normals(), coefficients)
          .gradient());
    }
    // One pass there and back for each class, with all of their gradients apart, is less than one there and then
    // another with their sum.
    int[] labels = IntStream.range(0, classes()).toArray();
    Elbo.Gradient found = Elbo.gradient(model, options.clamp(), z, levels, weights, noise.normals(), labels);
    double[] logits = scores(found.loss());
    double[] a = cotangent.of(logits);
    double[] gradient = new double[z.length];
    for (int k = 0; k < a.length; k++) {
      for (int e = 0; e < z.length; e++) {
        gradient[e] -= shape.elements() * a[k] * found.gradient()[k][e];
      }
    }
    return new Pull(logits, gradient);
  }

  private double[] scores(double[] losses) {
    return Arrays.stream(losses).map(loss -> -shape.elements() * loss).toArray();
  }

  private static double[] edm(double[] x) {
    return Arrays.stream(x).map(value -> 2 * value - 1).toArray();
  }

  /** A maximised image is one again: each element in [-1, 1]. */
  private static double[] inside(double[] z) {
    return Arrays.stream(z).map(value -> Math.max(-1, Math.min(1, value))).toArray();
  }

  private static Pull scaled(Pull pull, double factor) {
    return new Pull(pull.logits(), Arrays.stream(pull.gradient()).map(value -> factor * value).toArray());
  }
}
