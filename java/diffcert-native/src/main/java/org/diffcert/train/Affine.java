package org.diffcert.train;

/**
 * A map of the plane, (x, y) to (xx x + xy y + x1, yx x + yy y + y1), in pixels from an image's centre, x to the right
 * and y down.
 */
record Affine(double xx, double xy, double x1, double yx, double yy, double y1) {
  static final Affine IDENTITY = new Affine(1, 0, 0, 0, 1, 0);

  static Affine scale(double x, double y) {
    return new Affine(x, 0, 0, 0, y, 0);
  }

  /** From the x axis towards the y axis. */
  static Affine rotation(double angle) {
    double cos = StrictMath.cos(angle);
    double sin = StrictMath.sin(angle);
    return new Affine(cos, -sin, 0, sin, cos, 0);
  }

  static Affine translation(double x, double y) {
    return new Affine(1, 0, x, 0, 1, y);
  }

  /** This map after another one. */
  Affine after(Affine first) {
    return new Affine(xx * first.xx + xy * first.yx, xx * first.xy + xy * first.yy, xx * first.x1 + xy * first.y1 + x1,
        yx * first.xx + yy * first.yx, yx * first.xy + yy * first.yy, yx * first.x1 + yy * first.y1 + y1);
  }

  double x(double x, double y) {
    return xx * x + xy * y + x1;
  }

  double y(double x, double y) {
    return yx * x + yy * y + y1;
  }
}
