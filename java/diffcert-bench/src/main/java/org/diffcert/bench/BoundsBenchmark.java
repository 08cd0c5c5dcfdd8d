package org.diffcert.bench;

import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.certify.Histogram;
import org.diffcert.certify.Stopping;
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
 * What bounds cost, on one thread. Every call has an alpha of its own, so that no bound is remembered from the call
 * before; within a call, a count that comes again is.
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

  /** Samples of an image. */
  @Param({"10000", "100000"})
  public int n;

  private int calls;
  private final int[] counts = new int[MILLION];

  /** Counts as they come: uniform over all there are. */
  @Setup
  public void draw() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < counts.length; i++) {
      counts[i] = random.nextInt(n + 1);
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

  private double rows(StopRule rule) {
    Sigma sigma = new Sigma(0.5);
    Histogram selection = new Histogram(new int[] {100, 0}, 0);
    double sum = 0;
    for (int i = 0; i < ROWS; i++) {
      Histogram estimation = new Histogram(new int[] {counts[i], n - counts[i]}, 0);
      sum += Certificate.of(sigma, selection, estimation, rule).radius();
    }
    return sum;
  }

  private double freshAlpha() {
    return 0.001 * (1 + 1e-9 * ++calls);
  }
}
