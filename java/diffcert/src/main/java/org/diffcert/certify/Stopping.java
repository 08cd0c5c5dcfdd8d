package org.diffcert.certify;

import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.diffcert.DiffcertException;
import org.diffcert.Named;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.BettingRule;
import org.diffcert.stats.FixedSamples;
import org.diffcert.stats.Radius;
import org.diffcert.stats.StagedRule;
import org.diffcert.stats.StopRule;

/**
 * When an image has had estimation samples enough. With a fixed number of samples there are no radii; otherwise
 * sampling ends as soon as it is known, for each of the radii, whether the certificate reaches it.
 *
 * @param kind the kind of rule
 * @param radii what is asked of each image, in [0,1] pixel units, ascending; empty if and only if the kind is FIXED
 */
public record Stopping(Kind kind, List<Double> radii) {
  /** A number of samples that is fixed beforehand. */
  public static final Stopping FIXED = new Stopping(Kind.FIXED, List.of());
  private static final int MOST_RADII = 64;
  private static final double LARGEST = 1000;

  /** Radii times sigmas times samples: 64 MB of tables, and seconds to make them, whatever a log's header asks for. */
  private static final long MOST_ENTRIES = 8_000_000;

  /** The kinds of rules. */
  public enum Kind implements Named {
    /** n samples. */
    FIXED("fixed"),
    /** A look after every sample, at a confidence sequence of betting; n is the cap. */
    SEQUENTIAL("sequential"),
    /** Looks at a few sample sizes, at Clopper-Pearson bounds that share alpha; n is the last of them. */
    STAGED("staged");

    private final String cliName;

    Kind(String cliName) {
      this.cliName = cliName;
    }

    @Override
    public String cliName() {
      return cliName;
    }

    /**
     * The kind of that name.
     *
     * @param name as typed: fixed, sequential or staged
     * @return the kind
     * @throws DiffcertException of kind USAGE if there is none
     */
    public static Kind of(String name) {
      return Named.find(values(), name, "rule for stopping");
    }
  }

  /**
   * Checks the radii, which come in any order; a bad one is a usage error.
   *
   * @param kind the kind of rule
   * @param radii in [0,1] pixel units, each at least 0 and at most 1000, at most 64, none twice
   */
  public Stopping {
    for (double radius : radii) {
      if (!(radius >= 0 && radius <= LARGEST)) {
        throw DiffcertException.usage("the radius " + radius + " to stop at is out of range, radii are 0 or more, in "
            + "[0,1] pixel units (0.5, not 128)");
      }
    }
    TreeSet<Double> ascending = new TreeSet<>(radii);
    if (ascending.size() < radii.size()) {
      throw DiffcertException.usage("the radii " + radii + " to stop at name one twice");
    }
    if (kind == Kind.FIXED && !radii.isEmpty()) {
      throw DiffcertException.usage("the radii " + radii + " say when to stop, but the number of samples is fixed; "
          + "stop sequential or staged, or leave the radii out");
    }
    if (kind != Kind.FIXED && (radii.isEmpty() || radii.size() > MOST_RADII)) {
      throw DiffcertException.usage("stop " + kind.cliName() + " needs 1 to " + MOST_RADII
          + " radii to decide about, there are " + radii.size());
    }
    radii = List.copyOf(ascending);
  }

  /** Refuses rules that would take too much memory or time. */
  void checkSize(int sigmas, int n) {
    if ((long) radii.size() * sigmas * n > MOST_ENTRIES) {
      throw DiffcertException.usage("to decide about " + radii.size() + " radii at " + sigmas + " sigmas with up to "
          + n + " samples takes tables of more than " + MOST_ENTRIES + " entries; ask for fewer radii or take fewer "
          + "samples");
    }
  }

  /**
   * The rule for one image at one sigma. Radii that even unanimous votes could not reach take no part in it.
   *
   * @param sigma the smoothing level
   * @param n number of samples, or the cap
   * @param alpha probability of error of one certificate, above 0 and below 1/2
   * @return the rule
   * @throws DiffcertException of kind USAGE if no radius can be reached
   */
  StopRule rule(Sigma sigma, int n, double alpha) {
    if (kind == Kind.FIXED) {
      return new FixedSamples(n, alpha);
    }
    double largest = kind == Kind.SEQUENTIAL ? BettingRule.highest(n, alpha) : StagedRule.highest(n, alpha);
    double[] probabilities = radii.stream().mapToDouble(radius -> Radius.probability(sigma, radius))
        .filter(probability -> probability <= largest).toArray();
    if (probabilities.length == 0) {
      throw DiffcertException.usage(String.format(Locale.ROOT, "the radius %s is out of reach at sigma %s: even %d "
          + "unanimous votes certify only %.4f at alpha %s; take more samples, a larger sigma or a smaller radius",
          radii.get(0), sigma, n, largest > 0.5 ? Math.floor(1e4 * Radius.down(sigma, largest)) / 1e4 : 0, alpha));
    }
    return kind == Kind.SEQUENTIAL ? new BettingRule(probabilities, n, alpha)
        : new StagedRule(probabilities, n, alpha);
  }
}
