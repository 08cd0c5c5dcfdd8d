package org.diffcert.certify;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.apache.commons.statistics.distribution.BinomialDistribution;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * End to end through the real sampler (B3): classifiers whose smoothed radius is known, certified again and again with
 * other noise, with a fixed number of samples and with rules that look while they come. False certificates must be no
 * more than alpha allows.
 */
class ToyRadiusTest {
  private static final double ALPHA = 0.05;
  private static final int RUNS = 2000;
  private static final Sigma SIGMA = new Sigma(0.25);

  /**
   * A classifier, an image and the truth about it.
   *
   * @param name what it is
   * @param classifier the classifier
   * @param image the image
   * @param truth the smoothed classifier's class of the image, or -1 for a tie, where every certificate is false
   * @param nearest least sum of squared differences to an image of another class
   * @param samples most estimation samples of a run
   */
  private record Toy(String name, BaseClassifier classifier, ByteImage image, int truth, long nearest, int samples) {
    boolean isFalse(Certificate c) {
      return !c.abstains() && (c.predict() != truth || c.integerRadius().squared() >= nearest);
    }

    /** Radii that make errors likely: one that is true, and the least that is not. */
    List<Double> radii() {
      double least = nearest == Long.MAX_VALUE ? 0.3 : Math.sqrt(nearest) / 255;
      return truth < 0 ? List.of(0.0) : List.of(least / 2, least);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Toy> toys() {
    return Stream.of(halfSpace(1, 80, 150), halfSpace(3, 130, 150), halfSpace(3072, 3072, 15), constant(), checkers(),
        tie());
  }

  /** Class 0 while the values sum to less than the image's own sum and what is missing. */
  private static Toy halfSpace(int dimensions, int missing, int samples) {
    ImageShape shape = dimensions == 3072 ? new ImageShape(3, 32, 32) : new ImageShape(dimensions, 1, 1);
    byte[] pixels = new byte[dimensions];
    Arrays.fill(pixels, (byte) 120);
    int threshold = 120 * dimensions + missing;
    // The nearest image beyond spreads the missing sum as evenly as integers can.
    long least = missing / dimensions;
    long more = missing % dimensions;
    long nearest = (dimensions - more) * least * least + more * (least + 1) * (least + 1);
    BaseClassifier below = new Pixels(2, shape, values -> Arrays.stream(values).sum() < threshold ? 0 : 1);
    return new Toy("half-space in " + dimensions, below, new ByteImage(shape, pixels), 0, nearest, samples);
  }

  private static Toy constant() {
    ImageShape shape = new ImageShape(1, 2, 2);
    return new Toy("constant", new Pixels(3, shape, values -> 2), new ByteImage(shape, new byte[4]), 2, Long.MAX_VALUE,
        150);
  }

  /** Squares of 200 on a plane of two pixels; what smoothing makes of them is computed exactly. */
  private static Toy checkers() {
    ImageShape shape = new ImageShape(1, 1, 2);
    int width = 200;
    BaseClassifier board = new Pixels(2, shape,
        values -> Math.floorMod(Math.floorDiv(values[0], width) + Math.floorDiv(values[1], width), 2));
    double[] odd = new double[256];
    for (int pixel = 0; pixel < 256; pixel++) {
      for (int noise = -500; noise <= 500; noise++) {
        odd[pixel] += Math.floorMod(Math.floorDiv(pixel + noise, width), 2) * Pixels.probability(SIGMA, noise);
      }
    }
    int a = 95;
    int b = 105;
    long nearest = Long.MAX_VALUE;
    for (int x = 0; x < 256; x++) {
      for (int y = 0; y < 256; y++) {
        boolean one = odd[x] * (1 - odd[y]) + odd[y] * (1 - odd[x]) >= 0.5;
        nearest = one ? Math.min(nearest, (long) (x - a) * (x - a) + (long) (y - b) * (y - b)) : nearest;
      }
    }
    assertTrue(nearest > 1000 && nearest < 20_000, "the case says something: " + nearest);
    return new Toy("checkerboard", board, new ByteImage(shape, new byte[] {(byte) a, (byte) b}), 0, nearest, 150);
  }

  /** As often above as below, and no vote where there is no noise. */
  private static Toy tie() {
    ImageShape shape = new ImageShape(1, 1, 1);
    BaseClassifier sides = new Pixels(2, shape,
        values -> values[0] == 120 ? VoteSource.NO_VOTE : values[0] < 120 ? 0 : 1);
    return new Toy("tie", sides, new ByteImage(shape, new byte[] {120}), -1, 0, 150);
  }

  @ParameterizedTest
  @MethodSource("toys")
  void falseCertificatesAreFew(Toy toy) {
    int allowed = BinomialDistribution.of(RUNS, ALPHA).inverseCumulativeProbability(1 - 1e-6);
    for (Stopping.Kind kind : Stopping.Kind.values()) {
      Stopping stop = kind == Stopping.Kind.FIXED ? Stopping.FIXED : new Stopping(kind, toy.radii());
      CertifyConfig config = CertifyConfig.of(9, toy.samples(), ALPHA).withStop(stop);
      Certifier certifier = new Certifier(new NoisyVotes(toy.classifier(), List.of(SIGMA), 20261121), config, 10);
      int wrong = 0;
      int certified = 0;
      for (int run = 0; run < RUNS; run++) {
        Certificate c = certifier.certify(toy.image(), run).get(0);
        wrong += toy.isFalse(c) ? 1 : 0;
        certified += c.abstains() ? 0 : 1;
      }
      System.out.println("ToyRadiusTest: " + toy + ", " + kind + ": " + certified + " certified, " + wrong + " false");
      assertTrue(wrong <= allowed, toy + ", " + kind + ": " + wrong + " false certificates, " + allowed + " allowed");
      assertTrue(toy.truth() < 0 || certified > RUNS / 3, "many are certified");
      assertTrue(toy.truth() >= 0 || kind != Stopping.Kind.FIXED || wrong > 0, "at this alpha some ties are certified");
    }
  }

  /** The certified radius of a half-space is nearly its distance, and not above. */
  @Test
  void radiiOfHalfSpacesAreSharp() {
    int n = 100_000;
    for (int[] form : new int[][] {{1, 96}, {3, 166}, {3072, 5300}}) {
      Toy toy = halfSpace(form[0], form[1], n);
      NoisyVotes votes = new NoisyVotes(toy.classifier(), List.of(SIGMA), 20261121);
      Certificate c = new Certifier(votes, CertifyConfig.of(100, n, 0.001)).certify(toy.image(), 0).get(0);
      // Real smoothing sees the boundary half a step before the nearest sum beyond it.
      double distance = (form[1] - 0.5) / Math.sqrt(form[0]) / 255;
      double probability = NormalDistribution.of(0, SIGMA.unit()).cumulativeProbability(distance);
      double deviations = (c.estimation().count(0) - n * probability) / Math.sqrt(n * probability * (1 - probability));
      System.out.printf(Locale.ROOT, "ToyRadiusTest: %s: radius %.5f of %.5f, votes %.2f deviations from their mean%n",
          toy, c.radius(), distance, deviations);
      assertTrue(Math.abs(deviations) < 4.5, "the sampler's law: " + deviations);
      assertTrue(c.radius() < distance && c.radius() > 0.98 * distance, toy + ": " + c.radius() + " of " + distance);
      assertTrue(c.predict() == 0 && c.integerRadius().squared() < toy.nearest());
    }
  }
}
