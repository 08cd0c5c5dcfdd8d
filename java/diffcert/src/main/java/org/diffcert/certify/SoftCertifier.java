package org.diffcert.certify;

import java.util.Arrays;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.MeanBound;

/**
 * CERTIFY for mean scores instead of votes: a classifier whose scores say more than its winner can need fewer samples.
 * Noise is drawn as for votes. Holds no state of an image; as thread-safe as its classifier.
 */
public final class SoftCertifier {
  private final SoftClassifier classifier;
  private final NoiseLaw law;
  private final Sigma sigma;
  private final long seed;
  private final CertifyConfig config;
  private final MeanBound bound;

  /**
   * A certifier of one level.
   *
   * @param classifier the classifier; stays the caller's to close
   * @param law the law of the smoothing noise
   * @param sigma its standard deviation
   * @param seed key of the noise; fresh random bits unless a run is being repeated (S10)
   * @param config sample counts and error probability; all scores of one image are kept in memory
   * @param bound how means are bounded
   * @throws DiffcertException of kind USAGE if the number of samples is not fixed
   */
  public SoftCertifier(SoftClassifier classifier, NoiseLaw law, Sigma sigma, long seed, CertifyConfig config,
      MeanBound bound) {
    if (config.stop().kind() != Stopping.Kind.FIXED) {
      throw DiffcertException.usage("a soft certificate takes a fixed number of samples; its bounds do not hold where "
          + "sampling stops when they are good enough");
    }
    this.classifier = classifier;
    this.law = law;
    this.sigma = sigma;
    this.seed = seed;
    this.config = config;
    this.bound = bound;
  }

  /**
   * Certifies one image.
   *
   * <p>The statement. Let s_c(z) in [0,1] be the score that the classifier gives class c on the integer tensor z, and
   * G_c(x) the mean of s_c(x + N), the elements of N being independent draws of the law, rounded to the grid. With
   * probability at least 1 - alpha over the keyed noise of this call, taken as fair random numbers: the certificate
   * abstains, or G_predict(x') > G_c(x') for every other class c and every uint8 image x' of the same shape within one
   * of the certificate's integer distances of x. The scores may be computed in floating point: they are functions of
   * integers, whatever their rounding errors, so the statement holds for them as they are computed. It is about mean
   * scores, not about the class that wins most often. Else as {@link Certifier#certify}.
   *
   * @param image the image, of the classifier's shape
   * @param imageId its index in the data set, which keys the noise, at least 0
   * @return the certificate
   * @throws IllegalArgumentException if the image has another shape or the id is negative
   */
  public SoftCertificate certify(ByteImage image, int imageId) {
    if (!image.shape().equals(classifier.shape()) || imageId < 0) {
      throw new IllegalArgumentException(
          "image " + imageId + " has shape " + image.shape() + ", the classifier takes " + classifier.shape());
    }
    double[][] selection = scores(image, imageId, Phase.SELECT, config.n0());
    double[][] estimation = scores(image, imageId, Phase.ESTIMATE, config.n());
    return SoftCertificate.of(law, sigma, image.shape().elements(), selection, estimation, bound,
        config.alphaEach(1));
  }

  private double[][] scores(ByteImage image, int imageId, Phase phase, int count) {
    double[][] scores = new double[count][classifier.classes()];
    for (int start = 0; start < count; start += NoisyInputs.BATCH) {
      int end = Math.min(count, start + NoisyInputs.BATCH);
      NoisyInputs inputs = NoisyInputs.of(law, sigma, seed, image, imageId, phase, start, end);
      double[][] batch = Arrays.copyOfRange(scores, start, end);
      Arrays.stream(batch).forEach(row -> Arrays.fill(row, Double.NaN));
      classifier.scores(inputs.sums(), batch);
      for (int j = 0; j < batch.length; j++) {
        scores[start + j] = batch[j];
        if (!inputs.certain()[j]) {
          Arrays.fill(batch[j], Double.NaN);
        }
      }
    }
    return scores;
  }
}
