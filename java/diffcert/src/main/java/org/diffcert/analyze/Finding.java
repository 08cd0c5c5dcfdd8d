package org.diffcert.analyze;

/**
 * What reading or auditing a log brought to light, as one sentence with its evidence.
 *
 * @param rule what was looked at, such as {@code alpha and n}
 * @param verdict how it stands
 * @param sentence what was found, or why nothing can be said
 */
public record Finding(String rule, Verdict verdict, String sentence) {
  /** How a rule came out. */
  public enum Verdict {
    /** Looked at and in order, or inferred without doubt. */
    SHOWN("shown"),
    /** Worth knowing; nothing is wrong with it. */
    NOTE("note"),
    /** Not what the reader of the log will expect. */
    SUSPECT("suspect"),
    /** The log does not hold what would be needed. */
    UNJUDGED("cannot be judged");

    private final String word;

    Verdict(String word) {
      this.word = word;
    }

    /**
     * The verdict as it is printed.
     *
     * @return a word or a few
     */
    public String word() {
      return word;
    }
  }

  @Override
  public String toString() {
    return rule + " (" + verdict.word() + "): " + sentence;
  }
}
