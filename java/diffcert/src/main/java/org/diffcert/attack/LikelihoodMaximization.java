package org.diffcert.attack;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.diffcert.DiffcertException;

/**
 * Likelihood maximisation, the purification of RDC (Chen et al. 2023): a few steps of Adam that make an image likelier
 * to a diffusion model, held near where it began; and the pullback of a gradient through all of them. Works on images
 * in EDM space (2x - 1). Which objective a step descends is the caller's: its gradient at (step, image). Immutable,
 * thread-safe.
 *
 * @param steps how many, 1 to 1,000
 * @param rate Adam's rate in EDM space, above 0
 * @param norm how the distance from the beginning is measured
 * @param radius the most of it after each step, in EDM space; infinity for any
 */
public record LikelihoodMaximization(int steps, double rate, AttackNorm norm, double radius) {
  /**
   * The published form: 5 steps of rate 0.1 in an L2 ball of radius 200, twice 100 in [0,1] units, which no image can
   * leave.
   */
  public static final LikelihoodMaximization PUBLISHED = new LikelihoodMaximization(5, 0.1, AttackNorm.L2, 200);

  private static final double FIRST_DECAY = 0.9;
  private static final double SECOND_DECAY = 0.999;
  private static final double EPSILON = 1e-8;
  /** Root mean square of the change of an element between the two gradients of a Hessian-vector product. */
  private static final double DIFFERENCE = 1e-3;

  /** The gradient of the objective that a step descends. */
  public interface StepGradient {
    /**
     * The gradient.
     *
     * @param step the step's number, from 0
     * @param z the image in EDM space
     * @return the gradient by z; its own, for the caller keeps it
     */
    double[] of(int step, double[] z);
  }

  /**
   * What the pullback needs of a maximisation.
   *
   * @param points where each step began, and the last point
   * @param gradients of each step
   * @param unprojected where each step led before it was brought back into the ball
   */
  public record Trace(List<double[]> points, List<double[]> gradients, List<double[]> unprojected) {
    /**
     * Where it ended.
     *
     * @return the last point
     */
    public double[] end() {
      return points.get(points.size() - 1);
    }
  }

  /**
   * Checks the ranges.
   *
   * @param steps how many
   * @param rate Adam's rate
   * @param norm how the distance is measured
   * @param radius the most of it
   * @throws DiffcertException of kind USAGE if one is out of range
   */
  public LikelihoodMaximization {
    if (steps < 1 || steps > 1000) {
      throw DiffcertException.usage("likelihood maximisation takes 1 to 1000 steps, not " + steps);
    }
    if (!(rate > 0 && rate <= 1000)) {
      throw DiffcertException.usage("the rate of likelihood maximisation is " + rate
          + ", must be above 0 and at most 1000");
    }
    if (!(radius > 0)) {
      throw DiffcertException.usage("the radius of likelihood maximisation is " + radius + ", must be above 0");
    }
  }

  /**
   * Maximises from an image.
   *
   * @param start the image in EDM space
   * @param gradient of each step's objective
   * @return every point on the way
   */
  public Trace run(double[] start, StepGradient gradient) {
    List<double[]> points = new ArrayList<>(List.of(start.clone()));
    List<double[]> gradients = new ArrayList<>();
    List<double[]> unprojected = new ArrayList<>();
    double[] first = new double[start.length];
    double[] second = new double[start.length];
    for (int t = 1; t <= steps; t++) {
      double[] z = points.get(t - 1);
      double[] g = gradient.of(t - 1, z);
      double[] next = new double[z.length];
      for (int e = 0; e < z.length; e++) {
        first[e] = FIRST_DECAY * first[e] + (1 - FIRST_DECAY) * g[e];
        second[e] = SECOND_DECAY * second[e] + (1 - SECOND_DECAY) * g[e] * g[e];
        next[e] = z[e] - rate * (first[e] / (1 - Math.pow(FIRST_DECAY, t)))
            / (Math.sqrt(second[e] / (1 - Math.pow(SECOND_DECAY, t))) + EPSILON);
      }
      gradients.add(g);
      unprojected.add(next);
      double[] projected = next.clone();
      norm.project(start, radius, projected);
      points.add(projected);
    }
    return new Trace(List.copyOf(points), List.copyOf(gradients), List.copyOf(unprojected));
  }

  /**
   * Pulls a gradient by the end of a maximisation back to its start: the chain rule through Adam's moments and the
   * projections, with the products of Hessian and vector by central differences of the gradient. Two gradients a step.
   *
   * @param trace the maximisation
   * @param gradient that which it was run with
   * @param cotangent the gradient by the end
   * @return the gradient by the start
   */
  public double[] pullback(Trace trace, StepGradient gradient, double[] cotangent) {
    int d = cotangent.length;
    double[] start = trace.points().get(0);
    double[][] firsts = new double[steps + 1][d];
    double[][] seconds = new double[steps + 1][d];
    for (int t = 1; t <= steps; t++) {
      double[] g = trace.gradients().get(t - 1);
      for (int e = 0; e < d; e++) {
        firsts[t][e] = FIRST_DECAY * firsts[t - 1][e] + (1 - FIRST_DECAY) * g[e];
        seconds[t][e] = SECOND_DECAY * seconds[t - 1][e] + (1 - SECOND_DECAY) * g[e] * g[e];
      }
    }
    double[] back = cotangent.clone();
    double[] toStart = new double[d];
    double[] firstBack = new double[d];
    double[] secondBack = new double[d];
    for (int t = steps; t >= 1; t--) {
      back = unproject(start, trace.unprojected().get(t - 1), back, toStart);
      double[] g = trace.gradients().get(t - 1);
      double[] gBack = new double[d];
      double firstShare = 1 - Math.pow(FIRST_DECAY, t);
      double secondShare = 1 - Math.pow(SECOND_DECAY, t);
      for (int e = 0; e < d; e++) {
        double root = Math.sqrt(seconds[t][e] / secondShare);
        double below = root + EPSILON;
        firstBack[e] -= rate * back[e] / below / firstShare;
        if (root > 0) {
          secondBack[e] += rate * back[e] * (firsts[t][e] / firstShare) / (below * below) / (2 * root) / secondShare;
        }
        gBack[e] = (1 - FIRST_DECAY) * firstBack[e] + 2 * (1 - SECOND_DECAY) * g[e] * secondBack[e];
        firstBack[e] *= FIRST_DECAY;
        secondBack[e] *= SECOND_DECAY;
      }
      double[] product = hessianProduct(gradient, t - 1, trace.points().get(t - 1), gBack);
      for (int e = 0; e < d; e++) {
        back[e] += product[e];
      }
    }
    for (int e = 0; e < d; e++) {
      back[e] += toStart[e];
    }
    return back;
  }

  /**
   * The gradient by a point before it was brought into the ball; what the ball's centre gets of it is added to toStart.
   */
  private double[] unproject(double[] start, double[] before, double[] after, double[] toStart) {
    double[] back = after.clone();
    if (norm == AttackNorm.LINF) {
      for (int e = 0; e < back.length; e++) {
        if (Math.abs(before[e] - start[e]) > radius) {
          toStart[e] += back[e];
          back[e] = 0;
        }
      }
      return back;
    }
    double squares = 0;
    double along = 0;
    for (int e = 0; e < back.length; e++) {
      double way = before[e] - start[e];
      squares += way * way;
      along += way * after[e];
    }
    if (squares > radius * radius) {
      double shrink = radius / Math.sqrt(squares);
      for (int e = 0; e < back.length; e++) {
        back[e] = shrink * (after[e] - (before[e] - start[e]) * along / squares);
        toStart[e] += after[e] - back[e];
      }
    }
    return back;
  }

  /** Hessian times vector; the Hessian is symmetric, for the step's gradient is one. */
  private static double[] hessianProduct(StepGradient gradient, int step, double[] z, double[] v) {
    double length = AttackNorm.L2.of(v);
    double[] product = new double[v.length];
    if (length == 0) {
      return product;
    }
    double h = DIFFERENCE * Math.sqrt(v.length) / length;
    double[] up = z.clone();
    double[] down = z.clone();
    for (int e = 0; e < v.length; e++) {
      up[e] += h * v[e];
      down[e] -= h * v[e];
    }
    double[] above = gradient.of(step, up);
    double[] below = gradient.of(step, down);
    for (int e = 0; e < v.length; e++) {
      product[e] = (above[e] - below[e]) / (2 * h);
    }
    return product;
  }

  /**
   * The radius for a header, which has no infinity.
   *
   * @return empty if the distance is unbounded
   */
  public Optional<Double> bound() {
    return Double.isInfinite(radius) ? Optional.empty() : Optional.of(radius);
  }
}
