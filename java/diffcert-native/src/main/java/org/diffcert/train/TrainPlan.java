package org.diffcert.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.Augmentation;
import org.diffcert.diffusion.TrainOptions;
import org.diffcert.file.Json;
import org.diffcert.image.ImageData;
import org.diffcert.image.ImageShape;
import org.diffcert.model.NetworkConfig;
import org.diffcert.run.ImageRange;

/**
 * What is trained on what: with the machine and the build it determines every loss to the bit. How long, and how it is
 * computed, is not part of it.
 *
 * @param config the network
 * @param options loss, seed, rates
 * @param batch images of a step, at least 1
 * @param data the images; the caller's, open while the plan is carried out
 * @param images which of them
 * @param distillation by whom it is taught; empty where it learns from the images themselves
 * @param calibration how it is fine-tuned for a cascade; empty where it is trained
 */
public record TrainPlan(NetworkConfig config, TrainOptions options, int batch, ImageData data, ImageRange images,
    Optional<Distillation> distillation, Optional<Calibration> calibration) {
  /** The most images of a step. */
  public static final int LARGEST_BATCH = 1 << 20;

  /**
   * Checks that network and images fit; the network's training options become those that are in force: label dropout
   * and dropout as given, a place for augmentation labels where images are augmented.
   *
   * @param config the network
   * @param options loss, seed, rates
   * @param batch images of a step
   * @param data the images
   * @param images which of them
   * @param distillation by whom it is taught; empty where it learns from the images themselves
   * @param calibration how it is fine-tuned for a cascade; empty where it is trained
   * @throws DiffcertException of kind USAGE if the batch is out of range, the images have another shape than the
   *     network's, or more classes, or the network has other classes than its teacher, or a teacher's images are
   *     augmented, or the network has a place for other augmentation labels
   */
  public TrainPlan {
    if (batch < 1 || batch > LARGEST_BATCH) {
      throw DiffcertException.usage("a batch of " + batch + " is out of range: it has 1 to " + LARGEST_BATCH
          + " images");
    }
    ImageShape wanted = new ImageShape(config.imgChannels(), config.imgResolution(), config.imgResolution());
    if (!data.shape().equals(wanted)) {
      throw DiffcertException.usage("the images of " + data.name() + " are " + data.shape() + ", the network is for "
          + wanted);
    }
    int classes = config.classes();
    if (distillation.isPresent()
        && (!config.multiHead() || classes != distillation.get().teacher().config().classes())) {
      throw DiffcertException.usage("the network has heads for " + (config.multiHead() ? classes : 0)
          + " classes, its teacher knows " + distillation.get().teacher().config().classes());
    }
    if (classes > 0 && data.classNames().size() > classes) {
      throw DiffcertException.usage("the images of " + data.name() + " have " + data.classNames().size()
          + " classes, the network knows "
          + classes);
    }
    Json json = config.toJson().put("dropout", options.dropout()).put("label_dropout", options.labelDropout());
    if (options.augmentation().on()) {
      if (distillation.isPresent() || calibration.isPresent()) {
        throw DiffcertException.usage("a network that another one teaches sees images as they are: no augmentation");
      }
      if (config.augmentDim() != 0 && config.augmentDim() != Augmentation.LABELS) {
        throw DiffcertException.usage("the network has a place for augmentation labels of " + config.augmentDim()
            + " numbers, they have " + Augmentation.LABELS);
      }
      json.put("augment_dim", Augmentation.LABELS);
    }
    config = NetworkConfig.parse(config.precond().published(), json);
  }

  /**
   * A training, or a distillation.
   *
   * @param config the network
   * @param options loss, seed, rates
   * @param batch images of a step
   * @param data the images
   * @param images which of them
   * @param distillation by whom it is taught; empty where it learns from the images themselves
   * @throws DiffcertException as the other constructor
   */
  public TrainPlan(NetworkConfig config, TrainOptions options, int batch, ImageData data, ImageRange images,
      Optional<Distillation> distillation) {
    this(config, options, batch, data, images, distillation, Optional.empty());
  }

  /** What identifies the training; kept in its directory. */
  Json header() {
    Json header = Json.object().put("format", "diffcert training 1").put("precond", config.precond().published())
        .put("config", config.toJson())
        .put("loss", options.loss().cliName()).put("seed", Long.toUnsignedString(options.seed())).put("batch", batch)
        .put("learning_rate", options.learningRate()).put("warmup_images", options.warmupImages())
        .put("decay_images", options.decayImages()).put("final_rate", options.finalRate())
        .put("average_images", options.averageImages()).put("average_share", options.averageShare())
        .put("label_dropout", options.labelDropout()).put("data", data.name()).put("data_digest", data.digest())
        .put("images", images.from() + ":" + images.to() + ":" + images.step());
    if (options.augmentation().on()) {
      header.put("augment", options.augmentation().probability()).put("augment_parts", options.augmentation().names());
    }
    if (options.levelMean() != TrainOptions.LEVEL_MEAN || options.levelDeviation() != TrainOptions.LEVEL_DEVIATION) {
      header.put("level_mean", options.levelMean()).put("level_deviation", options.levelDeviation());
    }
    distillation.ifPresent(by -> header.put("teacher", by.teacher().digest()).put("heads_per_image", by.headsPerImage())
        .put("begins", by.fromTeacher() ? "with the teacher's weights" : "with drawn weights"));
    calibration.ifPresent(by -> by.describe(header));
    return header;
  }

  /** How another header differs from this plan's: a phrase a key, none where it is the same training. */
  List<String> differences(Json there) {
    List<String> differences = new ArrayList<>();
    header().members().forEach((key, value) -> {
      String other = there.has(key) ? there.get(key).write() : "missing";
      if (!other.equals(value.write())) {
        differences.add(key + " is " + other + " there and " + value.write() + " here");
      }
    });
    there.members().forEach((key, value) -> {
      if (!header().has(key)) {
        differences.add(key + " is " + value.write() + " there and missing here");
      }
    });
    return differences;
  }
}
