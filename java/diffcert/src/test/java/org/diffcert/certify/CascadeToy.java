package org.diffcert.certify;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;

/**
 * A cascade over images of one or two pixels whose probabilities are computed by summing over all noise, and so whose
 * certified function is known at every image.
 */
final class CascadeToy {
  private static final int SIDE = 256;

  final int pixels;
  final int classes;
  final double p0;
  /** Descending, as the cascade walks. */
  final List<Sigma> sigmas;
  private final List<Pixels> rules;
  /** {@code [stage][class][image]}, image = first pixel, or 256 first + second. */
  private final double[][][] probabilities;
  /** The certified function, -1 where all stages pass. */
  private final int[] answers;

  CascadeToy(int classes, double p0, List<Sigma> descending, List<Pixels> rules) {
    this.pixels = rules.get(0).shape().elements();
    this.classes = classes;
    this.p0 = p0;
    this.sigmas = List.copyOf(descending);
    this.rules = List.copyOf(rules);
    this.probabilities = new double[sigmas.size()][][];
    for (int stage = 0; stage < sigmas.size(); stage++) {
      probabilities[stage] = pixels == 1 ? line(stage) : plane(stage);
    }
    this.answers = new int[images()];
    for (int image = 0; image < answers.length; image++) {
      answers[image] = walk(image);
    }
  }

  /** Random intervals (one pixel) or sides of random lines (two) for every stage. */
  static CascadeToy random(long seed, int pixels) {
    SplittableRandom random = new SplittableRandom(seed);
    int stages = 1 + random.nextInt(3);
    int classes = 2 + random.nextInt(3);
    double p0 = new double[] {0.5, 0.5, 0.6, 0.9}[random.nextInt(4)];
    List<Sigma> sigmas = new ArrayList<>();
    List<Pixels> rules = new ArrayList<>();
    double sigma = 0.25;
    for (int stage = 0; stage < stages; stage++) {
      sigmas.add(new Sigma(sigma));
      sigma *= random.nextDouble(0.4, 0.9);
      int parts = 2 + random.nextInt(4);
      double[][] lines = new double[parts - 1][];
      int[] colours = random.ints(1 << parts - 1, 0, classes).toArray();
      for (int i = 0; i < lines.length; i++) {
        double angle = pixels == 1 ? 0 : random.nextDouble(Math.PI);
        lines[i] = new double[] {Math.cos(angle), Math.sin(angle), random.nextDouble(20, 235)};
      }
      rules.add(new Pixels(classes, new ImageShape(1, 1, pixels), values -> {
        int side = 0;
        for (int i = 0; i < lines.length; i++) {
          double along = lines[i][0] * values[0] + (pixels == 1 ? 0 : lines[i][1] * values[1]);
          side |= along > lines[i][2] ? 1 << i : 0;
        }
        return colours[side];
      }));
    }
    return new CascadeToy(classes, p0, sigmas, rules);
  }

  int images() {
    return pixels == 1 ? SIDE : SIDE * SIDE;
  }

  ByteImage image(int image) {
    byte[] bytes = pixels == 1 ? new byte[] {(byte) image} : new byte[] {(byte) (image / SIDE), (byte) (image % SIDE)};
    return new ByteImage(new ImageShape(1, 1, pixels), bytes);
  }

  int answer(int image) {
    return answers[image];
  }

  double probability(int stage, int index, int image) {
    return probabilities[stage][index][image];
  }

  /** The least sum of squared differences to an image with another answer. */
  long nearest(int image, int predict) {
    long nearest = Long.MAX_VALUE;
    for (int other = 0; other < answers.length; other++) {
      if (answers[other] != predict) {
        nearest = Math.min(nearest, squared(image, other));
      }
    }
    return nearest;
  }

  private long squared(int one, int other) {
    long first = pixels == 1 ? one - other : one / SIDE - other / SIDE;
    long second = pixels == 1 ? 0 : one % SIDE - other % SIDE;
    return first * first + second * second;
  }

  CascadeVotes votes(long seed) {
    List<NoisyVotes> scales = new ArrayList<>();
    for (int stage = 0; stage < rules.size(); stage++) {
      scales.add(new NoisyVotes(rules.get(stage), List.of(sigmas.get(stage)), seed));
    }
    return new CascadeVotes(scales);
  }

  CascadeRule rule(Cascade.Walk walk, CertifyConfig config) {
    return new CascadeRule(new Cascade(p0, walk), sigmas.stream().sorted().toList(), classes, config);
  }

  /** Votes in the proportions of the probabilities. */
  Histogram expected(int stage, int image, int n) {
    int[] counts = new int[classes];
    int sum = 0;
    for (int c = 0; c < classes; c++) {
      counts[c] = (int) Math.floor(n * probabilities[stage][c][image]);
      sum += counts[c];
    }
    counts[new Histogram(counts, 0).top()] += n - sum;
    return new Histogram(counts, 0);
  }

  private int walk(int image) {
    for (double[][] stage : probabilities) {
      for (int c = 0; c < classes; c++) {
        if (stage[c][image] > p0) {
          return c;
        }
      }
    }
    return -1;
  }

  private double[][] line(int stage) {
    double[][] found = new double[classes][SIDE];
    double[] law = law(stage);
    int reach = law.length / 2;
    for (int x = 0; x < SIDE; x++) {
      for (int noise = -reach; noise <= reach; noise++) {
        found[vote(stage, x + noise)][x] += law[noise + reach];
      }
    }
    return found;
  }

  /** One axis after the other: the noise of the two pixels is independent. */
  private double[][] plane(int stage) {
    double[][] found = new double[classes][SIDE * SIDE];
    double[] law = law(stage);
    int reach = law.length / 2;
    for (int first = -reach; first < SIDE + reach; first++) {
      double[][] row = new double[classes][SIDE];
      for (int second = -reach; second < SIDE + reach; second++) {
        double[] shares = row[vote(stage, first, second)];
        for (int y = Math.max(0, second - reach); y <= Math.min(SIDE - 1, second + reach); y++) {
          shares[y] += law[second - y + reach];
        }
      }
      for (int x = Math.max(0, first - reach); x <= Math.min(SIDE - 1, first + reach); x++) {
        double weight = law[first - x + reach];
        for (int c = 0; c < classes; c++) {
          for (int y = 0; y < SIDE; y++) {
            found[c][SIDE * x + y] += weight * row[c][y];
          }
        }
      }
    }
    return found;
  }

  private int vote(int stage, int... values) {
    return rules.get(stage).rule().applyAsInt(values);
  }

  /** Probabilities of the noise to six standard deviations, made to sum to 1. */
  private double[] law(int stage) {
    Sigma sigma = sigmas.get(stage);
    int reach = (int) Math.ceil(6 * sigma.bytes());
    double[] law = new double[2 * reach + 1];
    double sum = 0;
    for (int noise = -reach; noise <= reach; noise++) {
      law[noise + reach] = Pixels.probability(sigma, noise);
      sum += law[noise + reach];
    }
    for (int i = 0; i < law.length; i++) {
      law[i] /= sum;
    }
    return law;
  }
}
