package org.diffcert.run;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.diffcert.DiffcertException;
import org.diffcert.analyze.Finding;
import org.diffcert.analyze.Log;
import org.diffcert.analyze.PrintedRadii;
import org.diffcert.analyze.Report;
import org.diffcert.analyze.TableReader;
import org.diffcert.certify.Cascade;
import org.diffcert.certify.CascadeCertificate;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Stopping;
import org.diffcert.noise.Sigma;

/** Hands runs, and anybody's tables, over to analysis. */
public final class Logs {
  private Logs() {}

  /**
   * Reads a run (its directory or its {@code run.jsonl}) or a table of results.
   *
   * @param path the directory or file
   * @return one log a sigma of a run, the sigma in its name if there are several; one for a table; named by the path
   * @throws DiffcertException of kind BAD_INPUT if it cannot be read
   */
  public static List<Log> read(Path path) {
    return isRun(path) ? of(path.toString(), RunLog.read(path)) : List.of(TableReader.read(path));
  }

  /**
   * Reads a run or a table with all that a report can say about it.
   *
   * @param path the directory or file
   * @return one panel a log, as {@link #read}
   * @throws DiffcertException of kind BAD_INPUT if it cannot be read
   */
  public static List<Report.Panel> panels(Path path) {
    return isRun(path) ? RunReport.panels(path.toString(), RunLog.read(path))
        : List.of(Report.Panel.of(TableReader.read(path)));
  }

  private static boolean isRun(Path path) {
    return Files.isDirectory(path) || path.toString().endsWith(".jsonl");
  }

  /**
   * The logs of a run.
   *
   * @param name what to call it
   * @param run the run
   * @return one a sigma, or one of a cascade, which has no sigma
   */
  public static List<Log> of(String name, RunLog run) {
    List<Log> logs = new ArrayList<>();
    RunHeader header = run.header();
    for (int s = 0; s < header.certificates(); s++) {
      String each = header.certificates() == 1 ? name : name + " sigma " + header.sigmas().get(s);
      Optional<Sigma> sigma = header.cascade().isPresent() ? Optional.empty() : Optional.of(header.sigmas().get(s));
      logs.add(new Log(each, Log.Form.RUN, Results.rows(run, s), sigma, PrintedRadii.EXACT, 
          Optional.of(votes(run, s)), header.classNames(), findings(run)));
    }
    return logs;
  }

  private static Log.Votes votes(RunLog run, int sigma) {
    List<Double> shares = new ArrayList<>();
    for (RunRecord record : run.records()) {
      Certificate c = record.certificates().get(sigma);
      shares.add((double) c.estimation().count(c.candidate()) / c.estimation().total());
    }
    RunHeader header = run.header();
    return new Log.Votes(header.config().n(), header.alphaEach(), shares);
  }

  private static List<Finding> findings(RunLog run) {
    List<Finding> findings = new ArrayList<>();
    int missing = run.header().images().size() - run.records().size();
    if (missing > 0) {
      findings.add(new Finding("rows", Finding.Verdict.NOTE, missing + " images of the run are not done yet"));
    }
    if (run.tornBytes() > 0) {
      findings.add(new Finding("last line", Finding.Verdict.NOTE,
          "a torn last line of " + run.tornBytes() + " bytes is left out"));
    }
    if (run.header().config().stop().kind() != Stopping.Kind.FIXED) {
      findings.add(new Finding("samples", Finding.Verdict.NOTE, "stop " + run.header().config().stop().kind().cliName()
          + ": an image took as many samples as the question of its radii needed, n is the most"));
    }
    run.header().cascade().ifPresent(cascade -> findings.add(cascade(run, cascade)));
    if ("float".equals(run.header().source().get("noise"))) {
      findings.add(new Finding("noise", Finding.Verdict.SUSPECT,
          "floating-point noise, for comparison only: its certificates are not proven"));
    }
    return findings;
  }

  /** What the certificates say and what the deployed predictor does, each by its name. */
  private static Finding cascade(RunLog run, Cascade cascade) {
    long later = 0;
    long undecided = 0;
    long right = 0;
    for (RunRecord record : run.records()) {
      CascadeCertificate c = record.cascade().orElseThrow();
      later += !c.abstains() && c.stage() > 0 ? 1 : 0;
      undecided += c.outcome() == CascadeCertificate.Outcome.UNDECIDED ? 1 : 0;
      right += c.deployed().predict() == record.label() ? 1 : 0;
    }
    return new Finding("cascade", Finding.Verdict.NOTE, "sigmas " + Results.descending(run.header()) + ", p0 "
        + cascade.p0() + ", walk " + cascade.walk().cliName() + ": " + later
        + " rows certified by a later stage, " + undecided
        + " abstain undecided; the deployed predictor, which no certificate is about, is right in " + right + " of "
        + run.records().size() + " rows");
  }
}
