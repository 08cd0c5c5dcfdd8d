package org.diffcert.analyze;

import java.util.List;
import java.util.Locale;
import org.diffcert.analyze.Report.Detail;
import org.diffcert.analyze.Report.Panel;

/**
 * The rows of a report: a table a log with every image, its picture, its radius; for sorting and filtering by script.
 */
final class HtmlRows {
  /** A page of more rows is slow to open, and nobody scrolls through it. */
  private static final int MOST = 20_000;

  private final Report report;
  private final StringBuilder out;

  HtmlRows(Report report, StringBuilder out) {
    this.report = report;
    this.out = out;
  }

  void lay() {
    out.append("<section class=\"rows\"><h2>Images</h2><div class=\"tools\">");
    List<Panel> panels = report.panels().stream().filter(panel -> !panel.log().rows().isEmpty()).toList();
    if (panels.size() > 1) {
      out.append("<div class=\"tabs\" role=\"group\" aria-label=\"log\">");
      for (int i = 0; i < panels.size(); i++) {
        put("<button type=\"button\" data-log=\"%d\" aria-pressed=\"%s\">%s</button>", i, i == 0,
            Html.escape(panels.get(i).log().name()));
      }
      out.append("</div>");
    }
    out.append("<label>show <select><option value=\"\">all</option><option value=\"right\">right</option><option "
        + "value=\"wrong\">wrong</option><option value=\"abstains\">abstains</option></select></label><label>find "
        + "<input type=\"search\" placeholder=\"class or image\"></label><output></output></div>");
    report.pictures().ifPresent(sheet -> put("<style>.pic{background-image:url(%s);background-size:%d%% %d%%}</style>",
        sheet.dataUri(), 100 * sheet.columns(), 100 * sheet.rows()));
    double farthest = panels.stream().flatMap(panel -> panel.log().rows().stream()).mapToDouble(Row::radius).max()
        .orElse(0);
    for (int i = 0; i < panels.size(); i++) {
      table(panels.get(i), i, farthest);
    }
    out.append("</section>");
  }

  private void table(Panel panel, int index, double farthest) {
    Log log = panel.log();
    boolean details = !panel.details().isEmpty();
    boolean pictures = details && report.pictures().isPresent();
    put("<div class=\"log\" data-log=\"%d\" style=\"--c:var(--s%d)\"><h3>%s</h3><table class=\"%s\"><thead><tr>%s",
        index, index % Palette.size(), Html.escape(log.name()), pictures ? "images pictured" : "images",
        pictures ? "<th></th>" : "");
    head("image", "");
    head("label", "l");
    head("predict", "l");
    if (log.certifies()) {
      head("radius", "");
    }
    if (details) {
      head("votes", "");
      head("<i>p</i><sub>A</sub> &#8805;", "");
      head("M", "");
      head("time", "");
    }
    out.append("</tr></thead><tbody>");
    for (int i = 0; i < Math.min(MOST, log.rows().size()); i++) {
      row(log, i, details ? panel.details().get(i) : null, pictures, farthest);
    }
    out.append("</tbody></table>");
    if (log.rows().size() > MOST) {
      put("<p class=\"note\">The first %d of %d rows.</p>", MOST, log.rows().size());
    }
    out.append("</div>");
  }

  private void head(String name, String style) {
    put("<th%s>%s</th>", style.isEmpty() ? "" : " class=\"" + style + "\"", name);
  }

  private void row(Log log, int index, Detail detail, boolean pictures, double farthest) {
    Row row = log.rows().get(index);
    String outcome = row.abstains() ? "abstains" : row.correct() ? "right" : "wrong";
    out.append("<tr class=\"").append(outcome).append("\">");
    if (pictures) {
      int columns = report.pictures().get().columns();
      out.append("<td class=\"p\"><i class=\"pic\" role=\"img\" aria-label=\"image ").append(row.image())
          .append("\" style=\"background-position:").append(place(index % columns, columns)).append(' ')
          .append(place(index / columns, report.pictures().get().rows())).append("\"></i></td>");
    }
    out.append("<td class=\"i\">").append(row.image()).append("</td><td class=\"l\">")
        .append(Html.escape(log.className(row.label()))).append("</td><td class=\"l o\">")
        .append(row.abstains() ? "abstains" : Html.escape(log.className(row.predict()))).append("</td>");
    if (log.certifies()) {
      radius(row, farthest);
    }
    if (detail != null) {
      out.append("<td class=\"v\">").append(detail.votes()).append("<small> of ").append(detail.samples())
          .append("</small></td><td class=\"q\">").append(Decimals.column(detail.pALower(), 5))
          .append("</td><td class=\"m\">")
          .append(detail.integerRadius() < 0 ? "&#8211;" : Long.toString(detail.integerRadius()))
          .append("</td><td class=\"t\">")
          .append(String.format(Locale.ROOT, "%.1f s", detail.seconds())).append("</td>");
    }
    out.append("</tr>");
  }

  private void radius(Row row, double farthest) {
    if (row.abstains()) {
      out.append("<td class=\"r\">&#8211;</td>");
      return;
    }
    out.append("<td class=\"r\"><span class=\"meter\" style=\"--w:")
        .append(Math.round(1000 * (farthest > 0 ? row.radius() / farthest : 0)) / 10.0).append("%\"></span><b>")
        .append(Decimals.column(row.radius(), 4)).append("</b></td>");
  }

  /** A background that is c times its box shows its i-th part at i / (c - 1). */
  private static String place(int i, int count) {
    return count == 1 ? "0" : Math.round(1e5 * i / (count - 1)) / 1e3 + "%";
  }

  private void put(String pattern, Object... values) {
    out.append(String.format(Locale.ROOT, pattern, values));
  }
}
