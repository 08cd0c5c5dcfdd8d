package org.diffcert.certify;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.noise.Phase;

/** PREDICT of randomized smoothing (Cohen et al. 2019) over a source of votes. As thread-safe as its vote source. */
public final class Predictor {
  private final VoteSource source;
  private final int n;
  private final double alpha;
  private final VoteCounter counter;

  /**
   * Creates a predictor.
   *
   * @param source the votes; stays the caller's to close
   * @param n samples an image, 1 to {@link CertifyConfig#MOST_SAMPLES}
   * @param alpha probability of error of an image's predictions together, above 0 and below 1
   */
  public Predictor(VoteSource source, int n, double alpha) {
    if (n < 1 || n > CertifyConfig.MOST_SAMPLES) {
      throw DiffcertException.usage("n is " + n + ", must be 1 to " + CertifyConfig.MOST_SAMPLES);
    }
    if (!(alpha > 0 && alpha < 1)) {
      throw DiffcertException.usage("alpha is " + alpha + ", must be above 0 and below 1");
    }
    this.source = source;
    this.n = n;
    this.alpha = alpha;
    this.counter = new VoteCounter(source, 0);
  }

  /**
   * Predicts one image at every sigma of the source. With probability at least 1 - alpha over the keyed noise, each
   * prediction of the list is the smoothed classifier's class at the image or an abstention; alpha is divided by the
   * number of sigmas.
   *
   * @param image the image, of the source's shape
   * @param imageId its index in the data set, which keys the noise, at least 0
   * @param progress told after each chunk of samples
   * @param cancelled asked before each chunk; once true, the call ends with an exception of kind INTERRUPTED
   * @return one prediction a sigma, in the source's order
   * @throws IllegalArgumentException if the image has another shape or the id is negative
   */
  public List<Prediction> predict(ByteImage image, int imageId, ProgressListener progress, BooleanSupplier cancelled) {
    if (!image.shape().equals(source.shape()) || imageId < 0) {
      throw new IllegalArgumentException(
          "image " + imageId + " has shape " + image.shape() + ", the classifier takes " + source.shape());
    }
    List<Histogram> votes = counter.count(image, imageId, Phase.PREDICT, n, progress, cancelled).histograms();
    List<Prediction> predictions = new ArrayList<>();
    for (int s = 0; s < votes.size(); s++) {
      predictions.add(Prediction.of(source.sigmas().get(s), votes.get(s), alpha / votes.size()));
    }
    return predictions;
  }
}
