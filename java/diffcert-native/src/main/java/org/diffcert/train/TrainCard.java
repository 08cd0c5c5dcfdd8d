package org.diffcert.train;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.diffcert.file.Json;
import org.diffcert.model.Model;

/**
 * What a finished model says about its making: notes in its file's metadata, which {@code model inspect} prints, and a
 * page beside it. Nothing in it depends on the clock, so that equal trainings give equal bytes.
 */
final class TrainCard {
  /** The loss on the card is the mean of so many last steps: a single one depends on its noise levels most of all. */
  private static final int LAST = 100;

  private TrainCard() {}

  /** The notes: those of the caller (its command), then the training's. */
  static Map<String, String> notes(TrainPlan plan, Map<String, String> origin, double[] losses, long images) {
    Map<String, String> notes = new LinkedHashMap<>(origin);
    notes.put("data", plan.data().name());
    notes.put("data_digest", plan.data().digest());
    notes.put("steps", Integer.toString(losses.length));
    notes.put("images_seen", Long.toString(images));
    notes.put("loss", Json.shortest(last(losses)) + " ("
        + (plan.calibration().isPresent() ? "calibrate" : plan.options().loss().cliName()) + ", mean of the last "
        + Math.min(LAST, losses.length) + " steps)");
    return notes;
  }

  static double last(double[] losses) {
    int count = Math.min(LAST, losses.length);
    double sum = 0;
    for (int i = losses.length - count; i < losses.length; i++) {
      sum += losses[i];
    }
    return sum / count;
  }

  private static String beginning(TrainPlan plan) {
    if (plan.calibration().isPresent()) {
      return "Fine-tuned by `diffcert finetune` for a cascade, from the model "
          + plan.calibration().get().model().digest();
    }
    return "Trained by `diffcert train` " + plan.distillation().map(by -> "from another network, its teacher, "
        + "beginning with " + (by.fromTeacher() ? "the teacher's weights" : "drawn weights")).orElse("from nothing");
  }

  /** The page. */
  static String page(Model model, TrainPlan plan, Map<String, String> notes) {
    StringBuilder page = new StringBuilder();
    page.append("# ").append(plan.config().architecture().published()).append(" for ").append(plan.data().name());
    page.append(String.format(Locale.ROOT,
        "%n%n%s: %,d parameters, digest `%s`. The weights are the running "
        + "average; the images were %saugmented.%n%n", beginning(plan), model.parameterCount(), model.digest(),
        plan.options().augmentation().on() ? "" : "not "));
    page.append("| | |\n|---|---|\n");
    notes.forEach((key, value) -> page.append("| ").append(key).append(" | `").append(value).append("` |\n"));
    plan.header().members().forEach((key, value) -> {
      if (!notes.containsKey(key) && !key.equals("format")) {
        page.append("| ").append(key).append(" | `").append(value.isString() ? value.asString() : value.write())
            .append("` |\n");
      }
    });
    return page.append("\nLosses, a line a step, are in `loss.tsv`, their curve in `loss.png`.\n").toString();
  }
}
