package org.diffcert.certify;

import java.util.List;

/**
 * What the deployed predictor of a cascade says: few votes a stage, no bounds. It is random, it always answers, and it
 * is not the function that a {@link CascadeCertificate} speaks about (docs/spec/cascade.md).
 *
 * @param stage the stage that answered, 0 for the largest sigma; the number of stages if all passed
 * @param predict the class
 */
public record CascadePrediction(int stage, int predict) {
  /**
   * The prediction of some votes a stage. A stage answers the class with the most votes if they are more than p0 of
   * all; if none does, the last stage's class with the most votes is taken.
   *
   * @param votes votes of every stage, the largest sigma first
   * @param p0 the threshold
   * @return the prediction
   */
  public static CascadePrediction of(List<Histogram> votes, double p0) {
    for (int stage = 0; stage < votes.size(); stage++) {
      Histogram here = votes.get(stage);
      if (here.count(here.top()) > p0 * here.total()) {
        return new CascadePrediction(stage, here.top());
      }
    }
    return new CascadePrediction(votes.size(), votes.get(votes.size() - 1).top());
  }
}
