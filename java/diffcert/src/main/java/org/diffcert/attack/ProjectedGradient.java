package org.diffcert.attack;

/** PGD: steps of a fixed size along the steepest direction, from a random point of the ball (Madry et al. 2018). */
final class ProjectedGradient {
  private ProjectedGradient() {}

  static void run(Attempt attempt) {
    AttackSettings settings = attempt.settings;
    double step = settings.stepSize() * attempt.budget.size() / settings.steps();
    for (int start = 0; start < settings.restarts() && !attempt.isFound(); start++) {
      double[] x = start(attempt, start);
      for (int i = 0; i < settings.steps() && !attempt.isFound(); i++) {
        double[] direction = attempt.budget.norm().steepest(attempt.slope(x, AttackLoss.CE, attempt.label).gradient());
        for (int e = 0; e < x.length; e++) {
          x[e] += step * direction[e];
        }
        attempt.budget.project(attempt.origin, x);
      }
      if (!attempt.isFound()) {
        attempt.judge(attempt.budget.round(attempt.clean, x));
      }
    }
  }

  /** A random point: uniform in the box of L-infinity, on the sphere of L2 in a uniform direction. */
  static double[] start(Attempt attempt, int start) {
    double[] x = attempt.origin.clone();
    AttackNorm norm = attempt.budget.norm();
    AttackRandom random = attempt.random(start);
    double[] change = norm == AttackNorm.L2 ? random.normals(0, x.length) : random.uniforms(0, x.length);
    double length = norm == AttackNorm.L2 ? norm.of(change) : 1;
    for (int e = 0; e < x.length; e++) {
      x[e] += attempt.budget.size() * (norm == AttackNorm.L2 ? change[e] / length : 2 * change[e] - 1);
    }
    attempt.budget.project(attempt.origin, x);
    return x;
  }
}
