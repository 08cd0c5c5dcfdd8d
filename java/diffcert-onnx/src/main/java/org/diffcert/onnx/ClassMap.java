package org.diffcert.onnx;

import java.util.HashSet;
import java.util.List;
import org.diffcert.DiffcertException;

/**
 * Which of a model's logits are the data's classes, in the data's order: a model that knows more classes than the data
 * have, or knows them in another order, is the classifier of these alone. Logits that no class of the data has are not
 * looked at, finite or not. Immutable.
 *
 * @param logits for each class of the data the number of its logit, all different; empty if the model's are the data's
 */
public record ClassMap(List<Integer> logits) {
  /** The model's classes are the data's. */
  public static final ClassMap OWN = new ClassMap(List.of());

  private static final int MOST_CLASSES = 100_000;

  /**
   * Checks and copies.
   *
   * @param logits for each class the number of its logit
   * @throws DiffcertException of kind USAGE if a number is out of range or comes twice, or there is one alone
   */
  public ClassMap {
    logits = List.copyOf(logits);
    if (logits.size() == 1 || logits.stream().anyMatch(l -> l < 0 || l >= MOST_CLASSES)
        || new HashSet<>(logits).size() < logits.size()) {
      throw DiffcertException.usage("the class map " + brief(logits) + " must be two or more different numbers of "
          + "the model's classes, counted from 0");
    }
  }

  /**
   * The map by names.
   *
   * @param models the names of the model's classes, in the order of its logits
   * @param datas the names of the data's classes
   * @return a map for each of the data's
   * @throws DiffcertException of kind BAD_INPUT if a class of the data is not exactly one of the model's
   */
  public static ClassMap byName(List<String> models, List<String> datas) {
    return new ClassMap(datas.stream().map(name -> {
      int first = models.indexOf(name);
      if (first < 0 || models.lastIndexOf(name) != first) {
        throw DiffcertException.badInput("the class '" + name + "' of the data is "
            + (first < 0 ? "not" : "more than once")
            + " among the " + models.size() + " names of the model's classes; names must be equal to the letter");
      }
      return first;
    }).toList());
  }

  /**
   * The logits of the data's classes.
   *
   * @throws DiffcertException of kind BAD_INPUT if the row has fewer logits than the map wants
   */
  float[] of(float[] row) {
    if (logits.isEmpty()) {
      return row;
    }
    float[] picked = new float[logits.size()];
    for (int c = 0; c < picked.length; c++) {
      picked[c] = row[at(c, row.length)];
    }
    return picked;
  }

  /** The same of a pass with gradients. */
  double[] of(double[] row) {
    double[] picked = row.clone();
    if (!logits.isEmpty()) {
      picked = new double[logits.size()];
      for (int c = 0; c < picked.length; c++) {
        picked[c] = row[at(c, row.length)];
      }
    }
    return picked;
  }

  /** The way back of {@link #of}: nothing comes from logits that are not looked at. */
  double[] back(double[] picked, int all) {
    if (logits.isEmpty()) {
      return picked.clone();
    }
    double[] row = new double[all];
    for (int c = 0; c < picked.length; c++) {
      row[at(c, all)] = picked[c];
    }
    return row;
  }

  /** The number of classes, of a model with so many logits. */
  int classes(int all) {
    return logits.isEmpty() ? all : logits.size();
  }

  private int at(int c, int all) {
    int logit = logits.get(c);
    if (logit >= all) {
      throw DiffcertException.badInput("the model has " + all + " classes, the class map wants its number " + logit
          + ", counted from 0");
    }
    return logit;
  }

  private static String brief(List<Integer> logits) {
    String text = logits.toString();
    return text.length() <= 60 ? text : text.substring(0, 60) + "...";
  }
}
