package org.diffcert.schedule;

import java.util.ArrayList;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.noise.Sigma;

/**
 * The noise levels of a diffusion classifier and their weights: a pure function of its arguments, as arrays. Levels are
 * in EDM space, ascending; level i has a lower end (read by EPNDC alone), an upper end, where the network is called
 * once per class, and a weight for its mean squared difference. The grids, counts and formulas are in
 * docs/spec/schedules.md. Immutable, thread-safe.
 */
public final class Schedule {
  /** The top of every grid, in EDM space. */
  public static final double TOP = 3.0;

  /** The most grid points. */
  public static final int MAX_GRID_POINTS = 10_000;

  /** Where the linear grid of dc starts. */
  private static final double DC_BOTTOM = 1e-4;

  /** Where the log grid of dc starts: levels below tell nothing of the class. */
  private static final double DC_LOG_BOTTOM = 0.05;

  /** Grid points that the released EPNDC leaves out at the bottom. */
  private static final int RELEASED_EPNDC_SKIP = 5;

  private final ClassifierKind kind;
  private final Sigma sigma;
  private final int gridPoints;
  private final GridKind grid;
  private final Weighting weighting;
  private final double[] lower;
  private final double[] upper;
  private final double[] weights;

  private Schedule(ClassifierKind kind, Sigma sigma, int gridPoints, GridKind grid, Weighting weighting, int size) {
    this.kind = kind;
    this.sigma = sigma;
    this.gridPoints = gridPoints;
    this.grid = grid;
    this.weighting = weighting;
    this.lower = new double[size];
    this.upper = new double[size];
    this.weights = new double[size];
  }

  /**
   * The schedule of a classifier at one smoothing level.
   *
   * @param kind the classifier
   * @param sigma the smoothing level; a noised classifier needs it below 1.5, dc does not read it
   * @param gridPoints the number of grid points, as the published scripts count (126 there); at most {@link
   *     #MAX_GRID_POINTS}
   * @param grid the spacing
   * @param weighting the weights; {@link Weighting#PUBLISHED} goes with the linear grid alone
   * @return the schedule
   * @throws DiffcertException of kind USAGE if the sigma leaves no room below {@link #TOP}, the grid has too few or too
   *     many points, or published weights are asked of a log grid
   */
  public static Schedule of(ClassifierKind kind, Sigma sigma, int gridPoints, GridKind grid, Weighting weighting) {
    if (weighting == Weighting.PUBLISHED && grid == GridKind.LOG) {
      throw DiffcertException.usage("published weights belong to the linear grid; use --grid linear, or --weights "
          + "edm or elbo");
    }
    double bottom = bottom(kind, sigma, grid);
    boolean released = grid == GridKind.LINEAR && weighting != Weighting.ELBO;
    int first = 0;
    int last = grid == GridKind.LINEAR ? gridPoints - 3 : gridPoints - 2;
    if (kind == ClassifierKind.EPNDC) {
      first = released ? RELEASED_EPNDC_SKIP : 1;
      last = released ? gridPoints - 3 : gridPoints - 2;
    } else if (weighting == Weighting.PUBLISHED && correctedApndc(kind)) {
      first = 1;
    }
    checkCount(kind, gridPoints, grid, weighting, gridPoints - (last - first));
    double[] points = points(bottom, gridPoints, grid);
    double step = (TOP - bottom) / (gridPoints - 1);
    Schedule schedule = new Schedule(kind, sigma, gridPoints, grid, weighting, last - first + 1);
    for (int i = first; i <= last; i++) {
      double weight;
      if (kind == ClassifierKind.EPNDC) {
        weight = released
            ? WeightFormulas.lambda(points[i]) * WeightFormulas.density(points[i], weighting == Weighting.PUBLISHED)
            * step
                * WeightFormulas.ratioReleased(points[i], points[i + 1], bottom)
            : noisedWeight(points[i], points[i + 1], bottom, weighting);
      } else if (weighting == Weighting.ELBO) {
        weight = WeightFormulas.elboClean(points[i], points[i + 1]);
      } else if (grid == GridKind.LOG) {
        weight = WeightFormulas.lambda(points[i + 1]) * WeightFormulas.density(points[i + 1], false)
            * (points[i + 1] - points[i]);
      } else {
        // The released scripts take the density at the lower end; those of apndc proper one point lower still, because
        // first is 1 there.
        weight = WeightFormulas.lambda(points[i + 1]) * WeightFormulas.density(points[i - first],
            weighting == Weighting.PUBLISHED) * step;
      }
      schedule.set(i - first, points[i], points[i + 1], weight);
    }
    return schedule;
  }

  /**
   * The schedules of EPNDC at several smoothing levels that share one list of levels, so that one pass over the network
   * serves them all (G.5). The grid runs from the lowest; the point nearest to each other smoothing level is moved onto
   * it. A smoothing level uses the levels whose lower end lies above it; its other weights are 0. No point is skipped
   * at the bottom, and the top interval is used, under either weighting.
   *
   * @param sigmas the smoothing levels, strictly ascending, each below 1.5
   * @param gridPoints the number of grid points from the lowest smoothing level to {@link #TOP}; the calls are two
   *     fewer
   * @param grid the spacing
   * @param weighting {@link Weighting#EDM} or {@link Weighting#ELBO}; published weights have a grid of their own for
   *     each sigma
   * @return one schedule a sigma, with equal lower and upper ends
   * @throws DiffcertException of kind USAGE if sigmas do not ascend or leave no level above them, or published weights
   *     are asked for
   */
  public static List<Schedule> shared(List<Sigma> sigmas, int gridPoints, GridKind grid, Weighting weighting) {
    if (sigmas.isEmpty()) {
      throw DiffcertException.usage("a shared schedule needs at least one sigma");
    }
    if (weighting == Weighting.PUBLISHED) {
      throw DiffcertException.usage("published weights have a grid of their own for each sigma; certify the sigmas "
          + "one by one, or use --weights edm or elbo");
    }
    checkCount(ClassifierKind.EPNDC, gridPoints, grid, weighting, 3);
    double bottom = bottom(ClassifierKind.EPNDC, sigmas.get(0), grid);
    double[] points = points(bottom, gridPoints, grid);
    int before = 0;
    for (int s = 1; s < sigmas.size(); s++) {
      double tau = bottom(ClassifierKind.EPNDC, sigmas.get(s), grid);
      if (sigmas.get(s).compareTo(sigmas.get(s - 1)) <= 0) {
        throw DiffcertException.usage("sigmas must ascend, but " + sigmas.get(s - 1) + " comes before "
            + sigmas.get(s));
      }
      int nearest = nearest(points, tau);
      if (nearest <= before || nearest > gridPoints - 3) {
        throw DiffcertException.usage("a grid of " + gridPoints + " points has no levels of its own for sigma "
            + sigmas.get(s)
            + " beside " + sigmas.get(s - 1) + "; use more --levels");
      }
      points[nearest] = tau;
      before = nearest;
    }
    List<Schedule> schedules = new ArrayList<>();
    for (Sigma sigma : sigmas) {
      Schedule schedule = new Schedule(ClassifierKind.EPNDC, sigma, gridPoints, grid, weighting, gridPoints - 2);
      for (int i = 1; i <= gridPoints - 2; i++) {
        double weight = points[i] > sigma.edm() ? noisedWeight(points[i], points[i + 1], sigma.edm(), weighting) : 0;
        schedule.set(i - 1, points[i], points[i + 1], weight);
      }
      schedules.add(schedule);
    }
    return schedules;
  }

  /**
   * The same levels with all weights multiplied.
   *
   * @param factor what by, above 0 and finite
   * @return the schedule
   */
  public Schedule weighted(double factor) {
    Schedule schedule = new Schedule(kind, sigma, gridPoints, grid, weighting, size());
    for (int i = 0; i < size(); i++) {
      schedule.set(i, lower[i], upper[i], factor * weights[i]);
    }
    return schedule;
  }

  private static boolean correctedApndc(ClassifierKind kind) {
    return kind == ClassifierKind.APNDC || kind == ClassifierKind.APNDC_CONDITIONAL;
  }

  /** EPNDC's weight where the grid is ours: exact, for any spacing. */
  private static double noisedWeight(double lower, double upper, double tau, Weighting weighting) {
    if (weighting == Weighting.ELBO) {
      return WeightFormulas.elboNoised(lower, upper, tau);
    }
    return WeightFormulas.lambda(lower) * WeightFormulas.density(lower, false) * (upper - lower)
        * WeightFormulas.ratioExact(lower, upper, tau);
  }

  private static double bottom(ClassifierKind kind, Sigma sigma, GridKind grid) {
    if (kind == ClassifierKind.DC) {
      return grid == GridKind.LINEAR ? DC_BOTTOM : DC_LOG_BOTTOM;
    }
    if (!(sigma.edm() < TOP)) {
      throw DiffcertException.usage("sigma " + sigma + " is " + sigma.edm()
          + " in EDM space, which leaves no levels below " + TOP
          + "; " + kind.cliName() + " needs a sigma below 1.5");
    }
    return sigma.edm();
  }

  private static void checkCount(ClassifierKind kind, int gridPoints, GridKind grid, Weighting weighting, int least) {
    if (gridPoints < least || gridPoints > MAX_GRID_POINTS) {
      throw DiffcertException.usage(kind.cliName() + " with a " + grid.cliName() + " grid and " + weighting.cliName()
          + " weights takes "
          + least + " to " + MAX_GRID_POINTS + " levels, not " + gridPoints);
    }
  }

  private static double[] points(double bottom, int count, GridKind grid) {
    double[] points = new double[count];
    for (int i = 0; i < count; i++) {
      double part = (double) i / (count - 1);
      points[i] = grid == GridKind.LINEAR
          ? bottom + i * ((TOP - bottom) / (count - 1))
          : bottom * Math.pow(TOP / bottom, part);
    }
    points[0] = bottom;
    points[count - 1] = TOP;
    return points;
  }

  private static int nearest(double[] points, double value) {
    int best = 0;
    for (int i = 1; i < points.length; i++) {
      if (Math.abs(points[i] - value) < Math.abs(points[best] - value)) {
        best = i;
      }
    }
    return best;
  }

  private void set(int i, double lowerEnd, double upperEnd, double weight) {
    lower[i] = lowerEnd;
    upper[i] = upperEnd;
    weights[i] = weight;
  }

  /**
   * The classifier.
   *
   * @return its kind
   */
  public ClassifierKind kind() {
    return kind;
  }

  /**
   * The smoothing level.
   *
   * @return sigma
   */
  public Sigma sigma() {
    return sigma;
  }

  /**
   * The number of grid points, as asked for.
   *
   * @return more than {@link #size()}
   */
  public int gridPoints() {
    return gridPoints;
  }

  /**
   * The spacing.
   *
   * @return the kind of grid
   */
  public GridKind grid() {
    return grid;
  }

  /**
   * The weighting.
   *
   * @return which weights
   */
  public Weighting weighting() {
    return weighting;
  }

  /**
   * The number of levels, which is the number of network calls a class.
   *
   * @return at least 1
   */
  public int size() {
    return upper.length;
  }

  /**
   * The lower ends.
   *
   * @return a copy, [size], EDM space, ascending
   */
  public double[] lower() {
    return lower.clone();
  }

  /**
   * The upper ends, where the network is called.
   *
   * @return a copy, [size], EDM space, ascending
   */
  public double[] upper() {
    return upper.clone();
  }

  /**
   * The weights.
   *
   * @return a copy, [size], 0 or more
   */
  public double[] weights() {
    return weights.clone();
  }
}
