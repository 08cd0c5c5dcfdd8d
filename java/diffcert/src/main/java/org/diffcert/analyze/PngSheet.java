package org.diffcert.analyze;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Line2D;
import java.awt.image.BufferedImage;
import java.util.function.Consumer;

/**
 * A white sheet to draw a plot on, which becomes a PNG of twice its size. Takes shapes only and brings its own letters,
 * so it needs neither a screen nor fonts.
 */
final class PngSheet {
  static final double CAPITAL = 9.2;
  static final Color INK = new Color(0x1d2128);
  static final Color SOFT = new Color(0x5d6470);
  static final Color GRID = new Color(0xe4e6ea);
  static final Color AXIS = new Color(0x9aa1ac);
  private static final int SCALE = 2;

  private final Graphics2D pen;

  private PngSheet(Graphics2D pen) {
    this.pen = pen;
  }

  /** The PNG of what is drawn on a sheet of a size. */
  static byte[] png(int width, int height, Consumer<PngSheet> draw) {
    BufferedImage image = new BufferedImage(SCALE * width, SCALE * height, BufferedImage.TYPE_INT_RGB);
    Graphics2D pen = image.createGraphics();
    try {
      pen.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
      pen.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
      pen.setColor(Color.WHITE);
      pen.fillRect(0, 0, SCALE * width, SCALE * height);
      pen.scale(SCALE, SCALE);
      draw.accept(new PngSheet(pen));
    } finally {
      pen.dispose();
    }
    return Png.rgb(SCALE * width, SCALE * height,
        image.getRGB(0, 0, SCALE * width, SCALE * height, null, 0, SCALE * width));
  }

  /** For what is neither a line nor a text. */
  Graphics2D pen() {
    return pen;
  }

  void line(double x1, double y1, double x2, double y2, Color colour) {
    pen.setColor(colour);
    pen.setStroke(new BasicStroke(1));
    pen.draw(new Line2D.Double(x1, y1, x2, y2));
  }

  /** A text whose part so far along it is at x: 0 sets it to the right of x, 1 to the left. */
  void text(String text, double x, double y, double along, Color colour) {
    pen.setColor(colour);
    pen.setStroke(new BasicStroke(1.25f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    pen.draw(StrokeFont.draw(text, x - along * StrokeFont.width(text, CAPITAL), y, CAPITAL));
  }
}
