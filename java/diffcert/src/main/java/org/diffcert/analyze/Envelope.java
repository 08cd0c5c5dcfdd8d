package org.diffcert.analyze;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The best of several logs at each radius ("best over sigma"): a choice made on the very images that are reported, so
 * no one classifier has this curve, and no interval is given for it. Immutable, thread-safe.
 */
public final class Envelope {
  /** What its line is called in tables. */
  static final String NAME = "best at each radius";
  /** What has to be said wherever it is shown. */
  static final String WARNING = "The best at each radius is a selection on the images reported here: no one classifier "
      + "has it, and no interval covers it.";

  private final List<Log> logs;
  private final List<Analysis> analyses;

  private Envelope(List<Log> logs) {
    this.logs = logs;
    this.analyses = logs.stream().map(log -> new Analysis(log.rows())).toList();
  }

  /**
   * The envelope of logs.
   *
   * @param logs any logs
   * @return empty unless two or more of them have certificates, all of the same images
   */
  public static Optional<Envelope> of(List<Log> logs) {
    List<Log> certifying = logs.stream().filter(log -> log.certifies() && !log.rows().isEmpty()).toList();
    boolean comparable = certifying.size() > 1 && certifying.stream().map(Envelope::images).distinct().count() == 1;
    return comparable ? Optional.of(new Envelope(certifying)) : Optional.empty();
  }

  /** Which images, in a form that compares by value. */
  private static List<Integer> images(Log log) {
    return Arrays.stream(log.rows().stream().mapToInt(Row::image).sorted().toArray()).boxed().toList();
  }

  /**
   * The highest certified accuracy at a radius.
   *
   * @param radius in [0,1] pixel units, at least 0
   * @return 0 to 1
   */
  public double certifiedAccuracy(double radius) {
    Analysis best = analyses.get(best(radius));
    return (double) best.certified(radius) / best.rows().size();
  }

  /**
   * The log that gives it; of several, the first.
   *
   * @param radius in [0,1] pixel units, at least 0
   * @return one of the logs
   */
  public Log chosen(double radius) {
    return logs.get(best(radius));
  }

  private int best(double radius) {
    int best = 0;
    for (int i = 1; i < analyses.size(); i++) {
      if (analyses.get(i).certified(radius) > analyses.get(best).certified(radius)) {
        best = i;
      }
    }
    return best;
  }
}
