package org.diffcert.attack;

import java.util.ArrayList;
import java.util.List;

/**
 * APGD (Croce and Hein 2020): gradient ascent with momentum whose step begins at two budgets and is halved at
 * checkpoints where the loss has risen too seldom, or neither step nor best loss has changed since the last; then it
 * goes on from the best point.
 */
final class AutoProjectedGradient {
  private static final double FIRST_STEP = 2;
  private static final double MOMENTUM = 0.75;
  /** A step stays if the loss rose at more than this share of the steps since the last checkpoint. */
  private static final double RISES = 0.75;

  private AutoProjectedGradient() {}

  static void run(Attempt attempt, AttackLoss loss) {
    for (int start = 0; start < attempt.settings.restarts() && !attempt.isFound(); start++) {
      if (loss != AttackLoss.DLR_TARGETED) {
        climb(attempt, loss, attempt.label, ProjectedGradient.start(attempt, start));
        continue;
      }
      int[] order = AttackLoss.order(attempt.logits(attempt.origin));
      int left = attempt.settings.targets();
      for (int at = 0; at < order.length && left > 0 && !attempt.isFound(); at++) {
        if (order[at] != attempt.label) {
          left--;
          climb(attempt, loss, order[at], ProjectedGradient.start(attempt, start * order.length + order[at]));
        }
      }
    }
  }

  /** The checkpoints of a number of steps: 0.22 of them, then periods that shrink by 0.03 down to 0.06. */
  static int[] checkpoints(int steps) {
    List<Integer> checkpoints = new ArrayList<>();
    double before = 0;
    double at = 0.22;
    while (at <= 1) {
      int step = (int) Math.ceil(at * steps - 1e-9);
      if (checkpoints.isEmpty() || step > checkpoints.get(checkpoints.size() - 1)) {
        checkpoints.add(step);
      }
      double next = at + Math.max(at - before - 0.03, 0.06);
      before = at;
      at = next;
    }
    return checkpoints.stream().mapToInt(Integer::intValue).toArray();
  }

  private static void climb(Attempt attempt, AttackLoss loss, int goal, double[] start) {
    Budget budget = attempt.budget;
    StepRule rule = new StepRule(FIRST_STEP * budget.size(), checkpoints(attempt.settings.steps()));
    double[] x = start;
    double[] before = x.clone();
    Attempt.Slope slope = attempt.slope(x, loss, goal);
    double[] best = x.clone();
    double[] bestGradient = slope.gradient();
    rule.begin(slope.loss());
    for (int step = 1; step <= attempt.settings.steps() && !attempt.isFound(); step++) {
      double[] next = next(budget, attempt.origin, x, before, slope.gradient(), rule.size(), step == 1 ? 1 : MOMENTUM);
      before = x;
      x = next;
      slope = attempt.slope(x, loss, goal);
      if (slope.loss() > rule.best()) {
        best = x.clone();
        bestGradient = slope.gradient();
      }
      if (rule.step(step, slope.loss())) {
        x = best.clone();
        slope = new Attempt.Slope(slope.logits(), rule.best(), bestGradient);
      }
    }
    if (!attempt.isFound()) {
      attempt.judge(budget.round(attempt.clean, best));
    }
  }

  /** A step along the steepest direction, and from there part of the way that the last step went. */
  private static double[] next(Budget budget, double[] origin, double[] x, double[] before, double[] gradient,
      double size, double share) {
    double[] direction = budget.norm().steepest(gradient);
    double[] next = x.clone();
    for (int e = 0; e < x.length; e++) {
      next[e] += size * direction[e];
    }
    budget.project(origin, next);
    for (int e = 0; e < x.length; e++) {
      next[e] = x[e] + share * (next[e] - x[e]) + (1 - share) * (x[e] - before[e]);
    }
    budget.project(origin, next);
    return next;
  }

  /** When the step is halved. */
  static final class StepRule {
    private final int[] checkpoints;
    private double size;
    private double best;
    private double last;
    private int rises;
    private int nextCheckpoint;
    private int lastCheckpoint;
    private double bestAtCheckpoint;
    private boolean halvedAtCheckpoint;

    StepRule(double size, int[] checkpoints) {
      this.size = size;
      this.checkpoints = checkpoints;
    }

    /** The loss where the ascent begins. */
    void begin(double loss) {
      best = loss;
      last = loss;
      bestAtCheckpoint = loss;
    }

    double size() {
      return size;
    }

    double best() {
      return best;
    }

    /**
     * The loss after a step, counted from 1; whether the step was halved, and the ascent goes back to its best point.
     */
    boolean step(int number, double loss) {
      rises += loss > last ? 1 : 0;
      last = loss;
      best = Math.max(best, loss);
      if (nextCheckpoint == checkpoints.length || number < checkpoints[nextCheckpoint]) {
        return false;
      }
      boolean seldom = rises < RISES * (number - lastCheckpoint);
      boolean stuck = !halvedAtCheckpoint && nextCheckpoint > 0 && bestAtCheckpoint == best;
      halvedAtCheckpoint = seldom || stuck;
      bestAtCheckpoint = best;
      lastCheckpoint = number;
      nextCheckpoint++;
      rises = 0;
      if (halvedAtCheckpoint) {
        size /= 2;
        last = best;
      }
      return halvedAtCheckpoint;
    }
  }
}
