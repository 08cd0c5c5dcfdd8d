package org.diffcert.attack;

import org.diffcert.Named;

/** How the size of a change is measured. */
public enum AttackNorm implements Named {
  /** The root of the sum of squares. */
  L2("l2"),
  /** The largest change of an element. */
  LINF("linf");

  private final String cliName;

  AttackNorm(String cliName) {
    this.cliName = cliName;
  }

  @Override
  public String cliName() {
    return cliName;
  }

  /**
   * The norm of a name.
   *
   * @param name l2 or linf
   * @return the norm
   * @throws org.diffcert.DiffcertException of kind USAGE if there is none of that name
   */
  public static AttackNorm of(String name) {
    return Named.find(values(), name, "norm");
  }

  /**
   * The size of a vector.
   *
   * @param v the vector
   * @return its norm, at least 0
   */
  public double of(double[] v) {
    double size = 0;
    for (double value : v) {
      size = this == L2 ? size + value * value : Math.max(size, Math.abs(value));
    }
    return this == L2 ? Math.sqrt(size) : size;
  }

  /**
   * The direction in which a linear function with this gradient grows most for a step of size one: its signs, or itself
   * at unit length.
   *
   * @param gradient the gradient
   * @return a new vector of norm 1; zeros for a gradient of zeros
   */
  public double[] steepest(double[] gradient) {
    double[] direction = new double[gradient.length];
    double length = L2.of(gradient);
    for (int i = 0; i < gradient.length; i++) {
      direction[i] = this == LINF ? Math.signum(gradient[i]) : length > 0 ? gradient[i] / length : 0;
    }
    return direction;
  }

  /**
   * Moves a point onto the ball around a centre, if it is outside.
   *
   * @param centre the centre
   * @param radius at least 0
   * @param point the point, changed in place
   */
  public void project(double[] centre, double radius, double[] point) {
    if (this == LINF) {
      for (int i = 0; i < point.length; i++) {
        point[i] = Math.max(centre[i] - radius, Math.min(centre[i] + radius, point[i]));
      }
      return;
    }
    double squares = 0;
    for (int i = 0; i < point.length; i++) {
      squares += (point[i] - centre[i]) * (point[i] - centre[i]);
    }
    double length = Math.sqrt(squares);
    if (length > radius) {
      for (int i = 0; i < point.length; i++) {
        point[i] = centre[i] + (point[i] - centre[i]) * (radius / length);
      }
    }
  }
}
