package org.diffcert.stats;

/** Binomial tails in doubles, by summing, for tests that need a great many; shares no code with what is tested. */
final class Tails {
  /** Relative error that a tail may have, for n to a thousand: ten times what it was found to be. */
  static final double SLACK = 1e-11;
  private static final double[] LOG_FACTORIAL = new double[1001];

  static {
    for (int i = 1; i < LOG_FACTORIAL.length; i++) {
      LOG_FACTORIAL[i] = LOG_FACTORIAL[i - 1] + Math.log(i);
    }
  }

  private Tails() {}

  /** P(X &gt;= k) for X binomial(n, p). */
  static double atLeast(int k, int n, double p) {
    double logs = LOG_FACTORIAL[n] - LOG_FACTORIAL[k] - LOG_FACTORIAL[n - k];
    double term = Math.exp(logs + k * Math.log(p) + (n > k ? (n - k) * Math.log1p(-p) : 0));
    double sum = 0;
    for (int j = k; j <= n && term > 1e-18 * sum; j++) {
      sum += term;
      term *= p * (n - j) / ((1 - p) * (j + 1));
    }
    return sum;
  }
}
