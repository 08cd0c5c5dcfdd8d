package org.diffcert.analyze;

import java.util.Locale;

/** Small things that every drawing in markup needs. */
final class Html {
  static final String AXIS = "L2 radius, pixels in [0,1]";

  private Html() {}

  /** Text as it stands in HTML and SVG, in an attribute too. */
  static String escape(String text) {
    StringBuilder out = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '"' -> out.append("&quot;");
        case '\'' -> out.append("&#39;");
        default -> out.append(c < ' ' && c != '\n' && c != '\t' ? '\ufffd' : c);
      }
    }
    return out.toString();
  }

  /** A label of the radius axis: as few decimals as it needs. */
  static String tick(double value) {
    String text = String.format(Locale.ROOT, "%.2f", value);
    return text.endsWith("00") ? text.substring(0, text.length() - 3) : text.endsWith("0")
        ? text.substring(0, text.length() - 1) : text;
  }
}
