package org.diffcert.stats;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Scale;
import net.jqwik.api.constraints.Size;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Sigma;

/** What holds of the radii and of the bounds for means whatever the numbers; jqwik prints the seed of each run. */
class NormPropertiesTest {
  private static boolean atMost(NormRadii one, NormRadii other) {
    boolean atMost = true;
    for (Norm norm : Norm.values()) {
      atMost &= one.get(norm).radius() <= other.get(norm).radius() && one.get(norm).units() <= other.get(norm).units();
    }
    return atMost;
  }

  @Property(tries = 60)
  void growWithTheBoundAndWithSigma(@ForAll NoiseLaw law,
      @ForAll @Scale(9) @DoubleRange(min = 0.500001, max = 0.999999) double p,
      @ForAll @Scale(9) @DoubleRange(min = 0.500001, max = 0.999999) double q,
      @ForAll @Scale(9) @DoubleRange(min = 0.01, max = 4) double s,
      @ForAll @Scale(9) @DoubleRange(min = 0.01, max = 4) double t, @ForAll @IntRange(min = 1, max = 200_000) int d) {
    NormRadii small = NormRadii.of(law, new Sigma(Math.min(s, t)), d, Math.min(p, q));
    assertTrue(atMost(small, NormRadii.of(law, new Sigma(Math.min(s, t)), d, Math.max(p, q))), "in p");
    assertTrue(atMost(small, NormRadii.of(law, new Sigma(Math.max(s, t)), d, Math.min(p, q))), "in sigma");
  }

  /** l1 >= l2 >= linf, and no radius is more than the equivalence of norms allows for those of the others. */
  @Property(tries = 60)
  void realRadiiAreInOrder(@ForAll NoiseLaw law,
      @ForAll @Scale(9) @DoubleRange(min = 0.500001, max = 0.999999) double p,
      @ForAll @IntRange(min = 1, max = 200_000) int d) {
    NormRadii radii = NormRadii.of(law, new Sigma(0.5), d, p);
    assertTrue(radii.linf().radius() <= radii.l2().radius() && radii.l2().radius() <= radii.l1().radius());
    for (Norm norm : Norm.values()) {
      assertTrue(radii.get(norm).units() >= norm.units(radii.get(norm).radius()), norm + " reaches its real radius");
    }
  }

  /**
   * The integers of an L2 certificate against changed images: what L1 or LINF covers, L2 covers, too, since theirs
   * follow from its.
   */
  @Property(tries = 2000)
  void integersImplyEachOther(@ForAll @Size(6) byte[] pixels, @ForAll @Size(6) byte[] changes,
      @ForAll @LongRange(min = 0, max = 400_000) long squared, @ForAll @IntRange(min = 0, max = 6) int shift) {
    ImageShape shape = new ImageShape(1, 2, 3);
    byte[] changed = new byte[6];
    for (int i = 0; i < 6; i++) {
      int value = (pixels[i] & 0xff) + (changes[i] >> shift);
      changed[i] = (byte) Math.max(0, Math.min(255, value));
    }
    ByteImage x = new ByteImage(shape, pixels);
    ByteImage y = new ByteImage(shape, changed);
    NormRadii radii = NormRadii.ofL2(Math.sqrt(squared) / 256, new IntegerRadius(squared), 6);
    boolean covered = new IntegerRadius(squared).covers(x, y);
    assertTrue(covered || !radii.l1().covers(x, y), "L1 covers what L2 does not");
    assertTrue(covered || !radii.linf().covers(x, y), "LINF covers what L2 does not");
  }

  /** A lower bound is no more than the values' mean; Hoeffding's falls with alpha and rises with every value. */
  @Property(tries = 200)
  void boundsForMeans(@ForAll MeanBound bound, @ForAll @Size(min = 1, max = 80) byte[] bytes,
      @ForAll @Scale(9) @DoubleRange(min = 1e-9, max = 0.49) double alpha) {
    double sum = 0;
    double[] values = new double[bytes.length];
    double[] higher = new double[bytes.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (bytes[i] & 0xff) / 255.0;
      sum += values[i];
      higher[i] = Math.min(1, values[i] + 0.25);
    }
    double lower = bound.lower(values, alpha);
    double upper = bound.upper(values, alpha);
    // A gambler who was lucky early keeps what he won, so betting's bound is held by the largest value only.
    double mean = sum / values.length;
    double top = bound == MeanBound.BETTING ? Arrays.stream(values).max().orElseThrow() : mean;
    double bottom = bound == MeanBound.BETTING ? Arrays.stream(values).min().orElseThrow() : mean;
    assertTrue(lower <= top + 1e-12 && upper >= bottom - 1e-12, lower + " to " + upper + " around " + mean);
    if (bound == MeanBound.HOEFFDING) {
      assertTrue(bound.lower(values, alpha / 10) <= lower, "alpha");
      assertTrue(bound.lower(higher, alpha) >= lower, "values");
    }
  }
}
