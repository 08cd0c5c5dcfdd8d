package org.diffcert.analyze;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;

/** What is drawn, read back by another PNG reader. */
class PicturesTest {
  private static BufferedImage read(String dataUri) throws Exception {
    byte[] png = Base64.getDecoder().decode(dataUri.substring("data:image/png;base64,".length()));
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  @Test
  void everyImageIsInItsPlaceOnTheSheet() throws Exception {
    Random random = new Random(4);
    for (ImageShape shape : List.of(new ImageShape(1, 2, 3), new ImageShape(3, 5, 4), new ImageShape(2, 3, 3))) {
      List<ByteImage> images = new ArrayList<>();
      for (int i = 0; i < 43; i++) {
        byte[] pixels = new byte[shape.channels() * shape.height() * shape.width()];
        random.nextBytes(pixels);
        images.add(new ByteImage(shape, pixels));
      }
      Pictures sheet = Pictures.of(images);
      assertEquals(40, sheet.columns());
      assertEquals(2, sheet.rows());
      BufferedImage picture = read(sheet.dataUri());
      for (int i = 0; i < images.size(); i++) {
        for (int y = 0; y < shape.height(); y++) {
          for (int x = 0; x < shape.width(); x++) {
            int[] pixel = picture.getRaster().getPixel(i % 40 * shape.width() + x, i / 40 * shape.height() + y,
                (int[]) null);
            for (int c = 0; c < (shape.channels() == 3 ? 3 : 1); c++) {
              assertEquals(images.get(i).get((c * shape.height() + y) * shape.width() + x), pixel[c]);
            }
          }
        }
      }
    }
  }

  @Test
  void whiteLinesSeparateImages() throws Exception {
    List<ByteImage> images = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      images.add(new ByteImage(new ImageShape(1, 2, 2), new byte[] {(byte) i, (byte) i, (byte) i, (byte) i}));
    }
    BufferedImage picture = ImageIO.read(new ByteArrayInputStream(Pictures.sheet(images, 3, 1)));
    assertEquals(8, picture.getWidth());
    assertEquals(5, picture.getHeight());
    int[][] expected = {{0, 0, 255, 1, 1, 255, 2, 2}, {255, 255, 255, 255, 255, 255, 255, 255},
        {3, 3, 255, 4, 4, 255, 255, 255}};
    for (int y = 0; y < 3; y++) {
      assertArrayEquals(expected[y], picture.getRaster().getSamples(0, y + 1, 8, 1, 0, (int[]) null), "row " + (y + 1));
    }
  }

  /**
   * A loss that falls by the same factor in each step is a straight line on a logarithmic axis, from the left above to
   * the right below.
   */
  @Test
  void aLossCurveIsWhereTheFiguresSay() throws Exception {
    double[] images = new double[11];
    double[] losses = new double[11];
    for (int i = 0; i < 11; i++) {
      images[i] = 100 * i + 1e-9;
      losses[i] = Math.pow(10, 1 - i / 5.0);
    }
    BufferedImage picture = ImageIO.read(new ByteArrayInputStream(LossPlot.of(images, losses)));
    int left = 2 * SvgPlot.LEFT;
    int width = 2 * (SvgPlot.WIDTH - SvgPlot.LEFT - SvgPlot.RIGHT);
    double edge = Math.log10(1.1) / (2 + 2 * Math.log10(1.1));
    int height = 2 * (SvgPlot.HEIGHT - SvgPlot.TOP - SvgPlot.BOTTOM);
    for (double part : new double[] {0.13, 0.5, 0.87}) {
      int y = (int) Math.round(2 * SvgPlot.TOP + height * (edge + part * (1 - 2 * edge)));
      int colour = picture.getRGB((int) Math.round(left + part * width), y) & 0xffffff;
      assertEquals(Integer.decode(Palette.light(0)), colour, "at " + part);
    }
  }

  /** The curve is where the figures say: at the height of its share, in its colour. */
  @Test
  void aPlotShowsTheCurve() throws Exception {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      rows.add(i < 60 ? new Row(i, 0, 0, 1) : new Row(i, 0, -1, 0));
    }
    Log log = AnalysisTest.log("sixty percent to 1.0", rows);
    BufferedImage plot = ImageIO.read(new ByteArrayInputStream(PngPlot.of(List.of(log))));
    assertEquals(2 * SvgPlot.WIDTH, plot.getWidth());
    double height = SvgPlot.TOP + 0.4 * (SvgPlot.HEIGHT - SvgPlot.TOP - SvgPlot.BOTTOM);
    assertEquals(Integer.decode(Palette.light(0)) & 0xffffff, plot.getRGB(600, (int) (2 * height)) & 0xffffff);
    assertEquals(0xffffff, plot.getRGB(plot.getWidth() - 25, (int) (2 * height)) & 0xffffff, "beyond the last radius");
    assertTrue(SvgPlot.of(List.of(log)).contains(String.format(Locale.ROOT, "M%.2f %.2fH", (double) SvgPlot.LEFT,
        height)));
  }

  @Test
  void curvesAreStaircasesWithBands() {
    List<Row> rows = List.of(new Row(0, 0, 0, 0.5), new Row(1, 0, 0, 1), new Row(2, 0, 1, 2), new Row(3, 0, -1, 0));
    Curves curves = Curves.of(List.of(AnalysisTest.log("a", rows)));
    Curves.Series series = curves.series().get(0);
    assertArrayEquals(new double[] {0.5, 1}, series.radius());
    assertArrayEquals(new double[] {0.5, 0.25}, series.share());
    assertEquals(Proportion.of(2, 4).lower(), series.low()[0]);
    assertEquals(Proportion.of(1, 4).upper(), series.high()[1]);
    assertEquals(1.04, curves.farthest(), 1e-12);
    assertEquals(List.of(0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
        curves.ticks().stream().map(t -> Math.round(t * 1e9) / 1e9).toList());
    assertTrue(Curves.of(List.of()).series().isEmpty());
  }

  @Test
  void everyLetterOfAPathIsDrawn() {
    for (char c = '!'; c <= '~'; c++) {
      if ("$\\^`{}".indexOf(c) < 0) {
        assertTrue(StrokeFont.draw(String.valueOf(c), 0, 0, 7).getBounds2D().getHeight() <= 9, "too tall: " + c);
        assertTrue(StrokeFont.isDrawn(c), "no strokes for " + c);
      }
    }
    assertTrue(StrokeFont.width("ab", 7) > StrokeFont.width("a", 7));
  }

  @Test
  void legendsTellLogsApart() {
    assertEquals(List.of("c/d", "ef/d"), shortened("/a/b/c/d", "/a/b/ef/d"));
    assertEquals(List.of("d"), shortened("/a/b/c/d"));
    assertEquals(List.of("a", "c"), shortened("a", "b/c"));
    assertEquals(List.of("a/d", "b/d", "e"), shortened("/a/d", "b/d", "e"));
    assertEquals(List.of("run sigma 0.25", "run sigma 0.5"), shortened("x/run sigma 0.25", "x/run sigma 0.5"));
    assertEquals(List.of("a", "a"), shortened("x/a", "x/a"), "the same log twice");
  }

  private static List<String> shortened(String... names) {
    List<Report.Panel> panels = Stream.of(names).map(n -> Report.Panel.of(AnalysisTest.log(n, List.of()))).toList();
    return Report.withShortNames(panels).stream().map(panel -> panel.log().name()).toList();
  }

  /** 500 images at two sigmas with their pictures: laid out in well under a second of a core, the first time aside. */
  @Test
  void aReportOfManyRowsIsQuick() {
    Random random = new Random(8);
    List<Row> rows = new ArrayList<>();
    List<ByteImage> images = new ArrayList<>();
    List<Report.Detail> details = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      byte[] pixels = new byte[3 * 32 * 32];
      random.nextBytes(pixels);
      images.add(new ByteImage(new ImageShape(3, 32, 32), pixels));
      rows.add(new Row(i, i % 10, i % 10, random.nextDouble()));
      details.add(new Report.Detail(9000 + random.nextInt(1000), 10_000, random.nextDouble(), 12_345, 1.5));
    }
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i < 4; i++) {
      long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
      List<Report.Panel> panels = new ArrayList<>();
      for (String name : List.of("sigma 0.25", "sigma 0.5")) {
        Report.Panel panel = Report.Panel.of(AnalysisTest.log(name, rows).withSigma(new Sigma(0.25)));
        panels.add(new Report.Panel(panel.log(), panel.statement(), panel.warning(), panel.largestPossible(), details,
            panel.facts()));
      }
      String page = HtmlReport.of(new Report("quick", "", panels, Optional.of(Pictures.of(images))));
      assertTrue(page.length() > 1_000_000);
      best = Math.min(best, (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start) / 1e9);
    }
    assertTrue(best < 1, best + " s");
  }

  /** Names come from strangers' files; none may become markup, and nothing may be fetched. */
  @Test
  void namesAreTextInReports() {
    String hostile = "</script><script>alert(1)</script><img src=http://x \"'&";
    Log log = new Log(hostile, Log.Form.CERTIFICATES, List.of(new Row(0, 0, 0, 0.5)), Optional.of(new Sigma(0.25)),
        PrintedRadii.EXACT, Optional.empty(), List.of(hostile), List.of());
    String page = HtmlReport.of(new Report(hostile, hostile, List.of(Report.Panel.of(log)), Optional.empty()));
    assertEquals(2, page.split("<script>", -1).length, "one script, ours");
    assertTrue(!page.contains("<img") && page.contains("default-src 'none'"));
    assertTrue(!SvgPlot.of(List.of(log)).contains("<img"));
  }
}
