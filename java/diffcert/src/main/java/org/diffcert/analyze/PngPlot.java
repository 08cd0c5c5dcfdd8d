package org.diffcert.analyze;

import java.awt.AlphaComposite;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.util.List;

/**
 * Curves of certified accuracy as a PNG, in the layout of {@link SvgPlot}.
 */
public final class PngPlot {
  private static final float BAND = 0.13f;

  private final PngSheet sheet;
  private final Graphics2D pen;
  private final Curves curves;

  private PngPlot(PngSheet sheet, Curves curves) {
    this.sheet = sheet;
    this.pen = sheet.pen();
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
    int height = SvgPlot.HEIGHT + SvgPlot.LEGEND_LINE * curves.series().size();
    return PngSheet.png(SvgPlot.WIDTH, height, sheet -> new PngPlot(sheet, curves).draw());
  }

  private void draw() {
    axes();
    int logs = 0;
    for (int i = 0; i < curves.series().size(); i++) {
      Curves.Series series = curves.series().get(i);
      Color colour = series.banded() ? Color.decode(Palette.light(logs++)) : PngSheet.SOFT;
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
      sheet.text(series.name(), SvgPlot.LEFT + 36, y + PngSheet.CAPITAL / 2, 0, PngSheet.INK);
    }
  }

  private void axes() {
    for (int i = 0; i <= 4; i++) {
      double y = up(i / 4.0);
      sheet.line(SvgPlot.LEFT, y, SvgPlot.WIDTH - SvgPlot.RIGHT, y, i == 0 ? PngSheet.AXIS : PngSheet.GRID);
      sheet.text(25 * i + "%", SvgPlot.LEFT - 8, y + PngSheet.CAPITAL / 2, 1, PngSheet.SOFT);
    }
    for (double tick : curves.ticks()) {
      sheet.line(across(tick), up(0), across(tick), up(0) + 5, PngSheet.AXIS);
      sheet.text(Html.tick(tick), across(tick), up(0) + 20, 0.5, PngSheet.SOFT);
    }
    sheet.text(Html.AXIS, across(curves.farthest() / 2), up(0) + 40, 0.5, PngSheet.SOFT);
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

  private double across(double radius) {
    return SvgPlot.LEFT + radius / curves.farthest() * (SvgPlot.WIDTH - SvgPlot.LEFT - SvgPlot.RIGHT);
  }

  private static double up(double share) {
    return SvgPlot.TOP + (1 - share) * (SvgPlot.HEIGHT - SvgPlot.TOP - SvgPlot.BOTTOM);
  }
}
