package org.diffcert.analyze;

import java.awt.AlphaComposite;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.List;

/**
 * Curves of certified accuracy as a PNG, in the layout of {@link SvgPlot} at twice its size. Draws shapes only and
 * brings its own letters, so it needs neither a screen nor fonts.
 */
public final class PngPlot {
  private static final int SCALE = 2;
  private static final double CAPITAL = 9.2;
  private static final Color INK = new Color(0x1d2128);
  private static final Color SOFT = new Color(0x5d6470);
  private static final Color GRID = new Color(0xe4e6ea);
  private static final Color AXIS = new Color(0x9aa1ac);
  private static final float BAND = 0.13f;

  private final Graphics2D pen;
  private final Curves curves;

  private PngPlot(Graphics2D pen, Curves curves) {
    this.pen = pen;
    this.curves = curves;
  }

  /**
   * Draws logs.
   *
   * @param logs any logs; those without radii are left out
   * @return the bytes of a PNG file
   */
  public static byte[] of(List<Log> logs) {
    Curves curves = Curves.of(logs);
    int width = SvgPlot.WIDTH * SCALE;
    int height = (SvgPlot.HEIGHT + SvgPlot.LEGEND_LINE * curves.series().size()) * SCALE;
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D pen = image.createGraphics();
    try {
      pen.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
      pen.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
      pen.setColor(Color.WHITE);
      pen.fillRect(0, 0, width, height);
      pen.scale(SCALE, SCALE);
      new PngPlot(pen, curves).draw();
    } finally {
      pen.dispose();
    }
    return Png.rgb(width, height, image.getRGB(0, 0, width, height, null, 0, width));
  }

  private void draw() {
    axes();
    int logs = 0;
    for (int i = 0; i < curves.series().size(); i++) {
      Curves.Series series = curves.series().get(i);
      Color colour = series.banded() ? Color.decode(Palette.light(logs++)) : SOFT;
      if (series.banded()) {
        pen.setColor(colour);
        pen.setComposite(AlphaComposite.getInstance(AlphaComposite.SRC_OVER, BAND));
        pen.fill(band(series));
        pen.setComposite(AlphaComposite.SrcOver);
      }
      stroke(colour, series.banded());
      pen.draw(staircase(series));
      double y = SvgPlot.HEIGHT + SvgPlot.LEGEND_LINE * i - 4;
      pen.draw(new Line2D.Double(SvgPlot.LEFT, y, SvgPlot.LEFT + 26, y));
      text(series.name(), SvgPlot.LEFT + 36, y + CAPITAL / 2, 0, INK);
    }
  }

  private void axes() {
    for (int i = 0; i <= 4; i++) {
      double y = up(i / 4.0);
      line(SvgPlot.LEFT, y, SvgPlot.WIDTH - SvgPlot.RIGHT, y, i == 0 ? AXIS : GRID);
      text(25 * i + "%", SvgPlot.LEFT - 8, y + CAPITAL / 2, 1, SOFT);
    }
    for (double tick : curves.ticks()) {
      line(across(tick), up(0), across(tick), up(0) + 5, AXIS);
      text(Html.tick(tick), across(tick), up(0) + 20, 0.5, SOFT);
    }
    text(Html.AXIS, across(curves.farthest() / 2), up(0) + 40, 0.5, SOFT);
  }

  private Path2D staircase(Curves.Series series) {
    Path2D.Double path = new Path2D.Double();
    path.moveTo(across(0), up(series.share()[0]));
    for (int i = 0; i < series.radius().length; i++) {
      path.lineTo(path.getCurrentPoint().getX(), up(series.share()[i]));
      path.lineTo(across(series.radius()[i]), up(series.share()[i]));
    }
    path.lineTo(path.getCurrentPoint().getX(), up(0));
    return path;
  }

  /** A box a step: boxes that touch leave no seam, since a box's edges are where its neighbour's are. */
  private Path2D band(Curves.Series series) {
    Path2D.Double path = new Path2D.Double(Path2D.WIND_NON_ZERO);
    double left = across(0);
    for (int i = 0; i < series.radius().length; i++) {
      double right = across(series.radius()[i]);
      double top = up(series.high()[i]);
      path.append(new Rectangle2D.Double(left, top, right - left, up(series.low()[i]) - top), false);
      left = right;
    }
    return path;
  }

  private void stroke(Color colour, boolean solid) {
    pen.setColor(colour);
    pen.setStroke(solid ? new BasicStroke(2, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND)
        : new BasicStroke(1.2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {5, 4}, 0));
  }

  private void line(double x1, double y1, double x2, double y2, Color colour) {
    pen.setColor(colour);
    pen.setStroke(new BasicStroke(1));
    pen.draw(new Line2D.Double(x1, y1, x2, y2));
  }

  /** A text whose part so far along it is at x: 0 sets it to the right of x, 1 to the left. */
  private void text(String text, double x, double y, double along, Color colour) {
    pen.setColor(colour);
    pen.setStroke(new BasicStroke(1.25f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    pen.draw(StrokeFont.draw(text, x - along * StrokeFont.width(text, CAPITAL), y, CAPITAL));
  }

  private double across(double radius) {
    return SvgPlot.LEFT + radius / curves.farthest() * (SvgPlot.WIDTH - SvgPlot.LEFT - SvgPlot.RIGHT);
  }

  private static double up(double share) {
    return SvgPlot.TOP + (1 - share) * (SvgPlot.HEIGHT - SvgPlot.TOP - SvgPlot.BOTTOM);
  }
}
