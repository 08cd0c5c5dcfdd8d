package org.diffcert.attack;

import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;

/**
 * Square (Andriushchenko et al. 2020): random search by scores alone. Each query changes a square of the image by as
 * much as the budget gives, and is kept if the margin grows. Every query is an 8-bit image inside the budget.
 */
final class SquareAttack {
  /** Share of the elements that the first squares change. */
  private static final double FIRST_SHARE = 0.8;
  /** Queries out of 10,000 after which the share is halved once more. */
  private static final int[] HALVINGS = {10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000};
  /** Squares of the first change in L2 go this often into the shorter side. */
  private static final int TILES = 5;

  private final Attempt attempt;
  private final ImageShape shape;
  private final AttackRandom random;
  private double[] point;

  private SquareAttack(Attempt attempt) {
    this.attempt = attempt;
    this.shape = attempt.clean.shape();
    this.random = attempt.random(0);
  }

  static void run(Attempt attempt) {
    new SquareAttack(attempt).search();
  }

  private void search() {
    int queries = attempt.settings.queries();
    boolean linf = attempt.budget.norm() == AttackNorm.LINF;
    point = linf ? stripes() : tiles();
    double margin = attempt.judge(rounded(point));
    for (int query = 1; query < queries && !attempt.isFound(); query++) {
      double share = share((long) query * 10_000 / queries);
      double[] next = linf ? square(query, share) : windows(query, share);
      double found = attempt.judge(rounded(next));
      if (found > margin) {
        margin = found;
        point = next;
      }
    }
  }

  /** The share of elements that a query changes, by how much of the search is done, in 1/10,000. */
  static double share(long done) {
    double share = FIRST_SHARE;
    for (int halving : HALVINGS) {
      share = done > halving ? share / 2 : share;
    }
    return share;
  }

  private ByteImage rounded(double[] x) {
    return attempt.budget.round(attempt.clean, x);
  }

  private int side(double share, int least) {
    int side = (int) Math.round(Math.sqrt(share * shape.height() * shape.width()));
    return Math.max(Math.min(least, shortest()), Math.min(side, shortest()));
  }

  private int shortest() {
    return Math.min(shape.height(), shape.width());
  }

  /** The whole budget up or down, the same along each column of a channel. */
  private double[] stripes() {
    double[] signs = random.uniforms(0, shape.channels() * shape.width());
    double[] x = attempt.origin.clone();
    for (int e = 0; e < x.length; e++) {
      int channel = e / (shape.height() * shape.width());
      x[e] += sign(signs[channel * shape.width() + e % shape.width()]) * attempt.budget.size();
    }
    attempt.budget.project(attempt.origin, x);
    return x;
  }

  /** A square whose elements go to one end of their range, a channel at a time. */
  private double[] square(int query, double share) {
    int side = side(share, 1);
    double[] u = random.uniforms(query, 2 + shape.channels());
    int top = (int) (u[0] * (shape.height() - side + 1));
    int left = (int) (u[1] * (shape.width() - side + 1));
    double[] x = point.clone();
    for (int c = 0; c < shape.channels(); c++) {
      double change = sign(u[2 + c]) * attempt.budget.size();
      for (int row = top; row < top + side; row++) {
        for (int column = left; column < left + side; column++) {
          int e = at(c, row, column);
          x[e] = attempt.origin[e] + change;
        }
      }
    }
    attempt.budget.project(attempt.origin, x);
    return x;
  }

  /** The first change in L2: bumps of random sign side by side, the budget long. */
  private double[] tiles() {
    int side = Math.max(1, shortest() / TILES);
    double[] bump = bump(side);
    int down = shape.height() / side;
    int across = shape.width() / side;
    double[] signs = random.uniforms(0, shape.channels() * down * across);
    double[] change = new double[attempt.origin.length];
    for (int tile = 0; tile < signs.length; tile++) {
      int c = tile / (down * across);
      int top = tile / across % down * side;
      int left = tile % across * side;
      for (int i = 0; i < side * side; i++) {
        change[at(c, top + i / side, left + i % side)] = sign(signs[tile]) * bump[i];
      }
    }
    return moved(change);
  }

  /** One window of the change is emptied, and what it had goes with what the budget has left into a bump in another. */
  private double[] windows(int query, double share) {
    int side = side(share, 3);
    double[] bump = bump(side);
    double[] u = random.uniforms(query, 4 + shape.channels());
    int top = (int) (u[0] * (shape.height() - side + 1));
    int left = (int) (u[1] * (shape.width() - side + 1));
    int otherTop = (int) (u[2] * (shape.height() - side + 1));
    int otherLeft = (int) (u[3] * (shape.width() - side + 1));
    double[] change = new double[point.length];
    double used = 0;
    for (int e = 0; e < change.length; e++) {
      change[e] = point[e] - attempt.origin[e];
      used += change[e] * change[e];
    }
    double spare = Math.max(0, attempt.budget.size() * attempt.budget.size() - used) / shape.channels();
    for (int c = 0; c < shape.channels(); c++) {
      double old = 0;
      double both = 0;
      for (int i = 0; i < side * side; i++) {
        int e = at(c, top + i / side, left + i % side);
        int other = at(c, otherTop + i / side, otherLeft + i % side);
        old += change[e] * change[e];
        both += change[e] * change[e] + (inside(other, c, top, left, side) ? 0 : change[other] * change[other]);
      }
      double[] fresh = new double[side * side];
      double length = 0;
      for (int i = 0; i < fresh.length; i++) {
        int e = at(c, top + i / side, left + i % side);
        fresh[i] = sign(u[4 + c]) * bump[i] + (old > 0 ? change[e] / Math.sqrt(old) : 0);
        length += fresh[i] * fresh[i];
      }
      double scale = length > 0 ? Math.sqrt((spare + both) / length) : 0;
      for (int i = 0; i < fresh.length; i++) {
        change[at(c, otherTop + i / side, otherLeft + i % side)] = 0;
      }
      for (int i = 0; i < fresh.length; i++) {
        change[at(c, top + i / side, left + i % side)] = scale * fresh[i];
      }
    }
    return moved(change);
  }

  private boolean inside(int e, int channel, int top, int left, int side) {
    int rest = e - channel * shape.height() * shape.width();
    int row = rest / shape.width();
    int column = rest % shape.width();
    return row >= top && row < top + side && column >= left && column < left + side;
  }

  /** The clean image with a change that has the budget's length. */
  private double[] moved(double[] change) {
    double length = AttackNorm.L2.of(change);
    double[] x = attempt.origin.clone();
    for (int e = 0; e < x.length; e++) {
      x[e] += length > 0 ? change[e] / length * attempt.budget.size() : 0;
    }
    attempt.budget.project(attempt.origin, x);
    return x;
  }

  /**
   * The shape of a change in L2, of length 1: two halves of opposite sign, each a pyramid that falls off from its
   * middle as the sum of 1/(m+1)^2 over the rings around it.
   */
  static double[] bump(int side) {
    double[] bump = new double[side * side];
    int upper = (side + 1) / 2;
    pyramid(bump, side, 0, upper, 1);
    pyramid(bump, side, upper, side - upper, -1);
    double length = AttackNorm.L2.of(bump);
    for (int i = 0; i < bump.length; i++) {
      bump[i] /= length;
    }
    return bump;
  }

  private static void pyramid(double[] bump, int side, int firstRow, int rows, double sign) {
    int rings = Math.max(rows, side) / 2 + 1;
    double middleRow = (rows - 1) / 2.0;
    double middleColumn = (side - 1) / 2.0;
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < side; column++) {
        double ring = Math.max(Math.abs(row - middleRow) * side / Math.max(1.0, rows), Math.abs(column - middleColumn));
        double height = 0;
        for (int m = (int) ring; m <= rings; m++) {
          height += 1.0 / ((m + 1.0) * (m + 1.0));
        }
        bump[(firstRow + row) * side + column] = sign * height;
      }
    }
  }

  private int at(int channel, int row, int column) {
    return (channel * shape.height() + row) * shape.width() + column;
  }

  private static double sign(double uniform) {
    return uniform < 0.5 ? -1 : 1;
  }
}
