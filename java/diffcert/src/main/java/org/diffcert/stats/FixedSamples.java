package org.diffcert.stats;

/**
 * A number of samples that is fixed beforehand, and the bound of Clopper and Pearson. Immutable, thread-safe.
 *
 * @param cap the number of samples, at least 1
 * @param alpha probability of error of the bound, above 0 and below 1/2
 */
public record FixedSamples(int cap, double alpha) implements StopRule {
  @Override
  public boolean stops(int k, int n) {
    return n >= cap;
  }

  @Override
  public int soonest(int k, int n) {
    return cap - n;
  }

  @Override
  public double lower(int k, int n) {
    return ClopperPearson.lower(k, n, alpha);
  }
}
