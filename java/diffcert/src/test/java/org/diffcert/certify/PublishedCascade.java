package org.diffcert.certify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.statistics.distribution.ChiSquaredDistribution;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.ClopperPearson;

/**
 * The certificate of a cascade as the published code computes it, with its two defects: the interval of the largest
 * off-class probability is Goodman's, which is asymptotic; and where two categories are left, it is that of what is not
 * the stage's own top class. For comparison with ours alone.
 */
final class PublishedCascade {
  private static final NormalDistribution NORMAL = NormalDistribution.of(0, 1);
  private static final int SMALLEST_CATEGORY = 5;

  private PublishedCascade() {}

  /** The radius that it certifies for the class of the stage that decides, in [0,1] pixel units; negative for none. */
  static double radius(List<Sigma> descending, double p0, double alpha, List<Histogram> selections,
      List<Histogram> estimations) {
    double z0 = NORMAL.inverseCumulativeProbability(p0);
    for (int i = 0; i < descending.size(); i++) {
      double each = alpha / (i + 1);
      Histogram votes = estimations.get(i);
      int top = selections.get(i).top();
      double lower = ClopperPearson.lower(votes.count(top), votes.total(), each);
      if (lower >= p0) {
        double radius = descending.get(i).unit() * (NORMAL.inverseCumulativeProbability(lower) - z0);
        for (int j = 0; j < i; j++) {
          double off = offClass(estimations.get(j), selections.get(j).top(), top, each);
          radius = Math.min(radius, descending.get(j).unit() * (z0 - NORMAL.inverseCumulativeProbability(off)));
        }
        return radius;
      }
      if (ClopperPearson.upper(votes.count(top), votes.total(), each) >= p0) {
        return -1;
      }
    }
    return -1;
  }

  /** Its upper bound of the largest probability of a class other than c. */
  private static double offClass(Histogram votes, int own, int c, double each) {
    int[] categories = merge(votes, c);
    int n = votes.total();
    if (categories.length == 2) {
      return 1 - ClopperPearson.lower(votes.count(own), n, each);
    }
    double a = ChiSquaredDistribution.of(1).inverseCumulativeProbability(1 - 2 * each / categories.length);
    int k = Arrays.stream(categories).skip(1).max().orElseThrow();
    return (a + 2.0 * k + Math.sqrt(a * (a + 4.0 * k * (n - k) / n))) / (2 * (n + a));
  }

  /** The votes for c, then those for the others, the small ones pooled. */
  private static int[] merge(Histogram votes, int c) {
    List<Integer> others = new ArrayList<>();
    int pool = 0;
    for (int i = 0; i < votes.classes(); i++) {
      if (i != c && votes.count(i) >= SMALLEST_CATEGORY) {
        others.add(votes.count(i));
      }
    }
    others.sort((x, y) -> y - x);
    for (int i = 0; i < votes.classes(); i++) {
      pool += i != c && votes.count(i) < SMALLEST_CATEGORY ? votes.count(i) : 0;
      if (pool >= SMALLEST_CATEGORY) {
        others.add(pool);
        pool = 0;
      }
    }
    if (others.isEmpty()) {
      others.add(pool);
    } else {
      others.set(others.size() - 1, others.get(others.size() - 1) + pool);
    }
    int[] merged = new int[others.size() + 1];
    merged[0] = votes.count(c);
    for (int i = 0; i < others.size(); i++) {
      merged[i + 1] = others.get(i);
    }
    return merged;
  }
}
