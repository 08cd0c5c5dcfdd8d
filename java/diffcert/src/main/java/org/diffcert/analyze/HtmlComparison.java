package org.diffcert.analyze;

import java.util.List;
import java.util.Locale;

/**
 * The part of a report that sets methods side by side: what each costs, and how it differs from the first on the same
 * images. Immutable, thread-safe.
 *
 * @param comparison the methods
 * @param radii the columns
 */
public record HtmlComparison(Comparison comparison, List<Summary.Radius> radii) {
  /**
   * Copies the list.
   *
   * @param comparison the methods
   * @param radii the columns
   */
  public HtmlComparison {
    radii = List.copyOf(radii);
  }

  void lay(StringBuilder out) {
    out.append("<section><h2>Side by side</h2>");
    put(out, "<p class=\"lede\">On the %d images that all have. Calls and seconds of a run at several sigmas are for "
        + "all of them.</p>", comparison.images().size());
    comparison.notes().forEach(note -> put(out, "<p class=\"note\">%s</p>", Html.escape(note)));
    out.append("<div class=\"wide\"><table class=\"figures\"><thead><tr><th></th><th class=\"l\">method</th>"
        + "<th>calls a vote</th><th>seconds an image</th></tr></thead><tbody>");
    for (Comparison.Method method : comparison.methods()) {
      put(out, "<tr><th>%s</th><td class=\"l\">%s</td><td>%s</td><td>%s</td></tr>", Html.escape(method.log().name()),
          Html.escape(method.name()), method.callsPerVote().map(Decimals::brief).orElse(""),
          method.secondsPerImage().map(Decimals::brief).orElse(""));
    }
    out.append("</tbody></table></div>");
    put(out, "<h3>Differences from %s, image by image</h3><p class=\"note\">In points of certified accuracy, with "
        + "exact 95%% intervals; the last column is the mean difference of radii and its standard error.</p>",
        Html.escape(comparison.methods().get(0).log().name()));
    out.append("<div class=\"wide\"><table class=\"figures\"><thead><tr><th></th>");
    radii.forEach(radius -> put(out, "<th>%s</th>", Html.escape(radius.typed())));
    out.append("<th>radius</th></tr></thead><tbody>");
    for (int i = 1; i < comparison.methods().size(); i++) {
      put(out, "<tr><th>%s</th>", Html.escape(comparison.methods().get(i).log().name()));
      for (Summary.Radius radius : radii) {
        PairedDifference d = comparison.difference(i, radius.value());
        put(out, "<td>%+.1f<small>%+.1f&#8230;%+.1f</small></td>", 100 * d.value(), 100 * d.lower(), 100 * d.upper());
      }
      Comparison.RadiusDifference d = comparison.radiusDifference(i);
      put(out, "<td>%+.4f<small>&#177; %.4f</small></td></tr>", d.value(), d.standardError());
    }
    out.append("</tbody></table></div></section>");
  }

  private static void put(StringBuilder out, String pattern, Object... values) {
    out.append(String.format(Locale.ROOT, pattern, values));
  }
}
