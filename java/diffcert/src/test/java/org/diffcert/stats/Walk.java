package org.diffcert.stats;

import java.util.Arrays;

/**
 * What becomes of a rule on independent samples, exactly: dynamic programming over (samples, successes). No sampling,
 * and rounding errors of some 1e-13.
 *
 * @param above probability of having stopped with more successes than samples times the threshold
 * @param below probability of having stopped with fewer
 * @param going probability of reaching the cap without having stopped before it
 * @param samples mean number of samples, the cap counting as a stop
 */
record Walk(double above, double below, double going, double samples) {
  /** Decides what a rule said after n samples with k successes. */
  interface Decision {
    /** 1: above the threshold; -1: below it; 0: go on. */
    int of(int k, int n);
  }

  /** Walks to the cap with success probability p. */
  static Walk of(Decision decision, double p, int cap) {
    double[] now = {1};
    int least = 0;
    double above = 0;
    double below = 0;
    double samples = 0;
    for (int n = 1; n <= cap && now.length > 0; n++) {
      double[] next = new double[now.length + 1];
      for (int i = 0; i < now.length; i++) {
        next[i] += now[i] * (1 - p);
        next[i + 1] += now[i] * p;
      }
      int first = next.length;
      int last = -1;
      for (int i = 0; i < next.length; i++) {
        int said = next[i] < 1e-300 ? 0 : decision.of(least + i, n);
        if (said != 0) {
          above += said > 0 ? next[i] : 0;
          below += said < 0 ? next[i] : 0;
          samples += n * next[i];
          next[i] = 0;
        } else if (next[i] > 1e-25) {
          first = Math.min(first, i);
          last = i;
        }
      }
      now = last < 0 ? new double[0] : Arrays.copyOfRange(next, first, last + 1);
      least += first;
    }
    double going = Arrays.stream(now).sum();
    return new Walk(above, below, going, samples + going * cap);
  }

  /** Where a rule for one probability stops before its cap; a rule that stops there has decided, and how is plain. */
  static Decision of(StopRule rule, double threshold) {
    return (k, n) -> n >= rule.cap() || !rule.stops(k, n) ? 0 : k > threshold * n ? 1 : -1;
  }

  /** A test by wealth against one probability, from its logarithm ln Q(k, n). */
  static Decision betting(LogMixture mixture, double threshold, double logBar) {
    double logP = Math.log(threshold);
    double logQ = Math.log1p(-threshold);
    return (k, n) -> mixture.of(k, n) - k * logP - (n - k) * logQ < logBar ? 0 : k > threshold * n ? 1 : -1;
  }

  /** ln Q(k, n) of some bettor. */
  interface LogMixture {
    double of(int k, int n);
  }

  /** The bettor of Krichevsky and Trofimov: the chance (k + 1/2) / (n + 1) for the next success. */
  static LogMixture krichevskyTrofimov(int cap) {
    double[] halves = new double[cap + 1];
    double[] factorial = new double[cap + 1];
    for (int i = 0; i < cap; i++) {
      halves[i + 1] = halves[i] + Math.log(i + 0.5);
      factorial[i + 1] = factorial[i] + Math.log(i + 1);
    }
    return (k, n) -> halves[k] + halves[n - k] - factorial[n];
  }

  /** The sum of what is decided, for a check of both sides. */
  double decided() {
    return above + below;
  }
}
