package org.diffcert.cli;

/** Differences between two headers that are only about which build of this program computes. */
final class Builds {
  /** What may come of it. */
  static final String CONSEQUENCE =
      "another build may give another vote where two classes' losses agree to the last bits";

  private Builds() {}

  /** Whether a difference, as RunHeader words it, is one of builds. */
  static boolean isOne(String difference) {
    return difference.startsWith("native is ") || difference.startsWith("library is ");
  }
}
