package org.diffcert.analyze;

import java.util.Locale;
import org.diffcert.analyze.Curves.Series;

/**
 * Charts inside a page: the drawing is an SVG that stretches to its box, the letters are the page's own, so they keep
 * their size on a phone.
 */
final class HtmlChart {
  private HtmlChart() {}

  /** Certified accuracy over the radius; the legend names the series. */
  static void curves(StringBuilder out, Curves curves) {
    put(out, "<figure class=\"chart\"><div class=\"plot\"><svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" "
        + "role=\"img\" aria-label=\"certified accuracy over the radius\">");
    for (int i = 0; i <= 4; i++) {
      put(out, "<path class=\"%s\" d=\"M0 %dH1000\"/>", i == 0 ? "axis" : "grid", 1000 - 250 * i);
    }
    int logs = 0;
    StringBuilder lines = new StringBuilder();
    for (Series series : curves.series()) {
      String kind = series.banded() ? "s" + logs++ % Palette.size() : "best";
      if (series.banded()) {
        put(out, "<path class=\"band %s\" d=\"%s\"/>", kind,
            SvgPlot.band(series, curves.farthest(), x -> 1000 * x, y -> 1000 * (1 - y)));
      }
      put(lines, "<path class=\"line %s\" d=\"%s\"/>", kind,
          SvgPlot.path(series, curves.farthest(), x -> 1000 * x, y -> 1000 * (1 - y)));
    }
    out.append(lines).append("</svg>");
    for (int i = 0; i <= 4; i++) {
      put(out, "<span class=\"y\" style=\"bottom:%d%%\">%d%%</span>", 25 * i, 25 * i);
    }
    for (double tick : curves.ticks()) {
      put(out, "<span class=\"x\" style=\"left:%.2f%%\">%s</span>", 100 * tick / curves.farthest(), Html.tick(tick));
    }
    put(out, "</div><p class=\"along\">%s</p><figcaption>", Html.AXIS);
    logs = 0;
    for (Series series : curves.series()) {
      put(out, "<span class=\"key\"><i class=\"%s\"></i>%s</span>",
          series.banded() ? "s" + logs++ % Palette.size() : "best", Html.escape(series.name()));
    }
    out.append("</figcaption></figure>");
  }

  /** How many rows have which p_A: a bar a bin, all bins of one width, whatever their edges. */
  static void histogram(StringBuilder out, Probabilities probabilities, int series) {
    int[] counts = probabilities.histogram();
    int most = 1;
    for (int count : counts) {
      most = Math.max(most, count);
    }
    put(out, "<figure class=\"chart bars\"><div class=\"plot\"><svg viewBox=\"0 0 %d 1000\" "
        + "preserveAspectRatio=\"none\" role=\"img\" aria-label=\"rows by p_A\">", 100 * counts.length);
    for (int i = 0; i < counts.length; i++) {
      double height = 1000.0 * counts[i] / most;
      put(out, "<path class=\"bar s%d\" d=\"M%d 1000V%.1fH%dV1000Z\"/>", series % Palette.size(), 100 * i + 6,
          1000 - height, 100 * i + 94);
    }
    put(out, "<path class=\"axis\" d=\"M0 1000H%d\"/></svg>", 100 * counts.length);
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] > 0) {
        put(out, "<span class=\"n\" style=\"left:%.2f%%;bottom:%.1f%%\">%d</span>", 100 * (i + 0.5) / counts.length,
            100.0 * counts[i] / most, counts[i]);
      }
    }
    for (int i = 0; i <= counts.length; i++) {
      String edge = Probabilities.EDGES[i] == 0 ? "0" : Probabilities.EDGES[i] == 1 ? "1"
          : Double.toString(Probabilities.EDGES[i]).substring(1);
      put(out, "<span class=\"x\" style=\"left:%.2f%%\">%s</span>", 100.0 * i / counts.length, edge);
    }
    out.append("</div></figure>");
  }

  private static void put(StringBuilder out, String pattern, Object... values) {
    out.append(String.format(Locale.ROOT, pattern, values));
  }
}
