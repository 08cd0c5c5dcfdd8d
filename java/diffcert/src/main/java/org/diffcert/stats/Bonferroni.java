package org.diffcert.stats;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** An error probability shared out evenly: what each of several statements may have, so that all hold together. */
public final class Bonferroni {
  private static final MathContext DOWN = new MathContext(60, RoundingMode.DOWN);

  private Bonferroni() {}

  /**
   * alpha over the number of statements, rounded down.
   *
   * @param alpha error probability of all together, above 0; taken as the decimal or as the double, whichever is
   *     smaller
   * @param members how many statements, at least 1
   * @return the error probability of each; alpha itself if there is one
   */
  public static double each(double alpha, int members) {
    if (members == 1) {
      return alpha;
    }
    return Directed.doubleDown(Directed.smallerReading(alpha).divide(BigDecimal.valueOf(members), DOWN));
  }
}
