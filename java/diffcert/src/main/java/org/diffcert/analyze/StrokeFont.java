package org.diffcert.analyze;

import java.awt.geom.Path2D;
import java.util.HashMap;
import java.util.Map;

/**
 * Letters drawn with a pen, for pictures made where no font is installed: a headless Java has none of its own, and a
 * curve without labels is none. Each glyph is a few strokes of points on a grid, x from 0 and y from 0 (descender) over
 * 2 (base line) to 9 (capitals); a stroke that begins with ~ is bent round its inner points.
 */
final class StrokeFont {
  private static final double BASE = 2;
  private static final double CAPITAL = 7;
  private static final double GAP = 1.7;
  private static final double SPACE = 2.6;
  private static final Map<Character, String> GLYPHS = new HashMap<>();

  static {
    glyphs("A 022942 1535", "B 0209 ~09494606 ~06565202", "C ~474909024244", "D 0209 ~09595202",
        "E 49090242 0636", "F 490902 0636", "G ~474909024245 4525", "H 0209 4249 0646", "I 0209", "J 3934 ~34320204",
        "K 0209 4905 1642", "L 090242", "M 0209254942", "N 02094249", "O ~294942020929", "P 0209 ~09494505",
        "Q ~294942020929 2441", "R 0209 ~09494505 2542", "S ~4849090645420203", "T 0949 2229", "U 0904 ~04024244 4449",
        "V 092249", "W 0912264249", "X 0249 0942", "Y 092549 2522", "Z 09490242");
    glyphs("a ~37070232 3732", "b 0902 ~07373202", "c ~363707023233", "d 3932 ~37070232", "e 0535 ~353707023233",
        "f ~391917 1712 0727", "g ~37070232 3731 ~31300001", "h 0902 ~05073735 3532", "i 0207 0909",
        "j 1711 ~111000 1919",
        "k 0902 3704 1532", "l 0902", "m 0702 ~05072725 2522 ~25274745 4542", "n 0702 ~05073735 3532",
        "o ~050737320205", "p 0700 ~07373202", "q 3730 ~37070232", "r 0702 ~050727", "s ~3637070534320203",
        "t 1913 ~131222 0727", "u 0704 ~04023234 3732", "v 072247", "w 0712263247", "x 0237 0732", "y 0722 4710",
        "z 07370232", "\u03c3 ~050737320205 1747");
    glyphs("0 ~294942020929", "1 172922", "2 ~0709494602 0242", "3 ~0809494616 ~1646420203", "4 390444 3932",
        "5 490906 ~0647420203", "6 ~39090242460604", "7 094912", "8 ~294946060929 ~264642020626", "9 ~12424909054547");
    glyphs(". 0202", ", 1201", "- 0525", "_ 0141", "/ 0149", "( ~19070311", ") ~09171301", "[ 19090111", "] 09191101",
        ": 0303 0606", "; 0606 1301", "= 0434 0636", "+ 0545 2327", "% 0259 ~0708192927171607 ~3334455443423233",
        "< 380533", "> 083503",
        "* 0537 0735", "' 0907", "\" 0907 1917", "! 0904 0202", "? ~0809493624 2222", "# 1219 3239 0444 0747", "| 0109",
        "@ ~34362534 ~36334348080242", "& 42082939 ~2906020245", "~ ~0406343636");
  }

  private StrokeFont() {}

  private static void glyphs(String... definitions) {
    for (String definition : definitions) {
      GLYPHS.put(definition.charAt(0), definition.substring(2));
    }
  }

  /** Whether a character has strokes of its own. */
  static boolean isDrawn(char c) {
    return GLYPHS.containsKey(c);
  }

  /** The strokes of a glyph; of one that is not drawn, a box. */
  private static String strokes(char c) {
    return GLYPHS.getOrDefault(c, "0209494202");
  }

  /** How wide a text is at a height of capitals. */
  static double width(String text, double capital) {
    double width = 0;
    for (char c : text.toCharArray()) {
      width += c == ' ' ? SPACE : right(strokes(c)) + GAP;
    }
    return Math.max(0, width - GAP) * capital / CAPITAL;
  }

  private static int right(String strokes) {
    int right = 0;
    boolean x = true;
    for (char c : strokes.toCharArray()) {
      if (Character.isDigit(c)) {
        right = x ? Math.max(right, c - '0') : right;
        x = !x;
      }
    }
    return right;
  }

  /** The strokes of a text that begins at x on the base line y; y grows downwards. */
  static Path2D draw(String text, double x, double y, double capital) {
    double scale = capital / CAPITAL;
    Path2D.Double path = new Path2D.Double();
    double at = x;
    for (char c : text.toCharArray()) {
      if (c == ' ') {
        at += SPACE * scale;
        continue;
      }
      String strokes = strokes(c);
      for (String stroke : strokes.split(" ")) {
        stroke(path, stroke, at, y, scale);
      }
      at += (right(strokes) + GAP) * scale;
    }
    return path;
  }

  private static void stroke(Path2D path, String stroke, double x, double y, double scale) {
    boolean bent = stroke.charAt(0) == '~';
    String points = bent ? stroke.substring(1) : stroke;
    int count = points.length() / 2;
    double[] px = new double[count];
    double[] py = new double[count];
    for (int i = 0; i < count; i++) {
      px[i] = x + scale * (points.charAt(2 * i) - '0');
      py[i] = y - scale * (points.charAt(2 * i + 1) - '0' - BASE);
    }
    path.moveTo(px[0], py[0]);
    if (count == 2 && px[0] == px[1] && py[0] == py[1]) {
      path.lineTo(px[0] + 0.01, py[0]); // a dot: the pen's round end
      return;
    }
    for (int i = 1; i < count; i++) {
      if (bent && i < count - 1) {
        boolean last = i == count - 2;
        double share = last ? 1 : 0.5;
        path.quadTo(px[i], py[i], px[i] + share * (px[i + 1] - px[i]), py[i] + share * (py[i + 1] - py[i]));
        i += last ? 1 : 0;
      } else {
        path.lineTo(px[i], py[i]);
      }
    }
  }
}
