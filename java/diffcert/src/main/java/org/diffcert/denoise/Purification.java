package org.diffcert.denoise;

import java.util.LinkedHashMap;
import java.util.Map;
import org.diffcert.DiffcertException;

/**
 * How often and in how many steps a noisy image is carried back to an image before it is classified. Immutable.
 *
 * @param votes K, runs of the reverse chain whose classes are put to the vote, 1 to 256
 * @param steps b, steps of a run, 1 to 256
 * @param sampler what a step is
 * @param churn of {@link Sampler#EDM} only: how much noise is put back in all, S_churn of Karras et al., 0 or more
 * @param ties which class wins among equals
 */
public record Purification(int votes, int steps, Sampler sampler, double churn, TieRule ties) {
  /** One-shot denoising: the estimate of one network call (Carlini et al. 2023). */
  public static final Purification ONE_SHOT = new Purification(1, 1, Sampler.ANCESTRAL, 0, TieRule.LOWEST);
  /** The churn of {@link Sampler#EDM} unless told otherwise. */
  public static final double CHURN = 1;

  private static final int MOST = 256;

  /**
   * Checks the ranges.
   *
   * @param votes K, 1 to 256
   * @param steps b, 1 to 256
   * @param sampler what a step is
   * @param churn 0 or more; 0 for ancestral sampling
   * @param ties which class wins among equals
   * @throws DiffcertException of kind USAGE if a value is out of range
   */
  public Purification {
    if (votes < 1 || votes > MOST) {
      throw DiffcertException.usage("--votes is " + votes + ", must be 1 to " + MOST);
    }
    if (steps < 1 || steps > MOST) {
      throw DiffcertException.usage("--steps is " + steps + ", must be 1 to " + MOST);
    }
    if (!(churn >= 0 && churn < Double.POSITIVE_INFINITY)) {
      throw DiffcertException.usage("--churn is " + churn + ", must be a number of at least 0");
    }
    if (sampler != Sampler.EDM && churn != 0) {
      throw DiffcertException.usage("--churn belongs to --sampler edm");
    }
  }

  /** The number of denoiser calls that a sample at one sigma takes (docs/spec/denoised.md). */
  long calls() {
    return sampler == Sampler.EDM ? votes * (2L * steps - 1) : 1 + votes * (steps - 1L);
  }

  /** The part of the identity that is about it: nothing but its name for one-shot denoising. */
  Map<String, Object> identity() {
    Map<String, Object> identity = new LinkedHashMap<>();
    if (equals(ONE_SHOT)) {
      identity.put("kind", "denoised");
      return identity;
    }
    identity.put("kind", "densepure");
    identity.put("votes", (long) votes);
    identity.put("steps", (long) steps);
    identity.put("sampler", sampler.cliName());
    identity.put("churn", churn);
    identity.put("ties", ties.cliName());
    return identity;
  }
}
