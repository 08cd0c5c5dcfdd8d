package org.diffcert.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import org.diffcert.analyze.Decimals;
import org.diffcert.analyze.HtmlReport;
import org.diffcert.analyze.Log;
import org.diffcert.analyze.Pictures;
import org.diffcert.analyze.Report;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Stopping;
import org.diffcert.file.Json;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageData;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.Radius;

/** What a run has to say in its report: the statement, a panel a sigma, the images, where it comes from. */
public final class RunReport {
  /** Pictures of more images than this would make the file too heavy to open. */
  private static final int MOST_PICTURES = 2000;

  private RunReport() {}

  /** The report of a run as HTML; data gives the pictures, null for none. */
  static String html(RunLog run, ImageData data) {
    RunHeader header = run.header();
    String subtitle = run.records().size() + " of " + header.images().size() + " images are done; "
        + header.source().getOrDefault("classifier", "classifier") + ", n = " + header.config().n() + ", alpha = "
        + header.config().alpha() + "; run " + header.digest().substring(0, 12);
    List<Report.Panel> panels = new ArrayList<>();
    for (Report.Panel panel : panels("", run)) {
      String sigma = panel.log().sigma().map(Sigma::toString).orElse(Results.descending(header));
      panels.add(panel.named("\u03c3 = " + sigma));
    }
    return HtmlReport.of(new Report("Certified robustness on " + header.data(), subtitle, panels, pictures(run, data)));
  }

  private static Optional<Pictures> pictures(RunLog run, ImageData data) {
    int count = run.records().size();
    if (data == null || count == 0 || count > MOST_PICTURES) {
      return Optional.empty();
    }
    List<ByteImage> images = run.records().stream().map(record -> data.image(record.image())).toList();
    return Optional.of(Pictures.of(images));
  }

  /**
   * The panels of a run.
   *
   * @param name what to call it
   * @param run the run
   * @return one a sigma
   */
  public static List<Report.Panel> panels(String name, RunLog run) {
    RunHeader header = run.header();
    List<Log> logs = Logs.of(name, run);
    List<Report.Panel> panels = new ArrayList<>();
    boolean unproven = "float".equals(header.source().get("noise"));
    Optional<String> warning = unproven ? Optional.of("This run used floating-point noise, for comparison with "
        + "published runs: the statement below is not proven for it.") : Optional.empty();
    for (int s = 0; s < logs.size(); s++) {
      panels.add(new Report.Panel(logs.get(s), statement(header), warning, largest(header, s), details(run, s),
          facts(run)));
    }
    return panels;
  }

  /** The radius of n of n votes; a run that stops early has none to speak of, nor a cascade. */
  private static OptionalDouble largest(RunHeader header, int s) {
    if (header.config().stop().kind() != Stopping.Kind.FIXED || header.cascade().isPresent()) {
      return OptionalDouble.empty();
    }
    double alpha = header.alphaEach();
    return OptionalDouble.of(Radius.largest(header.sigmas().get(s), header.config().n(), alpha));
  }

  private static List<String> statement(RunHeader header) {
    double alpha = header.config().alpha();
    double each = header.alphaEach();
    List<String> paragraphs = new ArrayList<>();
    paragraphs.add((header.joint() ? "With probability at least 1 \u2212 " + alpha + " over the smoothing noise, all "
        + "certificates of this run hold at once"
        : "For each image separately, with probability at least 1 \u2212 " + alpha
        + " over the smoothing noise, all its certificates in this report hold at once")
        + (each < alpha ? " (alpha is split evenly, each certificate has " + Decimals.brief(each) + ")" : "")
        + ": the " + (header.cascade().isPresent() ? "certified function of the cascade (the first stage from the "
        + "largest sigma down at which a class has a probability above p0 = " + header.cascade().get().p0() + ")"
        : "smoothed classifier") + " gives the predicted class to every 8-bit image whose squared pixel differences "
        + "from the image certified sum to at most M. That covers every 8-bit image within the L2 radius, in [0,1] "
        + "pixel units.");
    paragraphs.add((header.joint() ? "" : "Of many rows, an expected share of up to alpha may be false. ")
        + "The statement is about " + (header.cascade().isPresent() ? "that function on 8-bit images: not about the "
        + "deployed predictor, not about a stage for itself, not about " : "the smoothed classifier on 8-bit images: "
        + "not about the base classifier, not about ") + "real-valued inputs. Radii are rounded down.");
    if (header.config().stop().kind() != Stopping.Kind.FIXED) {
      paragraphs.add("Sampling of an image ended as soon as it was known whether its radius reaches each of "
          + header.config().stop().radii().stream().map(String::valueOf).collect(Collectors.joining(", "))
          + " (stop " + header.config().stop().kind().cliName() + "): a radius says what was asked, not how far the "
          + "image could have been certified, and mean and median are to be read so.");
    }
    return paragraphs;
  }

  private static List<Report.Detail> details(RunLog run, int sigma) {
    List<Report.Detail> details = new ArrayList<>();
    for (RunRecord record : run.records()) {
      Certificate c = record.certificates().get(sigma);
      details.add(new Report.Detail(c.estimation().count(c.candidate()), c.estimation().total(), c.pALower(),
          c.integerRadius().squared(), record.elapsed().toNanos() / 1e9));
    }
    return details;
  }

  private static List<Report.Fact> facts(RunLog run) {
    List<Report.Fact> facts = new ArrayList<>();
    run.origin().fields().forEach((key, value) -> {
      if (!value.isEmpty()) {
        facts.add(new Report.Fact(key, value));
      }
    });
    facts.add(new Report.Fact("header SHA-256", run.header().digest()));
    flatten(facts, "", run.header().encode());
    return facts;
  }

  private static void flatten(List<Report.Fact> facts, String path, Map<?, ?> map) {
    map.forEach((key, value) -> {
      String name = path.isEmpty() ? key.toString() : path + "." + key;
      if (value instanceof Map<?, ?> inner) {
        flatten(facts, name, inner);
      } else {
        facts.add(new Report.Fact(name, value instanceof String s ? s : Json.of(value).write()));
      }
    });
  }
}
