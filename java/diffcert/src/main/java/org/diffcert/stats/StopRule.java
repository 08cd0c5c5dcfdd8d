package org.diffcert.stats;

/**
 * When a count of successes is enough, and what it then proves. A rule looks after every sample, at the number of
 * samples and of successes and at nothing else, so where it stops does not depend on how samples were batched.
 * Immutable, thread-safe.
 */
public sealed interface StopRule permits FixedSamples, BettingRule, StagedRule {
  /**
   * The most samples it takes.
   *
   * @return at least 1
   */
  int cap();

  /**
   * The probability that the bound at which it stops is above the true success probability is at most this, whatever
   * that probability is.
   *
   * @return above 0 and below 1/2
   */
  double alpha();

  /**
   * Whether it stops.
   *
   * @param k successes so far, 0 to n
   * @param n samples so far, 1 to the cap
   * @return true if no further sample is to be drawn; always true at the cap
   */
  boolean stops(int k, int n);

  /**
   * How far it is at least from stopping: no fewer further samples can be enough, whatever they show.
   *
   * @param k successes so far, 0 to n
   * @param n samples so far, 0 to the cap - 1
   * @return at least 1, and at most what is left to the cap
   */
  int soonest(int k, int n);

  /**
   * The lower bound of the success probability, rounded down.
   *
   * @param k successes, 0 to n
   * @param n samples where it stopped, 1 to the cap
   * @return the bound, 0 when k is 0
   */
  double lower(int k, int n);
}
