package org.diffcert.analyze;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.diffcert.analyze.Report.Panel;

/**
 * A report as one HTML file that needs nothing beside it and no network: the statement, figures, curves, the audit,
 * every image, where it all comes from. Light and dark, screen, phone and paper; without JavaScript everything is
 * there, with it rows can be sorted and filtered.
 */
public final class HtmlReport {
  /** Nothing may be fetched from anywhere, whatever a class name or a path in the report says. */
  private static final String POLICY =
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

  /** Images a class, on average, below which a table by class would show noise. */
  private static final int FEWEST = 5;

  private final Report report;
  private final List<Log> logs;
  private final StringBuilder out = new StringBuilder(1 << 16);

  private HtmlReport(Report report) {
    this.report = report;
    this.logs = report.panels().stream().map(Panel::log).toList();
  }

  /**
   * Lays a report out.
   *
   * @param report what to show
   * @return the HTML file's text
   */
  public static String of(Report report) {
    HtmlReport page = new HtmlReport(report);
    page.lay();
    return page.out.toString();
  }

  private void lay() {
    out.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
        .append("<meta name=\"color-scheme\" content=\"light dark\">")
        .append("<meta http-equiv=\"Content-Security-Policy\" content=\"").append(POLICY).append("\">")
        .append("<title>").append(Html.escape(report.title())).append("</title><style>").append(resource("report.css"));
    colours();
    out.append("</style></head><body><header><p class=\"kicker\">diffcert &middot; certified robustness</p><h1>")
        .append(Html.escape(report.title())).append("</h1><p class=\"sub\">").append(Html.escape(report.subtitle()))
        .append("</p></header><main>");
    statement();
    if (logs.stream().anyMatch(log -> !log.rows().isEmpty())) {
      accuracy();
      report.comparison().ifPresent(comparison -> comparison.lay(out));
      probabilities();
      classes();
    }
    audit();
    if (logs.stream().anyMatch(log -> !log.rows().isEmpty())) {
      new HtmlRows(report, out).lay();
    }
    provenance();
    out.append("</main><script>").append(resource("report.js")).append("</script></body></html>\n");
  }

  private void colours() {
    StringBuilder light = new StringBuilder();
    StringBuilder dark = new StringBuilder();
    for (int i = 0; i < Palette.size(); i++) {
      light.append("--s").append(i).append(':').append(Palette.light(i)).append(';');
      dark.append("--s").append(i).append(':').append(Palette.dark(i)).append(';');
      out.append(".line.s").append(i).append("{stroke:var(--s").append(i).append(")}.band.s").append(i)
          .append(",.bar.s")
          .append(i).append("{fill:var(--s").append(i).append(")}.key .s").append(i).append("{border-color:var(--s")
          .append(i).append(")}");
    }
    out.append(":root{").append(light).append("}@media screen and (prefers-color-scheme:dark){:root{").append(dark)
        .append("}}");
  }

  private void statement() {
    report.panels().stream().map(Panel::warning).flatMap(Optional::stream).distinct().forEach(warning ->
        out.append("<p class=\"warning\" role=\"note\">").append(Html.escape(warning)).append("</p>"));
    out.append("<section class=\"statement\"><h2>What is stated</h2>");
    report.panels().stream().flatMap(panel -> panel.statement().stream()).distinct()
        .forEach(paragraph -> out.append("<p>").append(Html.escape(paragraph)).append("</p>"));
    out.append("</section>");
  }

  private void accuracy() {
    Curves curves = Curves.of(logs);
    out.append("<section><h2>Certified accuracy</h2><p class=\"lede\">The share of images that are classified "
        + "correctly with a radius of at least r. Bands and small figures are exact 95% intervals, were the images "
        + "a random sample.</p>");
    if (!curves.series().isEmpty()) {
      HtmlChart.curves(out, curves);
    }
    List<Double> radii = curves.ticks();
    boolean largest = report.panels().stream().anyMatch(panel -> panel.largestPossible().isPresent());
    out.append("<div class=\"wide\"><table class=\"figures\"><thead><tr><th></th>");
    radii.forEach(radius -> put("<th>%s%s</th>", radius == 0 ? "<i>r</i> = " : "", Html.tick(radius)));
    out.append("<th>ACR</th><th>median</th><th>abstains</th>").append(largest ? "<th>largest possible</th>" : "")
        .append("</tr></thead><tbody>");
    for (Panel panel : report.panels()) {
      Log log = panel.log();
      put("<tr><th>%s<small>%d images</small></th>", Html.escape(log.name()), log.rows().size());
      if (log.rows().isEmpty()) {
        put("<td colspan=\"%d\">no rows</td></tr>", radii.size() + 3 + (largest ? 1 : 0));
        continue;
      }
      Analysis analysis = new Analysis(log.rows());
      for (double radius : radii) {
        cell(log.certifies() || radius == 0 ? Optional.of(analysis.certifiedAccuracy(radius)) : Optional.empty());
      }
      put("<td>%s</td><td>%s</td>", log.certifies() ? figure(analysis.averageCertifiedRadius()) : "",
          log.certifies() ? figure(analysis.medianRadius()) : "");
      cell(Optional.of(analysis.abstention()));
      if (largest) {
        put("<td>%s</td>", panel.largestPossible().isPresent()
            ? figure(panel.largestPossible().getAsDouble()) : "");
      }
      out.append("</tr>");
    }
    Optional<Envelope> envelope = Envelope.of(logs);
    envelope.ifPresent(best -> {
      put("<tr class=\"best\"><th>%s<small>a selection</small></th>", Envelope.NAME);
      radii.forEach(radius -> put("<td>%.1f%%</td>", 100 * best.certifiedAccuracy(radius)));
      put("<td colspan=\"%d\"></td></tr>", largest ? 4 : 3);
    });
    out.append("</tbody></table></div>");
    envelope.ifPresent(best -> put("<p class=\"note\">%s</p>", Html.escape(Envelope.WARNING)));
    out.append("<p class=\"note\">ACR is the mean radius and median the middle one, over all rows, wrong and "
        + "abstaining ones counted as 0. ").append(largest ? "No row can have more than the largest possible "
        + "radius, that of n of n votes."
        : "").append("</p></section>");
  }

  private void cell(Optional<Proportion> share) {
    if (share.isEmpty()) {
      out.append("<td></td>");
      return;
    }
    Proportion p = share.get();
    put("<td>%.1f%%<small>%.1f&#8211;%.1f</small></td>", 100 * p.value(), 100 * p.lower(), 100 * p.upper());
  }

  private void probabilities() {
    if (logs.stream().allMatch(log -> Probabilities.of(log).isEmpty())) {
      return;
    }
    boolean shares = logs.stream().flatMap(log -> Probabilities.of(log).stream()).allMatch(Probabilities::shares);
    put("<section><h2>How sure: <i>p</i><sub>A</sub></h2><p class=\"lede\">%s</p><div class=\"pair\">", shares
        ? "The share of the estimation votes that went to the candidate class, by image. Bins narrow towards 1, "
        + "where radii are won."
        : "Of runs the share of votes for the candidate, of tables the lower bound that each radius was made from. "
        + "Bins narrow towards 1, where radii are won.");
    for (int i = 0; i < logs.size(); i++) {
      int series = i;
      Log log = logs.get(i);
      Probabilities.of(log).ifPresent(p -> {
        put("<div><h3>%s</h3><p class=\"median\">median <b>%s</b></p>", Html.escape(log.name()),
            Decimals.down(p.median(), 4));
        HtmlChart.histogram(out, p, series);
        out.append("</div>");
      });
    }
    out.append("</div></section>");
  }

  private void classes() {
    int rows = logs.stream().mapToInt(log -> log.rows().size()).max().orElse(0);
    long labels = logs.stream().flatMap(log -> log.rows().stream()).mapToInt(Row::label).distinct().count();
    if (rows < FEWEST * labels) {
      put("<section><h2>By class</h2><p class=\"lede\">%d images of %d classes: too few of each to say anything about "
          + "one.</p></section>", rows, labels);
      return;
    }
    classTable();
  }

  private void classTable() {
    out.append("<section><h2>By class</h2><p class=\"lede\">A mean can hide classes that fare much worse.</p><div "
        + "class=\"wide\"><table class=\"figures classes\"><thead><tr><th>class</th>");
    boolean several = logs.size() > 1;
    out.append(several ? "<th class=\"l\">of</th>" : "")
        .append("<th>rows</th><th>accuracy</th><th>ACR</th><th>median</th><th>abstains</th></tr></thead><tbody>");
    List<Map<Integer, Analysis>> parts = logs.stream()
        .map(log -> log.rows().isEmpty() ? Map.<Integer, Analysis>of() : new Analysis(log.rows()).byClass()).toList();
    List<Integer> labels = parts.stream().flatMap(part -> part.keySet().stream()).distinct().sorted().toList();
    double farthest = parts.stream().flatMap(part -> part.values().stream())
        .mapToDouble(Analysis::averageCertifiedRadius).max().orElse(0);
    for (int label : labels) {
      boolean first = true;
      for (int i = 0; i < logs.size(); i++) {
        Analysis analysis = parts.get(i).get(label);
        if (analysis == null) {
          continue;
        }
        double acr = analysis.averageCertifiedRadius();
        put("<tr%s><th>%s</th>%s<td>%d</td>", first ? " class=\"first\"" : "", first ? name(label) : "",
            several ? "<td class=\"l\">" + Html.escape(logs.get(i).name()) + "</td>" : "", analysis.rows().size());
        cell(Optional.of(analysis.certifiedAccuracy(0)));
        put("<td><span class=\"meter\" style=\"--w:%.1f%%;--c:var(--s%d)\"></span><b>%s</b></td><td>%s</td>",
            farthest > 0 ? 100 * acr / farthest : 0, i % Palette.size(), figure(acr), figure(analysis.medianRadius()));
        cell(Optional.of(analysis.abstention()));
        out.append("</tr>");
        first = false;
      }
    }
    out.append("</tbody></table></div></section>");
  }

  private static String figure(double radius) {
    return radius == 0 ? "0" : Decimals.column(radius, 4);
  }

  private String name(int label) {
    return Html.escape(logs.stream().map(log -> log.className(label)).findFirst().orElseThrow());
  }

  /** Findings that several logs share, as the sigmas of a run do, are there once. */
  private void audit() {
    Map<List<Finding>, List<String>> audits = new LinkedHashMap<>();
    logs.forEach(log -> audits.computeIfAbsent(Audit.of(log).findings(), key -> new ArrayList<>()).add(log.name()));
    out.append("<section><h2>Audit</h2>");
    audits.forEach((findings, names) -> {
      put("<h3>%s</h3><ul class=\"audit\">", Html.escape(String.join(", ", names)));
      for (Finding finding : findings) {
        put("<li><span class=\"verdict %s\">%s</span><span><b>%s</b> %s</span></li>",
            finding.verdict().name().toLowerCase(Locale.ROOT), finding.verdict().word(), Html.escape(finding.rule()),
            Html.escape(finding.sentence()));
      }
      out.append("</ul>");
    });
    out.append("</section>");
  }

  private void provenance() {
    out.append("<section><h2>Where it comes from</h2>");
    List<List<Report.Fact>> distinct = report.panels().stream().map(Panel::facts).distinct().toList();
    for (List<Report.Fact> facts : distinct) {
      out.append("<dl>");
      facts.forEach(fact -> put("<div><dt>%s</dt><dd>%s</dd></div>", Html.escape(fact.name()),
          Html.escape(fact.value())));
      out.append("</dl>");
    }
    out.append("</section>");
  }

  private static String resource(String name) {
    try (InputStream in = HtmlReport.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void put(String pattern, Object... values) {
    out.append(String.format(Locale.ROOT, pattern, values));
  }
}
