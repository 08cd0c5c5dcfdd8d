package org.diffcert.run;

import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.diffcert.certify.CascadeCertificate;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Histogram;
import org.diffcert.certify.Stopping;
import org.diffcert.stats.IntegerRadius;

/**
 * One image of a run, with everything needed to compute its certificates again. Immutable, thread-safe.
 *
 * @param image index in the data set
 * @param label its label
 * @param certificates one a sigma, in the header's order; of a cascade one
 * @param cascade the certificate of a cascade with all its stages, empty for any other run
 * @param calls network calls spent on it
 * @param elapsed how long it took
 * @param finished when it was done, to the millisecond
 */
public record RunRecord(int image, int label, List<Certificate> certificates, Optional<CascadeCertificate> cascade,
    long calls, Duration elapsed, Instant finished) {
  /**
   * Copies the list and drops what the log does not hold of the instant.
   *
   * @param image index in the data set
   * @param label its label
   * @param certificates one a sigma, or one of a cascade
   * @param cascade the certificate of a cascade
   * @param calls network calls
   * @param elapsed how long it took
   * @param finished when it was done
   */
  public RunRecord {
    certificates = List.copyOf(certificates);
    finished = Instant.ofEpochMilli(finished.toEpochMilli());
  }

  /**
   * An image with a certificate a sigma.
   *
   * @param image index in the data set
   * @param label its label
   * @param certificates one a sigma
   * @param calls network calls
   * @param elapsed how long it took
   * @param finished when it was done
   */
  public RunRecord(int image, int label, List<Certificate> certificates, long calls, Duration elapsed,
      Instant finished) {
    this(image, label, certificates, Optional.empty(), calls, elapsed, finished);
  }

  /** An image with the certificate of a cascade. */
  static RunRecord of(int image, int label, CascadeCertificate found, long calls, Duration elapsed, Instant finished) {
    return new RunRecord(image, label, List.of(found.certificate()), Optional.of(found), calls, elapsed, finished);
  }

  /**
   * The samples that were counted.
   *
   * @return those of the selection and the most estimation samples of a sigma; of a cascade, those of all its stages
   */
  public long samples() {
    if (cascade.isPresent()) {
      return cascade.get().stages().stream().mapToLong(s -> (long) s.selection().total() + s.estimation().total()).sum()
          + cascade.get().unseen().stream().mapToLong(Histogram::total).sum();
    }
    return certificates.stream().mapToLong(c -> (long) c.selection().total() + c.samples()).max().orElseThrow();
  }

  LogLine encode() {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("image", (long) image);
    body.put("label", (long) label);
    if (cascade.isPresent()) {
      body.put("cascade", CascadeFields.encode(cascade.get()));
    } else {
      body.put("results", results());
    }
    body.put("calls", calls);
    Map<String, Object> time = new LinkedHashMap<>();
    time.put("finished", finished.toString());
    time.put("nanos", elapsed.toNanos());
    return new LogLine(body, time);
  }

  private List<Object> results() {
    List<Object> results = new ArrayList<>();
    for (Certificate c : certificates) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("sigma", c.sigma().unit());
      result.put("selection", list(c.selection()));
      result.put("selectionNone", (long) c.selection().noVote());
      result.put("estimation", list(c.estimation()));
      result.put("estimationNone", (long) c.estimation().noVote());
      result.put("alpha", c.alpha());
      result.put("candidate", (long) c.candidate());
      result.put("predict", (long) c.predict());
      result.put("pALower", c.pALower());
      result.put("radius", c.radius());
      result.put("integerRadius", c.integerRadius().squared());
      results.add(result);
    }
    return results;
  }

  /**
   * Reads a record of a run; values that do not fit its header are bad input, wrong bounds are not (they are for
   * Verify).
   */
  static RunRecord decode(LogLine line, RunHeader header) {
    String results = header.cascade().isPresent() ? "cascade" : "results";
    Fields fields = new Fields("the record", line.body(), "image", "label", results, "calls");
    Fields time = new Fields("time", line.time(), "finished", "nanos");
    int image = fields.count("image", 0, Integer.MAX_VALUE);
    if (!header.images().contains(image)) {
      throw Fields.bad("image " + image + " is none of the run's");
    }
    int classes = header.classNames().size();
    int label = fields.count("label", 0, classes - 1);
    long calls = fields.integer("calls", 0, Long.MAX_VALUE);
    Duration elapsed = Duration.ofNanos(time.integer("nanos", 0, Long.MAX_VALUE));
    Instant finished = instant(time.string("finished"));
    if (header.cascade().isPresent()) {
      return of(image, label, CascadeFields.decode(fields.raw(results), header), calls, elapsed, finished);
    }
    return new RunRecord(image, label, certificates(fields.list(results), header), calls, elapsed, finished);
  }

  private static List<Certificate> certificates(List<?> results, RunHeader header) {
    if (results.size() != header.sigmas().size()) {
      throw Fields.bad("there are " + results.size() + " results for " + header.sigmas().size() + " sigmas");
    }
    List<Certificate> certificates = new ArrayList<>();
    for (int s = 0; s < results.size(); s++) {
      certificates.add(certificate(results.get(s), s, header));
    }
    return certificates;
  }

  private static Certificate certificate(Object value, int s, RunHeader header) {
    Fields f = new Fields("the result", value, "sigma", "selection", "selectionNone", "estimation", "estimationNone",
        "alpha", "candidate", "predict", "pALower", "radius", "integerRadius");
    if (f.number("sigma") != header.sigmas().get(s).unit()) {
      throw Fields.bad("a result is for sigma " + f.number("sigma") + ", the header has " + header.sigmas().get(s));
    }
    int last = header.classNames().size() - 1;
    Histogram selection = histogram(f, "selection", "selectionNone", last + 1, header.config().n0(),
        header.config().n0());
    Histogram estimation = histogram(f, "estimation", "estimationNone", last + 1,
        header.config().stop().kind() == Stopping.Kind.FIXED ? header.config().n() : 1, header.config().n());
    double radius = f.number("radius");
    double pALower = f.number("pALower");
    if (!(radius >= 0 && pALower >= 0 && pALower <= 1)) {
      throw Fields.bad("a radius is " + radius + " with a probability of " + pALower);
    }
    IntegerRadius integerRadius = new IntegerRadius(f.integer("integerRadius", IntegerRadius.NONE, Long.MAX_VALUE));
    return new Certificate(header.sigmas().get(s), f.count("candidate", 0, last),
        f.count("predict", Certificate.ABSTAIN, last), pALower, radius, integerRadius, selection, estimation,
        f.number("alpha"));
  }

  static Histogram histogram(Fields f, String key, String noneKey, int classes, int least, int most) {
    int[] counts = f.counts(key);
    int none = f.count(noneKey, 0, Integer.MAX_VALUE);
    long sum = Arrays.stream(counts).asLongStream().sum() + none;
    if (counts.length != classes || sum < least || sum > most) {
      throw Fields.bad(key + " has " + sum + " votes for " + counts.length + " classes instead of "
          + (least == most ? "" : least + " to ") + most + " for " + classes);
    }
    return new Histogram(counts, none);
  }

  static Instant instant(String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException e) {
      throw Fields.bad("'" + Fields.abbreviate(text) + "' is not a time");
    }
  }

  static List<Object> list(Histogram histogram) {
    List<Object> list = new ArrayList<>();
    for (int count : histogram.counts()) {
      list.add((long) count);
    }
    return list;
  }
}
