package org.diffcert.analyze;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which alpha and n a log was made with, from its radii alone. A run of n samples can print only the radii of n, n-1,
 * n-2, ... votes; at the top of that ladder the rungs are far apart, and where they are depends on n and alpha. Every
 * usual alpha is tried with every round n; docs/spec/analysis.md says when the answer is given. Thread-safe.
 */
final class LadderSearch {
  /** Error probabilities that people type, the common ones first. */
  static final double[] ALPHAS = {0.001, 0.01, 0.05, 1e-4, 0.1, 0.025, 0.02, 0.005, 0.002, 5e-4, 1e-5};
  private static final int COMMON_ALPHAS = 4;
  private static final int[] STEPS = {1, 2, 4, 5, 8, 10, 16, 20, 50, 100, 1000};
  /** Samples of the selection phase that a script may have counted with the others by mistake. */
  static final int[] SELECTIONS = {100, 1000, 10, 32};
  private static final Set<Integer> ROUND = round();

  /** Bits that settle it without a look at the top. */
  private static final double STRONG = 30;
  private static final int STRONG_MATCHES = 5;
  /** Bits by which it must beat every other alpha then. */
  private static final double LEAD = 10;
  /** Radii that must be told apart when the largest is taken for that of n of n votes. */
  private static final int TOP_MATCHES = 3;
  /** Bits that rungs left out must be worth before votes are said to be multiplied. */
  private static final double MULTIPLIED = 24;

  private LadderSearch() {}

  /**
   * What the search came to.
   *
   * @param fit the ladder that is named, if one is
   * @param others plain ladders with another alpha on which the radii stand as well
   * @param nothing whether the radii stand on no ladder that was tried
   */
  record Outcome(Optional<Rungs.Fit> fit, List<Rungs.Fit> others, boolean nothing) {}

  static Outcome search(Rungs rungs, double sigma) {
    List<Rungs.Fit> fits = fits(rungs, sigma);
    Optional<Rungs.Fit> named = strongest(fits).or(() -> plainest(rungs, fits));
    double alpha = named.map(fit -> fit.ladder().alpha()).orElse(Double.NaN);
    boolean piled = rungs.piledUp();
    List<Rungs.Fit> others = fits.stream()
        .filter(f -> f.ladder().alpha() != alpha && f.top() == piled && f.matches().size() >= TOP_MATCHES)
        .sorted(Comparator.comparingInt(LadderSearch::cost)).toList();
    return new Outcome(named.map(fit -> multiplied(rungs, sigma, fit)), others, fits.isEmpty());
  }

  /** Fits of round n; of radii that show every sample, if there is none, those of n with the selection's beside it. */
  private static List<Rungs.Fit> fits(Rungs rungs, double sigma) {
    List<Rungs.Fit> fits = new ArrayList<>();
    for (double alpha : ALPHAS) {
      ROUND.forEach(n -> fit(rungs, sigma, Ladder.of(n, alpha), fits));
    }
    if (fits.isEmpty() && rungs.printed().full()) {
      for (double alpha : ALPHAS) {
        for (int selection : SELECTIONS) {
          ROUND.forEach(n -> fit(rungs, sigma, Ladder.of(n + selection, alpha), fits));
        }
      }
    }
    return fits;
  }

  private static void fit(Rungs rungs, double sigma, Ladder ladder, List<Rungs.Fit> fits) {
    Rungs.Fit nearest = rungs.fit(sigma, ladder, 1, true);
    Rungs.Fit fit = nearest != null || rungs.printed().full() ? nearest : rungs.fit(sigma, ladder, 1, false);
    if (fit != null && !fit.matches().isEmpty()) {
      fits.add(fit);
    }
  }

  /** The fit that so many radii speak for that nothing else comes near. */
  private static Optional<Rungs.Fit> strongest(List<Rungs.Fit> fits) {
    Optional<Rungs.Fit> best = fits.stream().max(Comparator.comparingDouble(Rungs.Fit::bits));
    return best.filter(b -> b.bits() >= STRONG && b.matches().size() >= STRONG_MATCHES
        && fits.stream().allMatch(f -> f.ladder().alpha() == b.ladder().alpha() || f.bits() <= b.bits() - LEAD));
  }

  /** With a pile of rows at the top, the fit whose n and alpha are what somebody would type. */
  private static Optional<Rungs.Fit> plainest(Rungs rungs, List<Rungs.Fit> fits) {
    if (!rungs.piledUp()) {
      return Optional.empty();
    }
    List<Rungs.Fit> whole = fits.stream().filter(f -> f.top() && f.matches().size() >= TOP_MATCHES)
        .sorted(Comparator.comparingInt(LadderSearch::cost)).toList();
    return whole.stream().findFirst().filter(b -> whole.stream()
        .allMatch(f -> f.ladder().alpha() == b.ladder().alpha() || cost(f) >= cost(b) + 2));
  }

  /** Whether somebody would type this number of samples. */
  static boolean isRound(int n) {
    return ROUND.contains(n);
  }

  /** How odd it would be to type these two: a power of ten and a common alpha cost nothing. */
  private static int cost(Rungs.Fit fit) {
    int n = fit.ladder().n();
    boolean power = Math.pow(10, Math.round(Math.log10(n))) == n;
    boolean common = false;
    for (int i = 0; i < COMMON_ALPHAS; i++) {
      common |= fit.ladder().alpha() == ALPHAS[i];
    }
    return (power ? 0 : ROUND.contains(n) ? 2 : 4) + (common ? 0 : 2);
  }

  /** The same ladder with only every m-th rung, if all the rungs between are missing beyond chance. */
  private static Rungs.Fit multiplied(Rungs rungs, double sigma, Rungs.Fit fit) {
    Rungs.Fit best = fit;
    for (int step : STEPS) {
      Rungs.Fit sparser = fit.ladder().n() % step == 0 ? rungs.fit(sigma, fit.ladder(), step, fit.nearest()) : null;
      if (sparser != null && sparser.bits() >= fit.bits() + MULTIPLIED && sparser.bits() > best.bits()) {
        best = sparser;
      }
    }
    return best;
  }

  /** Sample counts of one digit, those halfway to the next ten, and powers of two, 10 to 2,000,000. */
  private static Set<Integer> round() {
    TreeSet<Integer> counts = new TreeSet<>();
    for (int ten = 10; ten <= 1_000_000; ten *= 10) {
      for (int digit = 1; digit <= 9 && digit * ten <= 2_000_000; digit++) {
        counts.add(digit * ten);
      }
      counts.add(ten + ten / 2);
      counts.add(2 * ten + ten / 2);
    }
    for (int power = 16; power <= 1 << 17; power *= 2) {
      counts.add(power);
    }
    return counts;
  }
}
