package org.diffcert.attack;

import org.diffcert.image.ByteImage;

/**
 * One attack on one image within one budget, as the algorithms see it: averaged losses and gradients, a fresh draw for
 * each (draws are counted up from {@link AttackTarget#JUDGE}, which they never reach again), the best image so far, and
 * what was spent. Not for several threads.
 */
final class Attempt {
  final AttackSettings settings;
  final AttackTarget target;
  final ByteImage clean;
  final double[] origin;
  final int label;
  final Budget budget;
  private final int imageId;
  private final int repeats;
  private final String name;
  private int draw = AttackTarget.JUDGE;
  private long scores;
  private long gradients;
  private ByteImage best;
  private double bestLoss = Double.NEGATIVE_INFINITY;
  private ByteImage found;

  /**
   * Loss and gradient at a point, means over the repeats.
   *
   * @param logits mean scores
   * @param loss mean loss
   * @param gradient of the mean loss by the image
   */
  record Slope(double[] logits, double loss, double[] gradient) {}

  Attempt(AttackSettings settings, AttackTarget target, ByteImage clean, int imageId, int label, Budget budget,
      String name) {
    this.settings = settings;
    this.target = target;
    this.clean = clean;
    this.origin = units(clean);
    this.imageId = imageId;
    this.label = label;
    this.budget = budget;
    this.repeats = target.isRandom() ? settings.repeats() : 1;
    this.name = name + " " + budget;
  }

  /** An image in [0,1]. */
  static double[] units(ByteImage image) {
    double[] x = new double[image.shape().elements()];
    for (int i = 0; i < x.length; i++) {
      x[i] = image.get(i) / 255.0;
    }
    return x;
  }

  /** The random numbers of one start, or of one search. */
  AttackRandom random(int start) {
    return new AttackRandom(settings.seed(), imageId, name + " " + start);
  }

  /** Mean scores of fresh draws. */
  double[] logits(double[] x) {
    double[] mean = new double[target.classes()];
    for (int r = 0; r < repeats; r++) {
      add(mean, target.logits(x, imageId, next()));
      scores++;
    }
    return mean;
  }

  /** Mean loss and gradient of fresh draws; keeps the image if its scores are wrong or its loss the largest yet. */
  Slope slope(double[] x, AttackLoss loss, int goal) {
    double[] logits = new double[target.classes()];
    double[] gradient = new double[x.length];
    double[] value = new double[1];
    for (int r = 0; r < repeats; r++) {
      AttackTarget.Pull pull = target.pull(x, imageId, next(), new AttackTarget.Cotangent() {
        @Override
        public double[] of(double[] z) {
          return loss.gradient(z, label, goal);
        }

        @Override
        public boolean sparse() {
          return loss.isSparse();
        }
      });
      gradients++;
      add(logits, pull.logits());
      add(gradient, pull.gradient());
      value[0] += loss.value(pull.logits(), label, goal) / repeats;
    }
    Slope slope = new Slope(logits, value[0], gradient);
    consider(x, slope.logits());
    return slope;
  }

  /**
   * Keeps what scores say of a point, by its margin: a point that is wrong is rounded into the budget and asked again
   * as an 8-bit image, which alone counts as found.
   */
  private void consider(double[] x, double[] logits) {
    double margin = AttackLoss.MARGIN.value(logits, label, label);
    boolean wrong = AttackTarget.answer(logits) != label;
    if (!wrong && !(margin > bestLoss)) {
      return;
    }
    ByteImage image = budget.round(clean, x);
    if (margin > bestLoss) {
      bestLoss = margin;
      best = image;
    }
    if (wrong && found == null) {
      judge(image);
    }
  }

  /** Asks for the scores of an 8-bit image; their margin. */
  double judge(ByteImage image) {
    double[] logits = logits(units(image));
    double margin = AttackLoss.MARGIN.value(logits, label, label);
    if (AttackTarget.answer(logits) != label) {
      found = image;
    } else if (margin > bestLoss) {
      bestLoss = margin;
      best = image;
    }
    return margin;
  }

  /** Whether there is an 8-bit image that is wrong: then the attempt is over. */
  boolean isFound() {
    return found != null;
  }

  /** What came of it. */
  AttackResult result() {
    return new AttackResult(found != null ? found : best != null ? best : clean, found != null, scores, gradients);
  }

  private int next() {
    if (target.isRandom()) {
      draw++;
    }
    return draw;
  }

  private void add(double[] mean, double[] values) {
    for (int i = 0; i < mean.length; i++) {
      mean[i] += values[i] / repeats;
    }
  }
}
