package org.diffcert.certify;

import java.util.Arrays;

/** How many samples voted for each class, and how many for none. Immutable, thread-safe. */
public final class Histogram {
  private final int[] counts;
  private final int noVote;

  /**
   * Copies the counts.
   *
   * @param counts votes for each class, none negative, at least 2 classes
   * @param noVote samples that count for no class, at least 0
   * @throws IllegalArgumentException if a count is negative, there are fewer than 2 classes, or the sum exceeds 2^31-1
   */
  public Histogram(int[] counts, int noVote) {
    this.counts = counts.clone();
    this.noVote = noVote;
    long sum = noVote;
    boolean negative = noVote < 0;
    for (int count : counts) {
      negative |= count < 0;
      sum += count;
    }
    if (negative || counts.length < 2 || sum > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("no histogram of votes: " + Arrays.toString(counts) + ", none " + noVote);
    }
  }

  /**
   * The number of classes.
   *
   * @return at least 2
   */
  public int classes() {
    return counts.length;
  }

  /**
   * The votes for one class.
   *
   * @param index the class
   * @return at least 0
   */
  public int count(int index) {
    return counts[index];
  }

  /**
   * A copy of the votes for each class.
   *
   * @return as many as there are classes
   */
  public int[] counts() {
    return counts.clone();
  }

  /**
   * The samples that count for no class.
   *
   * @return at least 0
   */
  public int noVote() {
    return noVote;
  }

  /**
   * All samples.
   *
   * @return the votes of every class and of none
   */
  public int total() {
    return Arrays.stream(counts).sum() + noVote;
  }

  /**
   * The class with the most votes; of several, the one of lowest index (S15).
   *
   * @return the class, 0 when no sample voted
   */
  public int top() {
    int best = 0;
    for (int c = 1; c < counts.length; c++) {
      if (counts[c] > counts[best]) {
        best = c;
      }
    }
    return best;
  }

  /**
   * The class that comes second by the same rule.
   *
   * @return a class other than {@link #top()}
   */
  public int runnerUp() {
    int top = top();
    int second = top == 0 ? 1 : 0;
    for (int c = second + 1; c < counts.length; c++) {
      if (c != top && counts[c] > counts[second]) {
        second = c;
      }
    }
    return second;
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Histogram other && noVote == other.noVote && Arrays.equals(counts, other.counts);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(counts) + noVote;
  }

  @Override
  public String toString() {
    return Arrays.toString(counts) + (noVote > 0 ? " and " + noVote + " for none" : "");
  }
}
