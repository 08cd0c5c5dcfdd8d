package org.diffcert.certify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.statistics.distribution.BinomialDistribution;
import org.diffcert.image.ByteImage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Cascades whose certified function is known at every image (E4): with votes in exact proportions no certified image
 * changes class inside of its radius, wherever it lies; with votes drawn, certificates are false no oftener than alpha.
 */
class CascadeSoundnessTest {
  private static final int DEPTH = Integer.getInteger("depth", 1);
  private static final double ALPHA = 0.05;
  private static final int RUNS = 1000 * DEPTH;

  /** What a grid of images showed. */
  private static final class Tally {
    private int certified;
    private int later;
    private int sharp;
    private int withoutConstraints;
  }

  /** Every image of 60 random cascades over one pixel. */
  @ParameterizedTest
  @EnumSource(Cascade.Walk.class)
  void noImageChangesClassInsideItsRadiusOnALine(Cascade.Walk walk) {
    Tally tally = new Tally();
    for (long seed = 1; seed <= 60L * DEPTH; seed++) {
      check(CascadeToy.random(seed, 1), walk, 1, tally, "seed " + seed);
    }
    System.out.printf("CascadeSoundnessTest: line, walk %s: %d certified, %d by a later stage, %d within 6 of the "
        + "truth, %d false without the earlier stages' constraints%n", walk, tally.certified, tally.later, tally.sharp,
        tally.withoutConstraints);
    assertTrue(tally.certified > 5000 && tally.later > 300, "the cases say something");
    assertTrue(tally.sharp > tally.certified / 20, "radii are not needlessly small everywhere: " + tally.sharp);
    assertTrue(tally.withoutConstraints > 100, "a radius of the answering stage alone is caught");
  }

  /** A grid of images of random cascades over two pixels, against all 65,536 images. */
  @ParameterizedTest
  @ValueSource(longs = {1, 8, 19})
  void noImageChangesClassInsideItsRadiusOnAPlane(long seed) {
    Tally tally = new Tally();
    CascadeToy toy = CascadeToy.random(seed, 2);
    check(toy, Cascade.Walk.ALL, 8, tally, "seed " + seed);
    System.out.printf("CascadeSoundnessTest: plane %d, %d stages, p0 %s: %d certified, %d by a later stage, %d false "
        + "without constraints%n", seed, toy.sigmas.size(), toy.p0, tally.certified, tally.later,
        tally.withoutConstraints);
    assertTrue(tally.certified > 200 && tally.later > 20, "the case says something");
  }

  private static void check(CascadeToy toy, Cascade.Walk walk, int step, Tally tally, String name) {
    int n = 10_000;
    CascadeRule rule = toy.rule(walk, CertifyConfig.of(100, n, 0.001));
    int side = toy.pixels == 1 ? 1 : 256;
    for (int image = 0; image < toy.images(); image++) {
      if (image / side % step != 0 || image % side % step != 0) {
        continue;
      }
      CascadeCertificate c = certificate(toy, rule, image, n);
      if (c.abstains()) {
        continue;
      }
      long nearest = toy.nearest(image, c.predict());
      assertTrue(c.integerRadius().squared() < nearest, name + ", image " + image + ": " + c + ", but " + nearest);
      tally.certified++;
      tally.later += c.stage() > 0 ? 1 : 0;
      tally.sharp += nearest < Long.MAX_VALUE && Math.sqrt(nearest) - 255 * c.radius() < 6 ? 1 : 0;
      tally.withoutConstraints += careless(c) >= nearest ? 1 : 0;
    }
  }

  /** What the answering stage alone would certify. */
  private static double careless(CascadeCertificate c) {
    double alone = 255 * c.stages().get(c.stage()).answers();
    return alone * alone;
  }

  private static CascadeCertificate certificate(CascadeToy toy, CascadeRule rule, int image, int n) {
    List<CascadeStage> stages = new ArrayList<>();
    do {
      Histogram votes = toy.expected(stages.size(), image, n);
      stages.add(rule.stage(stages.size(), votes, votes));
    } while (rule.goesOn(stages));
    List<Histogram> unseen = new ArrayList<>();
    for (int stage = stages.size(); stage < toy.sigmas.size(); stage++) {
      unseen.add(toy.expected(stage, image, n));
    }
    return rule.certificate(stages, unseen);
  }

  /**
   * Images where a constraint binds, certified again and again with other noise: 150 samples a stage, which both walks
   * share.
   */
  @ParameterizedTest
  @ValueSource(doubles = {0.5, 0.6, 0.9})
  void falseCertificatesAreFew(double p0) {
    int allowed = BinomialDistribution.of(RUNS, ALPHA).inverseCumulativeProbability(1 - 1e-6);
    int cases = 0;
    int careless = 0;
    for (long seed = 1; cases < 3; seed++) {
      CascadeToy toy = CascadeToy.random(seed, 1);
      int image = toy.p0 == p0 ? binding(toy) : -1;
      if (image < 0) {
        continue;
      }
      cases++;
      long nearest = toy.nearest(image, toy.answer(image));
      CertifyConfig config = CertifyConfig.of(9, 150, ALPHA);
      CascadeCertifier certifier = new CascadeCertifier(toy.votes(20261121), Cascade.DEFAULT, config);
      int[] certified = new int[2];
      int[] wrong = new int[2];
      for (int run = 0; run < RUNS; run++) {
        for (Cascade.Walk walk : Cascade.Walk.values()) {
          CascadeCertificate c = certifier.certify(toy.rule(walk, config), toy.image(image), run, ProgressListener.NONE,
              () -> false).certificate();
          if (!c.abstains()) {
            boolean other = c.predict() != toy.answer(image);
            certified[walk.ordinal()]++;
            wrong[walk.ordinal()] += other || c.integerRadius().squared() >= nearest ? 1 : 0;
            careless += other || careless(c) >= nearest ? 1 : 0;
          }
        }
      }
      System.out.println("CascadeSoundnessTest: seed " + seed + ", image " + image + ", p0 " + p0 + ": "
          + certified[0] + " and " + certified[1] + " certified, " + wrong[0] + " and " + wrong[1] + " false");
      assertTrue(Math.max(wrong[0], wrong[1]) <= allowed, "more false certificates than the " + allowed + " allowed");
      assertTrue(certified[0] > RUNS / 10, "many are certified");
    }
    System.out.println("CascadeSoundnessTest: p0 " + p0 + ": " + careless + " false without constraints");
    assertTrue(careless > 2 * cases * allowed, "without the earlier stages' constraints it would show");
  }

  /** An image that a later stage certifies and whose radius an earlier one limits, or -1. */
  private static int binding(CascadeToy toy) {
    CascadeRule rule = toy.rule(Cascade.Walk.FIRST, CertifyConfig.of(9, 150, ALPHA));
    for (int image = 0; image < toy.images(); image++) {
      CascadeCertificate c = certificate(toy, rule, image, 150);
      if (!c.abstains() && c.predict() == toy.answer(image) && careless(c) >= toy.nearest(image, c.predict())) {
        return image;
      }
    }
    return -1;
  }

  /** One stage and p0 = 1/2: nothing but randomized smoothing, to the bit. */
  @Test
  void oneStageIsPlainSmoothing() {
    CascadeToy toy = null;
    for (long seed = 1; toy == null; seed++) {
      CascadeToy candidate = CascadeToy.random(seed, 1);
      toy = candidate.sigmas.size() == 1 && candidate.p0 == 0.5 ? candidate : null;
    }
    CascadeVotes votes = toy.votes(5);
    CertifyConfig config = CertifyConfig.of(20, 500, 0.001);
    CascadeCertifier cascade = new CascadeCertifier(votes, Cascade.DEFAULT, config);
    Certifier plain = new Certifier(votes, config);
    for (int image = 0; image < 256; image += 5) {
      ByteImage x = toy.image(image);
      assertEquals(plain.certify(x, image).get(0), cascade.certify(x, image).certificate());
    }
  }
}
