package org.diffcert.denoise;

import org.diffcert.Named;
import org.diffcert.certify.VoteSource;

/** Which class the runs of a sample vote for together when several have the most votes. */
public enum TieRule implements Named {
  /** The lowest class: a function of the counts alone, in whatever order runs are merged. */
  LOWEST("lowest"),
  /** The class of the first run among the tied, in the order of runs, as the released code of DensePure has it. */
  FIRST("first");

  private final String cliName;

  TieRule(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The rule of a name.
   *
   * @param name lowest or first
   * @return the rule
   * @throws org.diffcert.DiffcertException of kind USAGE if there is none of that name
   */
  public static TieRule of(String name) {
    return Named.find(values(), name, "tie rule");
  }

  /**
   * The class that most runs have; runs without a vote count for none.
   *
   * @param labels each run's class or {@link VoteSource#NO_VOTE}, in the order of runs
   * @param classes the number of classes
   * @return the class, or {@link VoteSource#NO_VOTE} if no run has one
   */
  public int majority(int[] labels, int classes) {
    int[] counts = new int[classes];
    int most = 0;
    for (int label : labels) {
      if (label != VoteSource.NO_VOTE) {
        most = Math.max(most, ++counts[label]);
      }
    }
    int winner = VoteSource.NO_VOTE;
    for (int label : labels) {
      boolean tops = label != VoteSource.NO_VOTE && counts[label] == most;
      if (tops && (winner == VoteSource.NO_VOTE || this == LOWEST && label < winner)) {
        winner = label;
      }
    }
    return winner;
  }
}
