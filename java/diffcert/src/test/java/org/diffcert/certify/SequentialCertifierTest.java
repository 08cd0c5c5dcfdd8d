package org.diffcert.certify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.ClopperPearson;
import org.diffcert.stats.Radius;
import org.diffcert.stats.StopRule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** CERTIFY that looks while votes come: where it stops, what it states there, and that batches do not show. */
class SequentialCertifierTest {
  private static final ByteImage IMAGE = ToySource.image();
  private static final Sigma[] SIGMAS = {new Sigma(0.25), new Sigma(0.5)};

  private static CertifyConfig config(Stopping.Kind kind, int n, Double... radii) {
    return CertifyConfig.of(10, n, 0.001).withStop(new Stopping(kind, List.of(radii)));
  }

  /** The stop is at a sample, whatever the chunk; later votes of the chunk are not counted. */
  @ParameterizedTest
  @EnumSource(value = Stopping.Kind.class, names = {"SEQUENTIAL", "STAGED"})
  void chunksDoNotShowInTheResult(Stopping.Kind kind) {
    CertifyConfig config = config(kind, 2000, 0.1, 0.4);
    for (int image = 0; image < 5; image++) {
      double distance = 0.12 * image;
      List<Certificate> whole = new Certifier(ToySource.halfSpace(5, distance, SIGMAS), config).certify(IMAGE, image);
      for (int chunk : new int[] {1, 7, 64, 5000}) {
        Certifier certifier = new Certifier(ToySource.halfSpace(5, distance, SIGMAS), config, chunk);
        assertEquals(whole, certifier.certify(IMAGE, image), "chunk " + chunk);
      }
    }
  }

  /** The histogram is that of the first samples, up to the one at which the rule stops, for each sigma its own. */
  @ParameterizedTest
  @EnumSource(value = Stopping.Kind.class, names = {"SEQUENTIAL", "STAGED"})
  void itStopsAtTheFirstSampleItMay(Stopping.Kind kind) {
    CertifyConfig config = config(kind, 3000, 0.2);
    ToySource source = ToySource.halfSpace(9, 0.3, SIGMAS);
    int[][] votes = new int[2][3000];
    source.votes(IMAGE, 4, Phase.ESTIMATE, 0, 3000, votes);
    List<Certificate> certificates = new Certifier(source, config, 50).certify(IMAGE, 4);
    List<StopRule> rules = config.rules(List.of(SIGMAS));
    for (int s = 0; s < 2; s++) {
      Certificate c = certificates.get(s);
      int n = 0;
      int k = 0;
      do {
        k += votes[s][n++] == c.candidate() ? 1 : 0;
      } while (!rules.get(s).stops(k, n));
      assertEquals(n, c.samples());
      assertEquals(k, c.estimation().count(c.candidate()));
      assertTrue(c.radius() >= 0.2, "what was asked for is reached: " + c.radius());
      assertEquals(c, Certificate.of(c.sigma(), c.selection(), c.estimation(), rules.get(s)));
    }
    assertTrue(certificates.get(0).samples() != certificates.get(1).samples());
  }

  /** With chunks of its own choice it draws no more than it could need, up to the least chunk. */
  @Test
  void littleIsDrawnInVain() {
    List<Integer> ends = new ArrayList<>();
    ToySource source = new ToySource(1, 2, List.of(new Sigma(0.5)), (sigma, normal) -> 0) {
      @Override
      public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes) {
        if (phase == Phase.ESTIMATE) {
          ends.add(to);
        }
        super.votes(image, imageId, phase, from, to, votes);
      }
    };
    Certifier certifier = new Certifier(source, config(Stopping.Kind.SEQUENTIAL, 10_000, 0.25, 0.5));
    Certification found = certifier.count(IMAGE, 0, ProgressListener.NONE, () -> false);
    int samples = found.certificates().get(0).samples();
    assertTrue(samples < 56, samples + " samples for unanimous votes at Phi(1)");
    assertTrue(ends.get(ends.size() - 1) < samples + 16, ends + " for " + samples);
    assertEquals(10 + samples, found.calls(), "what the chunk drew beyond is not counted");
  }

  /** At the cap, the certificate is that of the bound there: less than was asked for, or nothing. */
  @Test
  void atTheCapItStatesWhatItHas() {
    Certificate c = new Certifier(ToySource.halfSpace(3, 0.26, new Sigma(0.25)),
        config(Stopping.Kind.SEQUENTIAL, 400, 0.25)).certify(IMAGE, 0).get(0);
    assertEquals(400, c.samples());
    assertTrue(!c.abstains() && c.radius() > 0.1 && c.radius() < 0.25, "radius " + c.radius());
    assertTrue(c.pALower() < ClopperPearson.lower(c.estimation().count(0), 400, 0.001), "the price of looking");
  }

  /** An image that is not robust at what is asked is given up early, with what is known by then. */
  @Test
  void aHopelessRadiusIsGivenUpEarly() {
    Certificate c = new Certifier(ToySource.halfSpace(3, 0.2, new Sigma(0.25)),
        config(Stopping.Kind.SEQUENTIAL, 10_000, 0.4)).certify(IMAGE, 0).get(0);
    assertTrue(c.samples() < 1000, c.samples() + " samples");
    assertTrue(c.radius() < 0.2, "radius " + c.radius());
  }

  /** A radius that one sigma cannot reach is left to the others; one that none can is refused. */
  @Test
  void unreachableRadii() {
    CertifyConfig config = config(Stopping.Kind.SEQUENTIAL, 1000, 0.1, 1.0);
    List<Certificate> certificates =
        new Certifier(ToySource.halfSpace(3, 9, new Sigma(0.25), new Sigma(1)), config).certify(IMAGE, 0);
    assertTrue(certificates.get(0).samples() < 60, "0.1 alone counts at sigma 0.25");
    assertTrue(certificates.get(0).radius() >= 0.1 && certificates.get(1).radius() >= 1);
    for (Stopping.Kind kind : List.of(Stopping.Kind.SEQUENTIAL, Stopping.Kind.STAGED)) {
      DiffcertException e = assertThrows(DiffcertException.class,
          () -> new Certifier(ToySource.halfSpace(1, 1, new Sigma(0.25)), config(kind, 1000, 1.0)));
      assertEquals(DiffcertException.Kind.USAGE, e.kind());
      assertTrue(e.getMessage().contains("out of reach") && e.getMessage().contains("0.25"), e.getMessage());
    }
  }

  @Test
  void wrongRulesAreRefused() {
    assertThrows(DiffcertException.class, () -> new Stopping(Stopping.Kind.FIXED, List.of(0.5)));
    assertThrows(DiffcertException.class, () -> new Stopping(Stopping.Kind.STAGED, List.of()));
    assertThrows(DiffcertException.class, () -> new Stopping(Stopping.Kind.SEQUENTIAL, List.of(0.5, 0.5)));
    for (double radius : new double[] {-0.1, Double.NaN, 1001}) {
      assertThrows(DiffcertException.class, () -> new Stopping(Stopping.Kind.SEQUENTIAL, List.of(radius)));
    }
    assertEquals(List.of(0.25, 0.5), new Stopping(Stopping.Kind.SEQUENTIAL, List.of(0.5, 0.25)).radii());
    assertThrows(DiffcertException.class, () -> Stopping.Kind.of("never"));
    for (Stopping.Kind kind : List.of(Stopping.Kind.SEQUENTIAL, Stopping.Kind.STAGED)) {
      DiffcertException e = assertThrows(DiffcertException.class,
          () -> config(kind, 900_000, 0.1, 0.2, 0.3, 0.4, 0.5).rules(List.of(SIGMAS)));
      assertTrue(e.getMessage().contains("5 radii at 2 sigmas"), e.getMessage());
    }
    assertEquals(Stopping.Kind.STAGED, Stopping.Kind.of("staged"));
  }

  /** The probability of a radius is rounded up: the radius of that bound is the radius again, or just above. */
  @Test
  void theProbabilityOfARadiusReachesIt() {
    for (double sigma : new double[] {0.1, 0.25, 0.5, 1}) {
      for (double radius = 0.05; radius < 4 * sigma; radius += 0.05) {
        double p = Radius.probability(new Sigma(sigma), radius);
        double reached = Radius.down(new Sigma(sigma), p);
        assertTrue(reached >= radius && reached < radius * (1 + 1e-9), sigma + ", " + radius + ": " + reached);
      }
    }
    assertEquals(0.5, Radius.probability(new Sigma(1), 0));
    assertEquals(1, Radius.probability(new Sigma(0.1), 5));
  }
}
