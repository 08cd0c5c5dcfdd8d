package org.diffcert.analyze;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.geom.Path2D;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The loss of a training over the images seen as a PNG: means of neighbouring steps, on a logarithmic axis. */
public final class LossPlot {
  /** As many means as can be told apart. */
  private static final int MOST_POINTS = 340;
  /** Which multiples of powers of ten are labelled: the fewer, the more decades the axis has. */
  private static final double[][] STEPS = {{1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9},
      {1, 1.5, 2, 3, 5, 7}, {1, 2, 5}, {1}};

  private final PngSheet sheet;
  private final double[] images;
  private final double[] losses;
  private final double low;
  private final double high;

  private LossPlot(PngSheet sheet, double[] images, double[] losses) {
    this.sheet = sheet;
    this.images = images;
    this.losses = losses;
    double least = Double.POSITIVE_INFINITY;
    double most = 0;
    for (double loss : losses) {
      least = Math.min(least, loss);
      most = Math.max(most, loss);
    }
    this.low = Math.log10(least / 1.1);
    this.high = Math.log10(most * 1.1);
  }

  /**
   * Draws a curve.
   *
   * @param images images seen after each step, ascending, above 0; at least one
   * @param losses the loss of each step, finite and above 0; as many
   * @return the bytes of a PNG file
   */
  public static byte[] of(double[] images, double[] losses) {
    if (images.length == 0 || images.length != losses.length) {
      throw new IllegalArgumentException(images.length + " steps with " + losses.length + " losses are no curve");
    }
    int points = Math.min(MOST_POINTS, losses.length);
    double[] across = new double[points];
    double[] means = new double[points];
    for (int i = 0; i < points; i++) {
      int from = (int) ((long) i * losses.length / points);
      int to = (int) ((long) (i + 1) * losses.length / points);
      for (int j = from; j < to; j++) {
        means[i] += losses[j] / (to - from);
      }
      across[i] = images[to - 1];
    }
    return PngSheet.png(SvgPlot.WIDTH, SvgPlot.HEIGHT, sheet -> new LossPlot(sheet, across, means).draw());
  }

  private void draw() {
    double right = SvgPlot.WIDTH - SvgPlot.RIGHT;
    for (double tick : ticks()) {
      double y = up(tick);
      sheet.line(SvgPlot.LEFT, y, right, y, PngSheet.GRID);
      sheet.text(label(tick), SvgPlot.LEFT - 8, y + PngSheet.CAPITAL / 2, 1, PngSheet.SOFT);
    }
    double floor = SvgPlot.HEIGHT - SvgPlot.BOTTOM;
    sheet.line(SvgPlot.LEFT, floor, right, floor, PngSheet.AXIS);
    double last = images[images.length - 1];
    for (int i = 0; i <= 4; i++) {
      double x = across(last * i / 4);
      sheet.line(x, floor, x, floor + 5, PngSheet.AXIS);
      sheet.text(String.format(Locale.ROOT, "%.0f", last * i / 4), x, floor + 20, i == 4 ? 1 : 0.5, PngSheet.SOFT);
    }
    sheet.text("images seen", across(last / 2), floor + 40, 0.5, PngSheet.SOFT);
    sheet.text("loss", SvgPlot.LEFT, SvgPlot.TOP - 6, 0, PngSheet.SOFT);
    sheet.pen().setColor(Color.decode(Palette.light(0)));
    sheet.pen().setStroke(new BasicStroke(1.6f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    sheet.pen().draw(curve());
  }

  private Path2D curve() {
    Path2D.Double path = new Path2D.Double();
    path.moveTo(across(images[0]), up(losses[0]));
    for (int i = 0; i < images.length; i++) {
      path.lineTo(across(images[i]), up(losses[i]));
    }
    return path;
  }

  private List<Double> ticks() {
    List<Double> ticks = new ArrayList<>();
    double[] steps = STEPS[high - low < 0.5 ? 0 : high - low < 1.2 ? 1 : high - low < 3 ? 2 : 3];
    for (int power = (int) Math.floor(low); power <= high; power++) {
      for (double step : steps) {
        double tick = step * Math.pow(10, power);
        if (Math.log10(tick) >= low && Math.log10(tick) <= high) {
          ticks.add(tick);
        }
      }
    }
    return ticks;
  }

  private static String label(double tick) {
    return new BigDecimal(tick).round(new MathContext(2)).stripTrailingZeros().toPlainString();
  }

  private double across(double seen) {
    return SvgPlot.LEFT + seen / images[images.length - 1] * (SvgPlot.WIDTH - SvgPlot.LEFT - SvgPlot.RIGHT);
  }

  private double up(double loss) {
    return SvgPlot.TOP + (high - Math.log10(loss)) / (high - low) * (SvgPlot.HEIGHT - SvgPlot.TOP - SvgPlot.BOTTOM);
  }
}
