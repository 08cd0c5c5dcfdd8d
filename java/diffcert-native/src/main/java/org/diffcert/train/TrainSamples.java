package org.diffcert.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.analyze.Pictures;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.ImageSampler;
import org.diffcert.diffusion.OdeSolver;
import org.diffcert.diffusion.Trainer;
import org.diffcert.file.Durable;
import org.diffcert.image.ByteImage;
import org.diffcert.model.Model;

/**
 * {@code samples.png}: images that the average of a training draws, a column a class, from the same noise in every
 * training; what {@code diffcert sample} draws with the same model. Only reads the trainer. Not for several threads.
 */
final class TrainSamples {
  static final String FILE = "samples.png";
  private static final int LEVELS = 18;
  private static final int SEED = 0;
  private static final int MOST_COLUMNS = 20;
  private static final int GAP = 2;
  /** While the training goes on, drawing takes about this share of its time. */
  private static final double SHARE = 0.01;
  /** A step goes forwards, back by the features and back by the weights, each about as long. */
  private static final double FORWARD_SHARE = 1.0 / 3;

  private final Path directory;
  private final DeviceOptions device;
  private final int[] labels;
  private final int columns;

  /** rows: images of a class, 0 = nothing is drawn. */
  TrainSamples(Path directory, TrainPlan plan, DeviceOptions device, int rows) {
    int classes = plan.config().classes();
    this.directory = directory;
    this.device = device.withRowBytes(0);
    this.columns = classes > 1 ? Math.min(classes, MOST_COLUMNS) : Math.max(1, rows);
    this.labels = IntStream.range(0, rows * columns).map(i -> classes == 0 ? -1 : i % Math.min(classes, columns))
        .toArray();
  }

  /**
   * Whether so many seconds since they were last drawn are enough for drawing them again.
   *
   * @param since seconds
   * @param secondsAnImage what an image takes in training
   */
  boolean due(double since, double secondsAnImage) {
    double drawing = labels.length * (2.0 * LEVELS - 1) * FORWARD_SHARE * secondsAnImage;
    return labels.length > 0 && SHARE * since >= drawing;
  }

  /** Draws the sheet; once stop is true, throws an exception of kind INTERRUPTED instead. */
  void draw(Trainer trainer, BooleanSupplier stop) throws IOException {
    if (labels.length == 0) {
      return;
    }
    try (Model average = trainer.model(); DiffusionModel model = DiffusionModel.open(average, device)) {
      List<ByteImage> images = new ImageSampler(model, OdeSolver.HEUN, LEVELS, SEED).draw(labels, drawn -> {
        if (stop.getAsBoolean()) {
          throw new DiffcertException(Kind.INTERRUPTED, "stopped after step " + trainer.steps()
              + "; the same command goes on from there");
        }
      });
      Durable.replace(directory.resolve(FILE), Pictures.sheet(images, columns, GAP));
    }
  }
}
