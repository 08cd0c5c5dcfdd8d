package org.diffcert.diffusion;

import org.diffcert.DiffcertException;

/**
 * What a training is, but for its network and its images: with those it determines every weight to the bit. Adam's
 * constants are the published ones, 0.9, 0.999 and 1e-8. Immutable.
 *
 * @param loss what is made small
 * @param seed of initial weights, noise levels, noise, dropouts and augmentation
 * @param learningRate Adam's rate after the warm-up, above 0
 * @param warmupImages the rate grows from 0 in so many images; 0 = no warm-up
 * @param decayImages and falls, as half a cosine, to the final rate at so many images seen; 0 = it does not fall
 * @param finalRate the rate from there on, 0 to the learning rate; not read where the rate does not fall
 * @param averageImages half-life of the weights' running average in images, 0 or more
 * @param averageShare but at most this share of the images seen so far; 0 = no limit
 * @param labelDropout probability that an image is shown without its label, 0 to 1
 * @param dropout of features within each residual block, 0 to {@link #MOST_DROPOUT}; 0 = none
 * @param augmentation how images are changed; the network is told by labels, which {@link Trainer#step(float[], int[],
 *     float[])} takes
 * @param levelMean mean of ln sigma under the EDM loss, -10 to 10; the others do not read it
 * @param levelDeviation its standard deviation, above 0 and at most 10
 */
public record TrainOptions(TrainLoss loss, long seed, double learningRate, double warmupImages, double decayImages,
    double finalRate, double averageImages, double averageShare, double labelDropout, double dropout,
    Augmentation augmentation, double levelMean, double levelDeviation) {
  /** The most that is dropped of features. */
  public static final double MOST_DROPOUT = 0.9;
  /** The published mean of ln sigma under the EDM loss. */
  public static final double LEVEL_MEAN = -1.2;
  /** Its published standard deviation. */
  public static final double LEVEL_DEVIATION = 1.2;
  /** Adam's decay of the first moment. */
  static final double BETA_1 = 0.9;
  /** Adam's decay of the second moment. */
  static final double BETA_2 = 0.999;
  /** Adam's term against division by nothing. */
  static final double EPSILON = 1e-8;

  /**
   * Checks the ranges.
   *
   * @param loss what is made small
   * @param seed of initial weights, noise levels, noise, dropouts and augmentation
   * @param learningRate Adam's rate after the warm-up, above 0
   * @param warmupImages the rate grows from 0 in so many images; 0 = no warm-up
   * @param decayImages and falls, as half a cosine, to the final rate at so many images seen; 0 = it does not fall
   * @param finalRate the rate from there on, 0 to the learning rate; not read where the rate does not fall
   * @param averageImages half-life of the weights' running average in images, 0 or more
   * @param averageShare but at most this share of the images seen so far; 0 = no limit
   * @param labelDropout probability that an image is shown without its label, 0 to 1
   * @param dropout of features within each residual block, 0 to {@link #MOST_DROPOUT}
   * @param augmentation how images are changed
   * @param levelMean mean of ln sigma under the EDM loss, -10 to 10; the others do not read it
   * @param levelDeviation its standard deviation, above 0 and at most 10
   * @throws DiffcertException of kind USAGE if a value is out of its range
   */
  public TrainOptions {
    check(learningRate > 0 && Double.isFinite(learningRate), "learning rate", learningRate, "positive and finite");
    check(warmupImages >= 0 && Double.isFinite(warmupImages), "warm-up", warmupImages,
        "a finite number of images, 0 or more");
    check(decayImages >= 0 && Double.isFinite(decayImages), "fall of the rate", decayImages,
        "a finite number of images, 0 or more");
    check(finalRate >= 0 && finalRate <= learningRate, "final rate", finalRate, "from 0 to the learning rate");
    check(averageImages >= 0 && Double.isFinite(averageImages), "half-life of the average", averageImages,
        "a finite number of images, 0 or more");
    check(averageShare >= 0 && Double.isFinite(averageShare), "share of the average", averageShare,
        "finite, 0 or more");
    check(labelDropout >= 0 && labelDropout <= 1, "label dropout", labelDropout, "0 to 1");
    check(dropout >= 0 && dropout <= MOST_DROPOUT, "dropout", dropout, "0 to " + MOST_DROPOUT);
    check(Math.abs(levelMean) <= 10, "mean of the levels", levelMean, "-10 to 10");
    check(levelDeviation > 0 && levelDeviation <= 10, "deviation of the levels", levelDeviation,
        "above 0 and at most 10");
  }

  /**
   * The same on the published levels.
   *
   * @param loss what is made small
   * @param seed of initial weights, noise levels, noise and dropped labels
   * @param learningRate Adam's rate after the warm-up, above 0
   * @param warmupImages the rate grows from 0 in so many images; 0 = no warm-up
   * @param decayImages and falls, as half a cosine, to the final rate at so many images seen; 0 = it does not fall
   * @param finalRate the rate from there on, 0 to the learning rate; not read where the rate does not fall
   * @param averageImages half-life of the weights' running average in images, 0 or more
   * @param averageShare but at most this share of the images seen so far; 0 = no limit
   * @param labelDropout probability that an image is shown without its label, 0 to 1
   * @param dropout of features within each residual block, 0 to {@link #MOST_DROPOUT}
   * @param augmentation how images are changed
   * @throws DiffcertException of kind USAGE if a value is out of its range
   */
  public TrainOptions(TrainLoss loss, long seed, double learningRate, double warmupImages, double decayImages,
      double finalRate, double averageImages, double averageShare, double labelDropout, double dropout,
      Augmentation augmentation) {
    this(loss, seed, learningRate, warmupImages, decayImages, finalRate, averageImages, averageShare, labelDropout,
        dropout, augmentation, LEVEL_MEAN, LEVEL_DEVIATION);
  }

  private static void check(boolean ok, String what, double value, String range) {
    if (!ok) {
      throw DiffcertException.usage("The " + what + " of a training must be " + range + ", not " + value + ".");
    }
  }
}
