package org.diffcert.analyze;

import java.util.List;
import java.util.Locale;

/** Curves of certified accuracy as a file of its own in SVG, for light and dark pages, with the system's letters. */
public final class SvgPlot {
  static final int WIDTH = 760;
  static final int HEIGHT = 474;
  static final int LEFT = 58;
  static final int RIGHT = 20;
  static final int TOP = 20;
  /** Room below the axis for labels; each line of the legend takes more. */
  static final int BOTTOM = 72;
  static final int LEGEND_LINE = 22;

  private SvgPlot() {}

  /**
   * Draws logs.
   *
   * @param logs any logs; those without radii are left out
   * @return the text of an SVG file
   */
  public static String of(List<Log> logs) {
    Curves curves = Curves.of(logs);
    int height = HEIGHT + LEGEND_LINE * curves.series().size();
    StringBuilder out = new StringBuilder();
    put(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
        + "aria-label=\"certified accuracy over the radius\" font-family=\"system-ui,sans-serif\" font-size=\"13\">%n",
        WIDTH, height, WIDTH, height);
    style(out, curves.series().size());
    put(out, "<rect class=\"page\" width=\"%d\" height=\"%d\"/>%n", WIDTH, height);
    axes(out, curves);
    int logsDrawn = 0;
    for (int i = 0; i < curves.series().size(); i++) {
      Curves.Series series = curves.series().get(i);
      String kind = series.banded() ? "s" + logsDrawn++ % Palette.size() : "best";
      if (series.banded()) {
        put(out, "<path class=\"band %s\" d=\"%s\"/>%n", kind, band(series, curves.farthest(), acrossPage(), upPage()));
      }
      put(out, "<path class=\"line %s\" d=\"%s\"/>%n", kind, path(series, curves.farthest(), acrossPage(), upPage()));
      double y = HEIGHT + LEGEND_LINE * i - 4;
      put(out, "<path class=\"line %s\" d=\"M%d %.1fh26\"/><text x=\"%d\" y=\"%.1f\">%s</text>%n", kind, LEFT, y,
          LEFT + 36, y + 4.5, Html.escape(series.name()));
    }
    return out.append("</svg>\n").toString();
  }

  /** From numbers to places on a drawing surface. */
  interface Scale {
    double at(double value);
  }

  private static Scale acrossPage() {
    return part -> LEFT + part * (WIDTH - LEFT - RIGHT);
  }

  private static Scale upPage() {
    return share -> TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  }

  /** The staircase as a path. */
  static String path(Curves.Series series, double farthest, Scale across, Scale up) {
    StringBuilder path = new StringBuilder();
    put(path, "M%.2f %.2f", across.at(0), up.at(series.share()[0]));
    for (int i = 0; i < series.radius().length; i++) {
      if (i > 0) {
        put(path, "V%.2f", up.at(series.share()[i]));
      }
      put(path, "H%.2f", across.at(series.radius()[i] / farthest));
    }
    put(path, "V%.2f", up.at(0));
    return path.toString();
  }

  /** The band as a closed path: along the upper ends, back along the lower ones. */
  static String band(Curves.Series series, double farthest, Scale across, Scale up) {
    StringBuilder path = new StringBuilder();
    int last = series.radius().length - 1;
    put(path, "M%.2f %.2f", across.at(0), up.at(series.high()[0]));
    for (int i = 0; i <= last; i++) {
      put(path, "V%.2fH%.2f", up.at(series.high()[i]), across.at(series.radius()[i] / farthest));
    }
    for (int i = last; i >= 0; i--) {
      put(path, "V%.2fH%.2f", up.at(series.low()[i]), across.at(i == 0 ? 0 : series.radius()[i - 1] / farthest));
    }
    return path.append('Z').toString();
  }

  private static void axes(StringBuilder out, Curves curves) {
    for (int i = 0; i <= 4; i++) {
      double y = upPage().at(i / 4.0);
      put(out, "<path class=\"%s\" d=\"M%d %.1fH%d\"/><text class=\"soft\" x=\"%d\" y=\"%.1f\" "
          + "text-anchor=\"end\">%d%%</text>%n",
          i == 0 ? "axis" : "grid", LEFT, y, WIDTH - RIGHT, LEFT - 8, y + 4.5, 25 * i);
    }
    for (double tick : curves.ticks()) {
      double x = acrossPage().at(tick / curves.farthest());
      put(out, "<path class=\"axis\" d=\"M%.1f %.1fv5\"/><text class=\"soft\" x=\"%.1f\" y=\"%.1f\" "
          + "text-anchor=\"middle\">%s</text>%n",
          x, upPage().at(0), x, upPage().at(0) + 20, Html.tick(tick));
    }
    put(out, "<text class=\"soft\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>%n", acrossPage().at(0.5),
        upPage().at(0) + 40, Html.AXIS);
  }

  private static void style(StringBuilder out, int series) {
    out.append("<style>.page{fill:#fff}text{fill:#1d2128}.soft{fill:#5d6470}.grid{stroke:#e4e6ea}.axis{stroke:#9aa1ac}"
        + ".line{fill:none;stroke-width:2;stroke-linejoin:round}.band{stroke:none;opacity:.13}"
        + ".best{stroke:#5d6470;stroke-width:1.2;stroke-dasharray:5 4}");
    for (int i = 0; i < Math.min(series, Palette.size()); i++) {
      put(out, ".line.s%d{stroke:%s}.band.s%d{fill:%s}", i, Palette.light(i), i, Palette.light(i));
    }
    out.append("@media(prefers-color-scheme:dark){.page{fill:#14171c}text{fill:#e8e6e1}.soft{fill:#9aa3b0}"
        + ".grid{stroke:#2a2f37}.axis{stroke:#5d6672}.best{stroke:#9aa3b0}");
    for (int i = 0; i < Math.min(series, Palette.size()); i++) {
      put(out, ".line.s%d{stroke:%s}.band.s%d{fill:%s}", i, Palette.dark(i), i, Palette.dark(i));
    }
    out.append("}</style>\n");
  }

  private static void put(StringBuilder out, String pattern, Object... values) {
    out.append(String.format(Locale.ROOT, pattern, values));
  }
}
