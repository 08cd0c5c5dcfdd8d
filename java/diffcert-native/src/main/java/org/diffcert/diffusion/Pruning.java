package org.diffcert.diffusion;

import java.util.LinkedHashMap;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.Named;

/**
 * How a diffusion classifier saves network calls by dropping classes while it makes a vote (docs/spec/pruning.md). A
 * part of the classifier: the votes that are certified are the pruned ones, so a certificate is as true as without;
 * what may be lost is agreement with the exhaustive vote. Immutable. Fields that a kind does not read are 0.
 *
 * @param kind which rule
 * @param siftLevels {@link Kind#PUBLISHED}: grid points of the levels that sift, counted as
 *     {@link org.diffcert.schedule.Schedule} counts them
 * @param threshold {@link Kind#PUBLISHED}: a class goes when its sifting loss exceeds the least by more; at least 0
 * @param keep {@link Kind#PUBLISHED}: so many classes at most are computed in full; at least 1
 * @param error {@link Kind#PAIRED}: nominal probability of dropping the class of least loss, 0 (nothing is dropped) to
 *     0.5
 */
public record Pruning(Kind kind, int siftLevels, double threshold, int keep, double error) {
  /** Every class at every level. */
  public static final Pruning NONE = new Pruning(Kind.NONE, 0, 0, 0, 0);
  /** Sift-and-refine with the constants of the released code (Chen et al. 2024, NDCSiftRefine). */
  public static final Pruning PUBLISHED = published(50, 5e-5, 10);
  /** Elimination on paired differences with an error of 0.01. */
  public static final Pruning PAIRED = paired(0.01);

  /** The rules. Kept in step with {@code dc_prune_kind}. */
  public enum Kind implements Named {
    /** Nothing is dropped. */
    NONE("none", 0),
    /** Sift, then refine, as released. */
    PUBLISHED("published", 1),
    /** Successive elimination on paired differences under shared noise. */
    PAIRED("paired", 2);

    private final String cliName;
    private final int code;

    Kind(String cliName, int code) {
      this.cliName = cliName;
      this.code = code;
    }

    @Override
    public String cliName() {
      return cliName;
    }

    /** The number at the native boundary. */
    int code() {
      return code;
    }

    /**
     * The rule of a name.
     *
     * @param name as on the command line
     * @return the rule
     * @throws DiffcertException of kind USAGE for another name
     */
    public static Kind of(String name) {
      return Named.find(values(), name, "pruning");
    }
  }

  /**
   * Checks the ranges.
   *
   * @param kind which rule
   * @param siftLevels grid points of the levels that sift
   * @param threshold how far above the least a class may be
   * @param keep classes computed in full
   * @param error nominal probability of dropping the class of least loss
   * @throws DiffcertException of kind USAGE if a value that the kind reads is out of range, or one that it does not
   *     read is not 0
   */
  public Pruning {
    boolean published = kind == Kind.PUBLISHED;
    if (published && !(threshold >= 0 && threshold <= Double.MAX_VALUE)) {
      throw DiffcertException.usage("The threshold of sifting must be at least 0 and finite, not " + threshold + ".");
    }
    if (published && keep < 1) {
      throw DiffcertException.usage("Sifting must keep at least one class, not " + keep + ".");
    }
    if (kind == Kind.PAIRED && !(error >= 0 && error <= 0.5)) {
      throw DiffcertException.usage("The error of paired pruning must be 0 to 0.5, not " + error + ".");
    }
    if (!published && (siftLevels != 0 || threshold != 0 || keep != 0) || kind != Kind.PAIRED && error != 0) {
      throw DiffcertException.usage("Pruning '" + kind.cliName + "' does not read all that is set.");
    }
  }

  /**
   * Sift-and-refine.
   *
   * @param siftLevels grid points of the levels that sift, 50 as released
   * @param threshold how far above the least a class may be, 5e-5 as released
   * @param keep classes computed in full, 10 as released
   * @return the rule
   * @throws DiffcertException of kind USAGE if a value is out of range
   */
  public static Pruning published(int siftLevels, double threshold, int keep) {
    return new Pruning(Kind.PUBLISHED, siftLevels, threshold, keep, 0);
  }

  /**
   * Successive elimination on paired differences.
   *
   * @param error nominal probability of dropping the class of least loss, 0 to 0.5
   * @return the rule
   * @throws DiffcertException of kind USAGE if it is out of range
   */
  public static Pruning paired(double error) {
    return new Pruning(Kind.PAIRED, 0, 0, 0, error);
  }

  /** What goes into the identity of a classifier. */
  Map<String, Object> identity() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("prune", kind.cliName());
    if (kind == Kind.PUBLISHED) {
      map.put("siftLevels", siftLevels);
      map.put("siftThreshold", threshold);
      map.put("keep", keep);
    } else if (kind == Kind.PAIRED) {
      map.put("pruneError", error);
    }
    return map;
  }

  /**
   * For a person.
   *
   * @return such as {@code published (50 levels, threshold 5.0E-5, keeps 10)}
   */
  @Override
  public String toString() {
    return switch (kind) {
      case NONE -> "none";
      case PUBLISHED -> "published (" + siftLevels + " levels, threshold " + threshold + ", keeps " + keep + ")";
      case PAIRED -> "paired (error " + error + ")";
    };
  }
}
