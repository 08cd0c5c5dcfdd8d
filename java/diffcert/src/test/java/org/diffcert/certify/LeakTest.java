package org.diffcert.certify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.IntegerNoise;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;

/**
 * A classifier that reads the low bits of its input (after Voracek and Hein 2023). The sum of a white pixel and any
 * float32 noise is a multiple of 2^-24; that of a darker pixel often is not, because small floats are spaced more
 * finely. So with float noise the classifier knows the image through any amount of noise and gets a certificate that is
 * false; integer noise has nothing to leak.
 */
class LeakTest {
  private static final Sigma SIGMA = new Sigma(0.5);
  private static final ImageShape TWO = new ImageShape(1, 1, 2);
  private static final ByteImage WHITE = new ByteImage(TWO, new byte[] {-1, -1});
  private static final ByteImage DARK = new ByteImage(TWO, new byte[] {63, 63});
  private static final CertifyConfig CONFIG = CertifyConfig.of(100, 1000, 0.001);

  /** Class 0 if every value is a multiple of 2^-24. */
  private static int lowBits(float... values) {
    for (float v : values) {
      if (Math.rint(v * 0x1p24) != v * 0x1p24) {
        return 1;
      }
    }
    return 0;
  }

  /** The same votes as in the field's scripts: float32 image plus float32 noise. */
  private static final VoteSource FLOAT_NOISE = new ToySource(1, 2, List.of(SIGMA), (sigma, normal) -> 0) {
    @Override
    public ImageShape shape() {
      return TWO;
    }

    @Override
    public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes) {
      for (int sample = from; sample < to; sample++) {
        double[] z = new NoiseKey(9, imageId, phase, sample).normals(NoiseStream.SMOOTHING, 0, 2);
        votes[0][sample - from] = lowBits(image.get(0) / 255f + (float) (SIGMA.unit() * z[0]),
            image.get(1) / 255f + (float) (SIGMA.unit() * z[1]));
      }
    }
  };

  private static final BaseClassifier READS_LOW_BITS = new BaseClassifier() {
    @Override
    public int classes() {
      return 2;
    }

    @Override
    public ImageShape shape() {
      return TWO;
    }

    @Override
    public Map<String, Object> identity() {
      return Map.of("name", "low bits");
    }

    @Override
    public void classify(int[][] inputs, int[] classes) {
      for (int j = 0; j < inputs.length; j++) {
        classes[j] = lowBits(inputs[j][0] / 255f, inputs[j][1] / 255f);
      }
    }

    @Override
    public void close() {}
  };

  @Test
  void floatNoiseCertifiesWhatIsFalse() {
    Certificate white = new Certifier(FLOAT_NOISE, CONFIG).certify(WHITE, 0).get(0);
    Certificate dark = new Certifier(FLOAT_NOISE, CONFIG).certify(DARK, 0).get(0);
    assertEquals(0, white.predict());
    assertEquals(1, dark.predict(), "the smoothed classifier calls the dark image something else");
    assertTrue(white.integerRadius().covers(WHITE, DARK), "and yet the certificate covers it: the test shows the leak");
  }

  /**
   * Our own float mode, number for number as noise.md has it: float64, EDM space, the classifier behind it. A white
   * pixel is 1, and 1 plus any noise is a multiple of 2^-53; a grey one is close to 0, where doubles are finer.
   */
  @Test
  void floatModeCertifiesWhatIsFalse() {
    ImageShape four = new ImageShape(1, 2, 2);
    ByteImage white = new ByteImage(four, new byte[] {-1, -1, -1, -1});
    ByteImage grey = new ByteImage(four, new byte[] {127, 127, 127, 127});
    VoteSource floatMode = new ToySource(1, 2, List.of(SIGMA), (sigma, normal) -> 0) {
      @Override
      public ImageShape shape() {
        return four;
      }

      @Override
      public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes) {
        for (int sample = from; sample < to; sample++) {
          double[] z = new NoiseKey(9, imageId, phase, sample).normals(NoiseStream.SMOOTHING, 0, 4);
          int vote = 0;
          for (int e = 0; e < 4; e++) {
            double v = (2 * image.get(e) - 255) / 255.0 + 2 * SIGMA.unit() * z[e];
            vote |= Math.rint(v * 0x1p53) == v * 0x1p53 ? 0 : 1;
          }
          votes[0][sample - from] = vote;
        }
      }
    };
    Certificate c = new Certifier(floatMode, CONFIG).certify(white, 0).get(0);
    assertEquals(0, c.predict());
    assertEquals(1, new Certifier(floatMode, CONFIG).certify(grey, 0).get(0).predict());
    assertTrue(c.integerRadius().covers(white, grey), "and yet the certificate covers it");
  }

  /**
   * S7: image and noise meet as integers, before anything is a float. What the classifier gets is image + noise,
   * clipped, for every image under the same key. Were both converted first and added then, the split of a sum into
   * image and noise would show in its last bits.
   */
  @Test
  void imageAndNoiseMeetAsIntegers() {
    IntegerNoise noise = IntegerNoise.of(SIGMA);
    int[] drawn = new int[2];
    for (int pixel = 0; pixel <= 255; pixel += 15) {
      ByteImage image = new ByteImage(TWO, new byte[] {(byte) pixel, (byte) (255 - pixel)});
      NoisyInputs inputs = NoisyInputs.of(NoiseLaw.GAUSSIAN, SIGMA, 9, image, 4, Phase.SELECT, 100, 164);
      for (int j = 0; j < 64; j++) {
        assertEquals(noise.draw(new NoiseKey(9, 4, Phase.SELECT, 100 + j), 2, drawn), inputs.certain()[j]);
        for (int e = 0; e < 2; e++) {
          int sum = image.get(e) + drawn[e];
          assertEquals(Math.max(-255 * 3, Math.min(255 * 4, sum)), inputs.sums()[j][e]);
        }
      }
    }
    int leaking = 0;
    for (int sum = noise.clipLow(); sum <= noise.clipHigh(); sum++) {
      boolean differs = false;
      for (int pixel = 0; pixel <= 255; pixel++) {
        differs |= IntegerNoise.edmValue(pixel) + 2 * (sum - pixel) / 255.0 != IntegerNoise.edmValue(sum);
      }
      leaking += differs ? 1 : 0;
    }
    assertTrue(leaking > 1000, "added as floats, the split shows at only " + leaking + " sums");
  }

  /** Every certificate of the same classifier under integer noise is compared with the exact smoothed classifier. */
  @Test
  void integerNoiseCertifiesWhatIsTrue() {
    double[] multiple = new double[256];
    for (int pixel = 0; pixel < 256; pixel++) {
      multiple[pixel] = probabilityOfMultiple(pixel);
    }
    Certifier certifier = new Certifier(new NoisyVotes(READS_LOW_BITS, List.of(SIGMA), 9), CONFIG);
    int certified = 0;
    for (int pixel = 3; pixel < 256; pixel += 28) {
      ByteImage image = new ByteImage(TWO, new byte[] {(byte) pixel, (byte) pixel});
      Certificate c = certifier.certify(image, pixel).get(0);
      for (int a = 0; a < 256 && !c.abstains(); a++) {
        for (int b = 0; b < 256; b++) {
          if (c.integerRadius().covers(image, new ByteImage(TWO, new byte[] {(byte) a, (byte) b}))) {
            double zero = multiple[a] * multiple[b];
            assertTrue(c.predict() == 0 ? zero > 0.5 : zero < 0.5, "false at " + a + ", " + b + " around " + pixel);
          }
        }
      }
      certified += c.abstains() ? 0 : 1;
    }
    assertTrue(certified >= 5, "only " + certified + " of 10 were certified, which shows little");
  }

  /** The noise is at most j exactly when the real noise is below j + 1/2, and what lies beyond the clip lands on it. */
  private static double probabilityOfMultiple(int pixel) {
    IntegerNoise noise = IntegerNoise.of(SIGMA);
    NormalDistribution law = NormalDistribution.of(pixel, SIGMA.bytes());
    double sum = 0;
    for (int v = noise.clipLow(); v <= noise.clipHigh(); v++) {
      double above = v == noise.clipHigh() ? 1 : law.cumulativeProbability(v + 0.5);
      double below = v == noise.clipLow() ? 0 : law.cumulativeProbability(v - 0.5);
      sum += lowBits(v / 255f) == 0 ? above - below : 0;
    }
    return sum;
  }

  @Test
  void inputsAreClippedSumsInAnyRange() {
    int[] low = {Integer.MAX_VALUE};
    int[] high = {Integer.MIN_VALUE};
    int[][] whole = new int[2][300];
    List<Sigma> sigmas = List.of(new Sigma(0.25), SIGMA);
    BaseClassifier spy = new Spy(low, high);
    NoisyVotes votes = new NoisyVotes(spy, sigmas, 5);
    votes.votes(WHITE, 3, Phase.ESTIMATE, 0, 300, whole);
    IntegerNoise widest = IntegerNoise.of(SIGMA);
    assertTrue(low[0] >= widest.clipLow() && high[0] <= widest.clipHigh() && low[0] < 0 && high[0] > 255);
    int[][] part = new int[2][70];
    votes.votes(WHITE, 3, Phase.ESTIMATE, 130, 200, part);
    for (int s = 0; s < 2; s++) {
      for (int j = 0; j < 70; j++) {
        assertEquals(whole[s][130 + j], part[s][j]);
      }
    }
  }

  /** Notes the range of what it sees. */
  private static final class Spy implements BaseClassifier {
    private final int[] low;
    private final int[] high;

    Spy(int[] low, int[] high) {
      this.low = low;
      this.high = high;
    }

    @Override
    public int classes() {
      return 7;
    }

    @Override
    public ImageShape shape() {
      return TWO;
    }

    @Override
    public Map<String, Object> identity() {
      return Map.of();
    }

    @Override
    public void classify(int[][] inputs, int[] classes) {
      for (int j = 0; j < inputs.length; j++) {
        for (int v : inputs[j]) {
          low[0] = Math.min(low[0], v);
          high[0] = Math.max(high[0], v);
        }
        classes[j] = Math.floorMod(31 * inputs[j][0] + inputs[j][1], 7);
      }
    }

    @Override
    public void close() {}
  }
}
