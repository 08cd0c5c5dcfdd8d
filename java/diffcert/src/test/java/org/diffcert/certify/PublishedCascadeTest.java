package org.diffcert.certify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Locale;
import org.apache.commons.statistics.distribution.BinomialDistribution;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;

/**
 * The published code's two defects (E4), each on a case made for it: a certificate that is false, where ours is true.
 */
class PublishedCascadeTest {
  private static final ImageShape PIXEL = new ImageShape(1, 1, 1);

  /**
   * The first stage leans to class 0 (0.6 of its votes) and passes below 0.9; the second says class 1 wherever it is
   * asked. Brighter, the first stage soon answers 0. What has to be bounded is class 0; the published code bounds what
   * is not class 0.
   */
  @Test
  void theBoundIsOnTheRightClass() {
    List<Sigma> sigmas = List.of(new Sigma(0.25), new Sigma(0.2));
    CascadeToy toy = new CascadeToy(2, 0.9, sigmas, List.of(new Pixels(2, PIXEL, v -> v[0] >= 84 ? 0 : 1),
        new Pixels(2, PIXEL, v -> 1)));
    int image = 100;
    assertEquals(1, toy.answer(image));
    long nearest = toy.nearest(image, 1);
    assertTrue(nearest > 60 * 60 && toy.answer(image + (int) Math.sqrt(nearest)) == 0, "it becomes class 0");
    CertifyConfig config = CertifyConfig.of(100, 2000, 0.001);
    CascadeCertifier certifier = new CascadeCertifier(toy.votes(11), new Cascade(toy.p0, Cascade.Walk.FIRST), config);
    int falseThere = 0;
    int falseHere = 0;
    int certified = 0;
    for (int run = 0; run < 50; run++) {
      CascadeCertificate c = certifier.certify(toy.image(image), run);
      double published = PublishedCascade.radius(sigmas, toy.p0, config.alpha(),
          c.stages().stream().map(CascadeStage::selection).toList(),
          c.stages().stream().map(CascadeStage::estimation).toList());
      falseThere += Math.pow(255 * published, 2) >= nearest ? 1 : 0;
      falseHere += c.integerRadius().squared() >= nearest ? 1 : 0;
      certified += c.abstains() ? 0 : 1;
    }
    System.out.println("PublishedCascadeTest: wrong class: " + falseThere + " of 50 false by the published code, "
        + falseHere + " of " + certified + " by ours");
    assertEquals(50, falseThere);
    assertEquals(0, falseHere);
    assertEquals(50, certified);
  }

  /**
   * The first stage has class 1 at 0.965, little below the threshold 0.97, so the true radius is small. Its votes are
   * binomial: the probability of a false certificate is a sum over all counts. Goodman's bound makes it more than
   * alpha.
   */
  @Test
  void theBoundIsExact() {
    double alpha = 1e-6;
    int n = 1000;
    List<Sigma> sigmas = List.of(new Sigma(1), new Sigma(0.9));
    // Of the noise 0.965 are at most 1.812 standard deviations, 462 units; the second stage says class 0.
    CascadeToy toy = new CascadeToy(3, 0.97, sigmas, List.of(new Pixels(3, PIXEL, v -> v[0] <= 100 + 462 ? 1 : 2),
        new Pixels(3, PIXEL, v -> 0)));
    int image = 100;
    assertEquals(0, toy.answer(image));
    long nearest = toy.nearest(image, 0);
    CascadeRule rule = toy.rule(Cascade.Walk.FIRST, CertifyConfig.of(n, n, alpha));
    BinomialDistribution law = BinomialDistribution.of(n, toy.probability(0, 2, image));
    Histogram second = new Histogram(new int[] {n, 0, 0}, 0);
    double there = 0;
    double here = 0;
    double certified = 0;
    for (int failures = 0; failures <= n; failures++) {
      Histogram first = new Histogram(new int[] {0, n - failures, failures}, 0);
      double published = PublishedCascade.radius(sigmas, toy.p0, alpha, List.of(first, second), List.of(first, second));
      there += published >= 0 && Math.pow(255 * published, 2) >= nearest ? law.probability(failures) : 0;
      List<CascadeStage> stages = List.of(rule.stage(0, first, first), rule.stage(1, second, second));
      CascadeCertificate c = rule.certificate(rule.goesOn(stages.subList(0, 1)) ? stages : stages.subList(0, 1),
          rule.goesOn(stages.subList(0, 1)) ? List.of() : List.of(second));
      here += c.integerRadius().squared() >= nearest ? law.probability(failures) : 0;
      certified += c.abstains() ? 0 : law.probability(failures);
    }
    System.out.printf(Locale.ROOT, "PublishedCascadeTest: Goodman: alpha %.1e, nearest %d: false with probability "
        + "%.2e by the published code, %.2e by ours (which certifies with %.2e)%n", alpha, nearest, there, here,
        certified);
    assertTrue(there > 1.5 * alpha, "published: " + there);
    assertTrue(here <= rule.share() && here > 0, "ours: " + here);
  }
}
