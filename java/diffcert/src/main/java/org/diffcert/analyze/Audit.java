package org.diffcert.analyze;

import static org.diffcert.analyze.Finding.Verdict.NOTE;
import static org.diffcert.analyze.Finding.Verdict.SHOWN;
import static org.diffcert.analyze.Finding.Verdict.SUSPECT;
import static org.diffcert.analyze.Finding.Verdict.UNJUDGED;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import org.diffcert.analyze.Finding.Verdict;

/**
 * What a log shows about how it was made: which error probability and how many samples, whether radii were rounded up,
 * whether votes were multiplied or counted twice, whether the table is whole. Each finding gives its evidence; where
 * the log cannot tell, it says why. docs/spec/analysis.md has the rules. Immutable, thread-safe.
 *
 * @param alpha the error probability that the ladder of radii shows, or that our own log records; empty if neither
 * @param n the number of samples, in the same way
 * @param findings one or more a rule, those from reading the log first
 */
public record Audit(OptionalDouble alpha, Optional<Integer> n, List<Finding> findings) {
  private static final String LADDER = "alpha and n";
  private static final String VOTES = "votes";
  private static final String ROUNDING = "rounding";
  private static final double[] USUAL_SIGMAS = {0.25, 0.5, 1, 0.12, 0.125, 0.1, 0.75, 2};
  /** Phi of this is nearer to 1 than any number of votes that can be counted. */
  private static final double HIGHEST = 6.5;
  /** The error probability of the published scripts. */
  private static final double DOCUMENTED = 0.001;
  private static final int SHOWN_RADII = 6;

  /**
   * Copies the list.
   *
   * @param alpha the error probability
   * @param n the number of samples
   * @param findings what was found
   */
  public Audit {
    findings = List.copyOf(findings);
  }

  /**
   * Audits a log.
   *
   * @param log any log
   * @return what it shows
   */
  public static Audit of(Log log) {
    return new Auditor(log).audit();
  }

  /**
   * Alpha and n in one sentence, for a table of many logs.
   *
   * @return the sentence of the finding on alpha and n
   */
  public String sentence() {
    return findings.stream().filter(f -> f.rule().equals(LADDER)).map(f -> f.verdict() == UNJUDGED
        ? "alpha cannot be judged: " + f.sentence() : f.sentence()).findFirst().orElseThrow();
  }

  /** The state of one audit. */
  private static final class Auditor {
    private final Log log;
    private final List<Finding> findings;
    private OptionalDouble alpha = OptionalDouble.empty();
    private Optional<Integer> n = Optional.empty();

    Auditor(Log log) {
      this.log = log;
      this.findings = new ArrayList<>(log.findings());
    }

    Audit audit() {
      images();
      if (log.votes().isPresent()) {
        recorded(log.votes().get());
      } else if (log.form() == Log.Form.PREDICTIONS) {
        add(LADDER, UNJUDGED, "predictions have no radii to show it");
      } else if (log.form() == Log.Form.CASCADE) {
        add(LADDER, UNJUDGED, "a cascade's radius is the least of several bounds, which need not stand on one ladder");
      } else {
        ladder();
      }
      return new Audit(alpha, n, findings);
    }

    private void recorded(Log.Votes votes) {
      alpha = OptionalDouble.of(votes.alpha());
      n = Optional.of(votes.n());
      add(LADDER, SHOWN, "alpha = " + Decimals.brief(votes.alpha()) + " and n = " + votes.n()
          + " are recorded with every vote; diffcert verify recomputes the radii from them");
      add(VOTES, SHOWN, "the class is chosen on votes of its own noise (phase 1), bounded on others (phase 2)");
      add(ROUNDING, SHOWN, "radii are at full precision, rounded down");
    }

    private void ladder() {
      Rungs rungs = Rungs.of(log);
      if (rungs.values().length == 0) {
        add(LADDER, UNJUDGED, "no row has a radius above 0");
        return;
      }
      OptionalDouble sigma = log.sigmaUnit();
      if (sigma.isEmpty()) {
        sigma = usualSigma(rungs);
      }
      if (sigma.isEmpty()) {
        add(LADDER, UNJUDGED, "sigma is not known and the radii fit no usual one alone; give --sigma");
        unjudgedVotes();
        return;
      }
      double top = rungs.values()[0];
      if (top / sigma.getAsDouble() > HIGHEST) {
        add("units", SUSPECT, "the radius " + Decimals.brief(top) + " is " + Decimals.brief(top / sigma.getAsDouble())
            + " sigma, more than any number of votes gives: radius and sigma are not in the same units");
        add(LADDER, UNJUDGED, "radii and sigma are not in the same units");
        unjudgedVotes();
        return;
      }
      LadderSearch.Outcome outcome = LadderSearch.search(rungs, sigma.getAsDouble());
      if (outcome.fit().isPresent()) {
        named(rungs, sigma.getAsDouble(), outcome.fit().get(), outcome.others());
      } else {
        add(LADDER, UNJUDGED, why(rungs, outcome));
        add(ROUNDING, UNJUDGED, "radii have " + rungs.printed().words()
            + "; without the ladder it is open whether they were cut or rounded up");
        unjudgedVotes();
      }
    }

    private void named(Rungs rungs, double sigma, Rungs.Fit fit, List<Rungs.Fit> others) {
      Ladder ladder = fit.ladder();
      alpha = OptionalDouble.of(ladder.alpha());
      n = Optional.of(ladder.n());
      add(LADDER, SHOWN, "alpha = " + Decimals.brief(ladder.alpha()) + " with n = " + ladder.n() + " and sigma "
          + Decimals.brief(sigma)
          + ": the radii that can be told apart stand on its rungs, all " + fit.matches().size() + " of them ("
          + fit.matches().stream().limit(SHOWN_RADII).map(m -> Decimals.brief(m.value()))
          .collect(Collectors.joining(", "))
          + (fit.matches().size() > SHOWN_RADII ? ", .." : "") + "; " + fit.rows() + " rows)"
          + (others.isEmpty() ? "; no other usual alpha with a round n fits" : "; less plain: " + list(others)));
      if (ladder.alpha() > DOCUMENTED) {
        double most = sigma * Ladder.of(ladder.n(), DOCUMENTED).z(0);
        int above = above(rungs, most);
        add("alpha 0.001", NOTE, "at alpha = 0.001, the default of the published scripts, no radius of this n is above "
            + Decimals.down(most, 5) + "; " + above + " rows are");
      }
      rounding(fit);
      votes(fit);
    }

    private static int above(Rungs rungs, double most) {
      int rows = 0;
      for (int i = 0; i < rungs.values().length; i++) {
        double unit = rungs.printed().unit(rungs.values()[i]);
        rows += rungs.values()[i] > most + unit ? rungs.rows()[i] : 0;
      }
      return rows;
    }

    private void rounding(Rungs.Fit fit) {
      if (log.printed().full()) {
        add(ROUNDING, SHOWN, "radii have " + log.printed().words() + ", nothing to round");
        return;
      }
      List<Rungs.Match> up = fit.matches().stream().filter(m -> m.value() > m.rung() * (1 + 1e-9)).toList();
      boolean farBelow = fit.matches().stream()
          .anyMatch(m -> m.rung() - m.value() > 0.51 * log.printed().unit(m.value()));
      int rows = up.stream().mapToInt(Rungs.Match::rows).sum();
      if (!up.isEmpty()) {
        add(ROUNDING, SUSPECT, "radii are rounded to " + log.printed().words() + ": " + rows + " of " + fit.rows()
            + " rows that can be checked print more than their bound gives, such as "
            + Decimals.brief(up.get(0).value()) + " for "
            + Decimals.down(up.get(0).rung(), 7));
      } else if (farBelow) {
        add(ROUNDING, SHOWN, "radii are cut to " + log.printed().words() + ", none is above its bound");
      } else {
        add(ROUNDING, UNJUDGED, "the " + fit.matches().size() + " radii that can be checked are not above their "
            + "bounds, which both cutting and rounding would give");
      }
    }

    private void votes(Rungs.Fit fit) {
      int samples = fit.ladder().n();
      if (fit.step() > 1) {
        add(VOTES, SUSPECT, "every radius that can be told apart is of n - " + fit.step() + " j votes: "
            + samples / fit.step()
            + " samples whose votes were multiplied by " + fit.step() + "? Such a radius is a projection, no "
            + "certificate");
        return;
      }
      Optional<Integer> selection = Arrays.stream(LadderSearch.SELECTIONS).boxed()

          .filter(s -> log.printed().full() && LadderSearch.isRound(samples - s) && !LadderSearch.isRound(samples))
          .findFirst();
      if (selection.isPresent()) {
        add(VOTES, SUSPECT, "n = " + samples + " is a round " + (samples - selection.get()) + " and " + selection.get()
            + ": were the votes that chose the class counted in its bound?");
        return;
      }
      add(VOTES, UNJUDGED, "counts are not multiplied as far as the radii can show it; whether the class was chosen "
          + "on the votes that bound it is not in a table");
    }

    private void unjudgedVotes() {
      add(VOTES, UNJUDGED, "without the ladder the votes behind the radii are not known");
    }

    private static String why(Rungs rungs, LadderSearch.Outcome outcome) {
      if (rungs.values().length == 1) {
        return "all certified rows have the same radius, " + Decimals.brief(rungs.values()[0])
            + ", and one rung shows alpha or n, not both";
      }
      if (outcome.nothing()) {
        return "no usual alpha with a round n has rungs at " + Arrays.stream(rungs.values()).limit(SHOWN_RADII)
            .mapToObj(Decimals::brief).collect(Collectors.joining(", "));
      }
      if (!rungs.piledUp()) {
        return "the largest radius, " + Decimals.brief(rungs.values()[0]) + ", is not shared by 3 rows or more, so "
            + "it need not be that of n of n votes, and the other radii are too close to tell ladders apart";
      }
      return outcome.others().isEmpty() ? "too few radii can be told apart" : "several fit: " + list(outcome.others());
    }

    /** The one usual sigma at which a ladder is named, if there is just one. */
    private OptionalDouble usualSigma(Rungs rungs) {
      double[] fitting = Arrays.stream(USUAL_SIGMAS)
          .filter(s -> LadderSearch.search(rungs, s).fit().isPresent()).toArray();
      if (fitting.length != 1) {
        return OptionalDouble.empty();
      }
      add("sigma", NOTE, Decimals.brief(fitting[0]) + " is the only usual one at which the radii fit a ladder");
      return OptionalDouble.of(fitting[0]);
    }

    private void images() {
      int[] images = log.rows().stream().mapToInt(Row::image).sorted().toArray();
      if (images.length < 2) {
        return;
      }
      int step = images[1] - images[0];
      for (int i = 1; i < images.length; i++) {
        step = gcd(step, images[i] - images[i - 1]);
      }
      int last = images[images.length - 1];
      int missing = (last - images[0]) / step + 1 - images.length;
      String range = images[0] + " to " + last + (step > 1 ? " in steps of " + step : "");
      if (missing > 0) {
        add("images", NOTE, range + ", of which " + missing + " are missing");
      } else {
        add("images", SHOWN, range + ", none missing");
      }
    }

    private static int gcd(int a, int b) {
      return b == 0 ? a : gcd(b, a % b);
    }

    private static String list(List<Rungs.Fit> fits) {
      return fits.stream().limit(3).map(f -> "alpha = " + Decimals.brief(f.ladder().alpha()) + " with n = "
          + f.ladder().n())
          .collect(Collectors.joining(", ")) + (fits.size() > 3 ? " and " + (fits.size() - 3) + " more" : "");
    }

    private void add(String rule, Verdict verdict, String sentence) {
      findings.add(new Finding(rule, verdict, sentence));
    }
  }
}
