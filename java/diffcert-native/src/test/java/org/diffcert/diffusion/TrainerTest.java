package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.file.Tensor;
import org.diffcert.model.Model;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A trainer through the binding: it learns, its state goes on to the same bits, bad arguments are refused, its handle
 * lives as others do.
 */
@Timeout(120)
class TrainerTest {
  private static final int ROWS = 6;
  private static final int[] LABELS = {0, 1, 2, -1, 1, 0};
  private static final TrainOptions OPTIONS = new TrainOptions(TrainLoss.EDM, 5, 2e-3, 0, 0, 0, 100, 0.05, 0.1, 0,
      Augmentation.NONE);

  private static Trainer open(TrainOptions options, int threads, int rows) {
    try (Model model = SmallModel.make()) {
      return Trainer.open(model.config(), DeviceOptions.on(Device.CPU).withThreads(threads).withMaxBatch(rows),
          options);
    }
  }

  /** Grey images, darker or lighter by their class: what a network learns in a hundred steps. */
  private static float[] images() {
    float[] x = new float[ROWS * SmallModel.VALUES];
    for (int i = 0; i < x.length; i++) {
      x[i] = 0.4f * LABELS[i / SmallModel.VALUES] - 0.4f;
    }
    return x;
  }

  private static double[] losses(Trainer trainer, int steps) {
    double[] losses = new double[steps];
    for (int i = 0; i < steps; i++) {
      losses[i] = trainer.step(images(), LABELS);
    }
    return losses;
  }

  private static double mean(double[] losses, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += losses[i];
    }
    return sum / (to - from);
  }

  @Test
  void itLearnsAndTheAverageIsTheModel() {
    try (Trainer trainer = open(OPTIONS, 1, ROWS)) {
      double[] losses = losses(trainer, 120);
      assertTrue(mean(losses, 80, 120) < 0.8 * mean(losses, 0, 40), mean(losses, 0, 40) + " to "
          + mean(losses, 80, 120));
      assertEquals(120, trainer.steps());
      assertEquals(120 * ROWS, trainer.imagesSeen());
      try (Model model = trainer.model()) {
        for (Tensor average : trainer.state(Trainer.Part.AVERAGE)) {
          assertArrayEquals(average.floats(), model.tensor(average.name()).floats(), average.name());
        }
        Map<String, Tensor> weights = trainer.state(Trainer.Part.WEIGHT).stream()
            .collect(Collectors.toMap(Tensor::name, t -> t));
        assertNotEquals(weights.get("model.map_layer0.weight").floats()[0], model.tensor("model.map_layer0.weight")
            .floats()[0]);
        DiffusionModel.open(model, DeviceOptions.on(Device.CPU)).close();
      }
    }
  }

  @Test
  void aStoredStateGoesOnToTheSameBitsWithOtherRowsAndThreads() {
    double[] whole;
    Map<Trainer.Part, Map<String, Tensor>> state = new HashMap<>();
    try (Trainer trainer = open(OPTIONS, 1, ROWS)) {
      losses(trainer, 7);
      for (Trainer.Part part : Trainer.Part.values()) {
        state.put(part, trainer.state(part).stream().collect(Collectors.toMap(Tensor::name,
            t -> Tensor.of(t.name(), t.shape(), t.floats()))));
      }
      whole = losses(trainer, 5);
    }
    try (Trainer other = open(OPTIONS, 2, 4)) {
      state.forEach(other::restore);
      other.restoreProgress(7 * ROWS, 7);
      assertArrayEquals(whole, losses(other, 5));
    }
    try (Trainer seeded = open(new TrainOptions(TrainLoss.EDM, 6, 2e-3, 0, 0, 0, 100, 0.05, 0.1, 0, Augmentation.NONE),
        1, ROWS)) {
      state.forEach(seeded::restore);
      seeded.restoreProgress(7 * ROWS, 7);
      assertNotEquals(whole[0], losses(seeded, 1)[0]);
    }
  }

  @Test
  void badArgumentsAreRefused() {
    try (Trainer trainer = open(OPTIONS, 1, 2)) {
      refused(Kind.USAGE, "64", () -> trainer.step(new float[65], new int[] {0}));
      refused(Kind.USAGE, "label", () -> trainer.step(new float[64], new int[] {3}));
      refused(Kind.USAGE, "negative", () -> trainer.restoreProgress(-1, 0));
      refused(Kind.BAD_INPUT, "lacks", () -> trainer.restore(Trainer.Part.WEIGHT, Map.of()));
      Map<String, Tensor> nan = trainer.state(Trainer.Part.AVERAGE).stream()
          .collect(Collectors.toMap(Tensor::name, t -> t));
      Tensor first = trainer.state(Trainer.Part.AVERAGE).get(0);
      float[] values = first.floats();
      values[0] = Float.NaN;
      nan.put(first.name(), Tensor.of(first.name(), first.shape(), values));
      refused(Kind.BAD_INPUT, "finite", () -> trainer.restore(Trainer.Part.AVERAGE, nan));
    }
    refused(Kind.USAGE, "learning rate", () -> new TrainOptions(TrainLoss.EDM, 1, 0, 0, 0, 0, 0, 0, 0, 0,
        Augmentation.NONE));
    refused(Kind.USAGE, "warm-up", () -> new TrainOptions(TrainLoss.EDM, 1, 1, -1, 0, 0, 0, 0, 0, 0,
        Augmentation.NONE));
    refused(Kind.USAGE, "final rate", () -> new TrainOptions(TrainLoss.EDM, 1, 1, 0, 10, 2, 0, 0, 0, 0,
        Augmentation.NONE));
    refused(Kind.USAGE, "label dropout", () -> new TrainOptions(TrainLoss.EDM, 1, 1, 0, 0, 0, 0, 0, 1.5, 0,
        Augmentation.NONE));
    refused(Kind.USAGE, "mean of the levels",
        () -> new TrainOptions(TrainLoss.EDM, 1, 1, 0, 0, 0, 0, 0, 0, 0, Augmentation.NONE, 11, 1));
    refused(Kind.USAGE, "deviation",
        () -> new TrainOptions(TrainLoss.EDM, 1, 1, 0, 0, 0, 0, 0, 0, 0, Augmentation.NONE, 0, 0));
    refused(Kind.USAGE, "edm, vp, ve", () -> TrainLoss.of("l2"));
  }

  private static void refused(Kind kind, String names, org.junit.jupiter.api.function.Executable call) {
    DiffcertException e = assertThrows(DiffcertException.class, call);
    assertEquals(kind, e.kind(), e.getMessage());
    assertTrue(e.getMessage().contains(names), e.getMessage());
  }

  @Test
  void closingTwiceIsFineAndAClosedTrainerSaysSo() {
    Trainer trainer = open(OPTIONS, 1, 2);
    Tensor lazy = trainer.state(Trainer.Part.WEIGHT).get(0);
    trainer.close();
    trainer.close();
    assertThrows(IllegalStateException.class, trainer::steps);
    assertThrows(IllegalStateException.class, lazy::floats);
    assertThrows(IllegalStateException.class, () -> trainer.step(new float[64], new int[] {0}));
  }
}
