package org.diffcert.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.diffcert.analyze.HtmlReport;
import org.diffcert.analyze.Log;
import org.diffcert.analyze.Pictures;
import org.diffcert.analyze.PrintedRadii;
import org.diffcert.analyze.Report;
import org.diffcert.analyze.Row;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.certify.Histogram;
import org.diffcert.certify.Stopping;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.ClopperPearson;
import org.diffcert.stats.FixedSamples;
import org.diffcert.stats.StopRule;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What bounds and reports cost, on one thread. Every call has an alpha of its own, so that no bound is remembered from
 * the call before; within a call, a count that comes again is.
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@State(Scope.Thread)
@Fork(1)
@Warmup(iterations = 2)
@Measurement(iterations = 5)
public class BoundsBenchmark {
  private static final int MILLION = 1_000_000;
  private static final int ROWS = 10_000;
  private static final int SHOWN = 500;
  private static final Sigma SIGMA = new Sigma(0.5);

  /** Samples of an image. */
  @Param({"10000", "100000"})
  public int n;

  private int calls;
  private final int[] counts = new int[MILLION];
  private final List<ByteImage> images = new ArrayList<>();

  /** Counts as they come: uniform over all there are. */
  @Setup
  public void draw() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < counts.length; i++) {
      counts[i] = random.nextInt(n + 1);
    }
    for (int i = 0; i < SHOWN; i++) {
      byte[] pixels = new byte[3 * 32 * 32];
      random.nextBytes(pixels);
      images.add(new ByteImage(new ImageShape(3, 32, 32), pixels));
    }
  }

  /**
   * A million bounds of Clopper and Pearson.
   *
   * @return their sum
   */
  @Benchmark
  public double millionBounds() {
    double alpha = freshAlpha();
    double sum = 0;
    for (int k : counts) {
      sum += ClopperPearson.lower(k, n, alpha);
    }
    return sum;
  }

  /**
   * Ten thousand rows, from histogram to integer radius.
   *
   * @return the sum of their radii
   */
  @Benchmark
  public double rows() {
    return rows(new FixedSamples(n, freshAlpha()));
  }

  /**
   * The same under the sequential rule for three radii, its tables included.
   *
   * @return the sum of their radii
   */
  @Benchmark
  public double sequentialRows() {
    Stopping stop = new Stopping(Stopping.Kind.SEQUENTIAL, List.of(0.25, 0.5, 0.75));
    return rows(CertifyConfig.of(100, n, freshAlpha()).withStop(stop).rules(List.of(new Sigma(0.5))).get(0));
  }

  /**
   * Ten thousand rows, then the page of the first 500 of them with their pictures of 3x32x32.
   *
   * @return the length of the page
   */
  @Benchmark
  public int rowsAndReport() {
    rows(new FixedSamples(n, freshAlpha()));
    List<Row> shown = new ArrayList<>();
    List<Report.Detail> details = new ArrayList<>();
    for (int i = 0; i < images.size(); i++) {
      Certificate row = certificate(new FixedSamples(n, 0.001), counts[i]);
      shown.add(new Row(i, i % 10, row.predict(), row.radius()));
      details.add(new Report.Detail(counts[i], n, row.pALower(), row.integerRadius().squared(), 1));
    }
    Log log = new Log("run", Log.Form.CERTIFICATES, shown, Optional.of(SIGMA), new PrintedRadii(17, false),
        Optional.empty(), List.of(), List.of());
    Report.Panel panel = new Report.Panel(log, List.of("Each row holds."), Optional.empty(), OptionalDouble.empty(),
        details, List.of());
    return HtmlReport.of(new Report("rows", "", List.of(panel), Optional.of(Pictures.of(images)))).length();
  }

  private double rows(StopRule rule) {
    double sum = 0;
    for (int i = 0; i < ROWS; i++) {
      sum += certificate(rule, counts[i]).radius();
    }
    return sum;
  }

  private Certificate certificate(StopRule rule, int count) {
    Histogram selection = new Histogram(new int[] {100, 0}, 0);
    return Certificate.of(SIGMA, selection, new Histogram(new int[] {count, n - count}, 0), rule);
  }

  private double freshAlpha() {
    return 0.001 * (1 + 1e-9 * ++calls);
  }
}
