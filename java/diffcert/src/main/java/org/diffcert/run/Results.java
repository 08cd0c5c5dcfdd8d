package org.diffcert.run;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.diffcert.analyze.Decimals;
import org.diffcert.analyze.Row;
import org.diffcert.certify.CascadeCertificate;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Stopping;
import org.diffcert.noise.Sigma;

/**
 * Result tables in the columns that the field's plotting scripts read: {@code idx label predict radius correct time},
 * separated by tabs, with the radius at full precision, cut off, never rounded up; after them {@code samples} if the
 * number of samples was not fixed.
 */
public final class Results {
  private static final int UNDECIDED = -2;
  private static final String CASCADE_COLUMNS =
      "idx\tlabel\tpredict\tradius\tr_neg\tcorrect\tpred_uc\tcorr_uc\tstage\ttime";
  private static final String COLUMNS = "idx\tlabel\tpredict\tradius\tcorrect\ttime";

  private Results() {}

  /**
   * The name of the table of one sigma in a run directory.
   *
   * @param header the run
   * @param sigma position of the sigma in the header
   * @return {@code results.tsv}, or with the sigma in the name if there are several certificates an image
   */
  public static String fileName(RunHeader header, int sigma) {
    return header.certificates() == 1 ? "results.tsv" : "results-sigma" + header.sigmas().get(sigma) + ".tsv";
  }

  /**
   * The rows of one sigma of a run.
   *
   * @param log the run
   * @param sigma position of the sigma in the header
   * @return one an image, in the log's order
   */
  public static List<Row> rows(RunLog log, int sigma) {
    List<Row> rows = new ArrayList<>();
    for (RunRecord record : log.records()) {
      Certificate c = record.certificates().get(sigma);
      rows.add(new Row(record.image(), record.label(), c.predict(), c.radius()));
    }
    return rows;
  }

  /** The table of one sigma of a run. */
  static String text(RunLog log, int sigma) {
    if (log.header().cascade().isPresent()) {
      return cascade(log);
    }
    boolean fixed = log.header().config().stop().kind() == Stopping.Kind.FIXED;
    StringBuilder out = new StringBuilder(COLUMNS).append(fixed ? "\n" : "\tsamples\n");
    for (RunRecord record : log.records()) {
      Certificate c = record.certificates().get(sigma);
      out.append(record.image()).append('\t').append(record.label()).append('\t').append(c.predict()).append('\t')
          .append(Decimals.down(c.radius(), 18)).append('\t').append(c.predict() == record.label() ? 1 : 0).append('\t')
          .append(time(record.elapsed())).append(fixed ? "\n" : "\t" + c.samples() + "\n");
    }
    return out.toString();
  }

  /**
   * The table of a cascade, in the columns of the published one: {@code r_neg} is minus the radius that earlier stages
   * leave (-100 for none), {@code pred_uc} and {@code corr_uc} are the deployed predictor's, {@code stage} counts from
   * the largest sigma; an undecided image predicts -2.
   */
  private static String cascade(RunLog log) {
    StringBuilder out = new StringBuilder(CASCADE_COLUMNS).append('\n');
    for (RunRecord record : log.records()) {
      CascadeCertificate c = record.cascade().orElseThrow();
      int predict = c.outcome() == CascadeCertificate.Outcome.UNDECIDED ? UNDECIDED : c.predict();
      int deployed = c.deployed().predict();
      out.append(record.image()).append('\t').append(record.label()).append('\t').append(predict).append('\t')
          .append(Decimals.down(c.radius(), 18)).append('\t').append(c.rNeg()).append('\t')
          .append(predict == record.label() ? 1 : 0).append('\t').append(deployed).append('\t')
          .append(deployed == record.label() ? 1 : 0).append('\t').append(c.stage()).append('\t')
          .append(time(record.elapsed())).append('\n');
    }
    return out.toString();
  }

  /** The sigmas of a cascade as it walks. */
  static String descending(RunHeader header) {
    List<String> sigmas = new ArrayList<>(header.sigmas().stream().map(Sigma::toString).toList());
    Collections.reverse(sigmas);
    return String.join(", ", sigmas);
  }

  /** Hours, minutes, seconds, microseconds, as the published scripts print a time. */
  static String time(Duration elapsed) {
    return String.format(Locale.ROOT, "%d:%02d:%02d.%06d", elapsed.toHours(), elapsed.toMinutesPart(),
        elapsed.toSecondsPart(), elapsed.toNanosPart() / 1000);
  }
}
