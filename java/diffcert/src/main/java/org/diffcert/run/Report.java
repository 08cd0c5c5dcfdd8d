package org.diffcert.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.diffcert.analyze.Analysis;
import org.diffcert.analyze.Decimals;
import org.diffcert.analyze.Png;
import org.diffcert.analyze.Proportion;
import org.diffcert.analyze.Row;
import org.diffcert.certify.Certificate;
import org.diffcert.file.Json;
import org.diffcert.image.ImageData;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.Radius;

/**
 * A run as one HTML file that needs nothing beside it and no network: the statement, certified accuracy as table and
 * curve, every image, and where it all comes from.
 */
final class Report {
  private static final String STYLE = """
      body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733}
      h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse}
      td,th{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #dde3ea;font-variant-numeric:tabular-nums}
      th{font-weight:600}td.l,th.l{text-align:left;word-break:break-all}
      img{width:40px;image-rendering:pixelated;display:block}
      .no{color:#a4262c}.none{color:#6b7785}figure{margin:0}small{color:#6b7785}""";
  private static final String[] COLOURS = {"#1f6feb", "#c2410c", "#15803d", "#7e22ce", "#b45309", "#0e7490"};
  /** Thumbnails of more images than this would make the file too heavy to open. */
  private static final int MOST_THUMBNAILS = 2000;

  private Report() {}

  static String html(RunLog log, ImageData data) {
    StringBuilder out = new StringBuilder();
    out.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>diffcert report</title><style>")
        .append(STYLE).append("</style></head><body><h1>Certified robustness of ").append(escape(log.header().data()))
        .append("</h1>");
    statement(out, log);
    if (!log.records().isEmpty()) {
      List<Analysis> analyses = new ArrayList<>();
      for (int s = 0; s < log.header().sigmas().size(); s++) {
        analyses.add(new Analysis(Results.rows(log, s)));
      }
      accuracy(out, log.header(), analyses);
      curve(out, log.header(), analyses);
      images(out, log, data);
    }
    provenance(out, log);
    return out.append("</body></html>\n").toString();
  }

  private static void statement(StringBuilder out, RunLog log) {
    RunHeader header = log.header();
    out.append("<p>").append(log.records().size()).append(" of ").append(header.images().size())
        .append(" images are done. For each image separately, with probability at least 1 &minus; ")
        .append(header.config().alpha())
        .append(" over the smoothing noise, all its certificates in this report hold at once (at every sigma; alpha ")
        .append("is split evenly, each certificate has ").append(header.config().alphaEach(header.sigmas().size()))
        .append("): the smoothed classifier gives the predicted class to every 8-bit image whose squared pixel ")
        .append("differences from this one sum to at most M, which covers every 8-bit image within the L2 radius in ")
        .append("[0,1] pixel units. Of many rows, an expected share of up to alpha may be false. The statement is ")
        .append("about the smoothed classifier on 8-bit images, not about the base classifier, and not about ")
        .append("real-valued inputs. Radii are rounded down.</p>");
    if ("float".equals(header.source().get("noise"))) {
      out.append("<p class=\"no\">This run used floating-point noise, for comparison with published runs: the ")
          .append("statement above is not proven for it.</p>");
    }
  }

  private static void accuracy(StringBuilder out, RunHeader header, List<Analysis> analyses) {
    double far = analyses.stream().mapToDouble(Analysis::largestRadius).max().orElse(0);
    out.append("<h2>Certified accuracy</h2><table><tr><th class=\"l\">sigma</th>");
    int steps = (int) Math.min(16, Math.floor(far / 0.25));
    for (int i = 0; i <= steps; i++) {
      out.append("<th>r = ").append(0.25 * i).append("</th>");
    }
    out.append("<th>ACR</th><th>abstains</th><th>largest possible r</th></tr>");
    for (int s = 0; s < analyses.size(); s++) {
      Sigma sigma = header.sigmas().get(s);
      Analysis analysis = analyses.get(s);
      out.append("<tr><td class=\"l\">").append(sigma).append(" <small>(").append(Decimals.down(sigma.bytes(), 5))
          .append(" of 255)</small></td>");
      for (int i = 0; i <= steps; i++) {
        proportion(out, analysis.certifiedAccuracy(0.25 * i));
      }
      out.append("<td>").append(Decimals.down(analysis.averageCertifiedRadius(), 4)).append("</td>");
      proportion(out, analysis.abstention());
      double most = Radius.largest(sigma, header.config().n(), header.config().alphaEach(header.sigmas().size()));
      out.append("<td>").append(Decimals.down(most, 5)).append("</td></tr>");
    }
    out.append("</table><p><small>In small: exact 95% interval, were the images a random sample.</small></p>");
  }

  private static void proportion(StringBuilder out, Proportion p) {
    out.append(String.format(Locale.ROOT, "<td>%.1f%%<br><small>%.1f&ndash;%.1f</small></td>",
        100 * p.value(), 100 * p.lower(), 100 * p.upper()));
  }

  /** Certified accuracy over the radius, as steps: it falls at each row's radius. */
  private static void curve(StringBuilder out, RunHeader header, List<Analysis> analyses) {
    double far = Math.max(0.25, 1.05 * analyses.stream().mapToDouble(Analysis::largestRadius).max().orElse(0));
    double across = 620;
    double up = 260;
    out.append("<figure><svg viewBox=\"-45 -12 720 320\" width=\"720\" role=\"img\" ")
        .append("aria-label=\"certified accuracy by radius\" font-size=\"12\" font-family=\"system-ui,sans-serif\">");
    for (int i = 0; i <= 4; i++) {
      double y = up * (1 - i / 4.0);
      line(out, 0, y, across, y);
      text(out, -8, y + 4, "end", 25 * i + "%");
    }
    double tick = far > 2 ? 0.5 : far > 0.8 ? 0.25 : 0.1;
    for (int i = 0; i * tick <= far; i++) {
      double x = across * i * tick / far;
      line(out, x, up, x, up + 5);
      text(out, x, up + 20, "middle", String.format(Locale.ROOT, "%.2f", i * tick));
    }
    text(out, across / 2, up + 40, "middle", "L2 radius in [0,1] pixel units");
    for (int s = 0; s < analyses.size(); s++) {
      String colour = COLOURS[s % COLOURS.length];
      List<Row> rows = analyses.get(s).rows();
      double[] radii = rows.stream().filter(Row::correct).mapToDouble(Row::radius).sorted().toArray();
      StringBuilder path = new StringBuilder();
      path.append(String.format(Locale.ROOT, "M0 %.2f", up * (1 - (double) radii.length / rows.size())));
      for (int i = 0; i < radii.length; i++) {
        double left = (double) (radii.length - i - 1) / rows.size();
        path.append(String.format(Locale.ROOT, "H%.2fV%.2f", across * radii[i] / far, up * (1 - left)));
      }
      out.append("<path fill=\"none\" stroke-width=\"2\" stroke=\"").append(colour).append("\" d=\"").append(path)
          .append("\"/>");
      out.append("<g fill=\"").append(colour).append("\">");
      text(out, across + 8, 14 + 16 * s, "start", "\u03c3 " + header.sigmas().get(s));
      out.append("</g>");
    }
    out.append("</svg></figure>");
  }

  private static void line(StringBuilder out, double x1, double y1, double x2, double y2) {
    out.append(String.format(Locale.ROOT,
        "<line x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\" stroke=\"#dde3ea\"/>", x1, y1, x2, y2));
  }

  private static void text(StringBuilder out, double x, double y, String anchor, String text) {
    out.append(String.format(Locale.ROOT,
        "<text x=\"%.2f\" y=\"%.2f\" text-anchor=\"%s\">%s</text>", x, y, anchor, text));
  }

  private static void images(StringBuilder out, RunLog log, ImageData data) {
    List<String> names = log.header().classNames();
    boolean pictures = data != null && log.records().size() <= MOST_THUMBNAILS;
    out.append("<h2>Images</h2><table><tr>").append(pictures ? "<th></th>" : "")
        .append("<th>image</th><th class=\"l\">label</th><th>sigma</th><th class=\"l\">predict</th>")
        .append("<th>votes for it</th><th>pALower</th><th>radius</th><th>M</th><th>time</th></tr>");
    for (RunRecord record : log.records()) {
      for (int s = 0; s < record.certificates().size(); s++) {
        out.append("<tr>");
        if (pictures) {
          String picture = s == 0 ? "<img alt=\"\" src=\"" + Png.dataUri(data.image(record.image())) + "\">" : "";
          out.append("<td>").append(picture).append("</td>");
        }
        row(out, record, s, names);
      }
    }
    out.append("</table>");
  }

  /** One certificate; what belongs to the image stands in its first row only. */
  private static void row(StringBuilder out, RunRecord record, int s, List<String> names) {
    Certificate c = record.certificates().get(s);
    boolean first = s == 0;
    String seconds = String.format(Locale.ROOT, "%.1f s", record.elapsed().toNanos() / 1e9);
    String predict = "<td class=\"l none\">abstains</td>";
    if (!c.abstains()) {
      String style = c.predict() == record.label() ? "l" : "l no";
      predict = "<td class=\"" + style + "\">" + escape(names.get(c.predict())) + "</td>";
    }
    out.append("<td>").append(first ? record.image() : "").append("</td><td class=\"l\">")
        .append(first ? escape(names.get(record.label())) : "").append("</td><td>").append(c.sigma()).append("</td>")
        .append(predict).append("<td>").append(c.estimation().count(c.candidate())).append(" of ")
        .append(c.estimation().total()).append("</td><td>").append(Decimals.down(c.pALower(), 5)).append("</td><td>")
        .append(Decimals.down(c.radius(), 5)).append("</td><td>")
        .append(c.abstains() ? "&ndash;" : c.integerRadius().squared()).append("</td><td>")
        .append(first ? seconds : "").append("</td></tr>");
  }

  private static void provenance(StringBuilder out, RunLog log) {
    out.append("<h2>Where it comes from</h2><table>");
    log.origin().fields().forEach((key, value) -> {
      if (!value.isEmpty()) {
        item(out, key, value);
      }
    });
    item(out, "header SHA-256", log.header().digest());
    flatten(out, "", log.header().encode());
    out.append("</table>");
  }

  private static void flatten(StringBuilder out, String path, Map<?, ?> map) {
    map.forEach((key, value) -> {
      String name = path.isEmpty() ? key.toString() : path + "." + key;
      if (value instanceof Map<?, ?> inner) {
        flatten(out, name, inner);
      } else {
        item(out, name, value instanceof String s ? s : Json.of(value).write());
      }
    });
  }

  private static void item(StringBuilder out, String name, String value) {
    out.append("<tr><td class=\"l\">").append(escape(name)).append("</td><td class=\"l\">").append(escape(value))
        .append("</td></tr>");
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
  }
}
