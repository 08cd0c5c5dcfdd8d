package org.diffcert.certify;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.noise.Phase;

/**
 * CERTIFY under Gaussian, uniform or Laplace noise, with certificates in the L1, L2 and LINF norm. The number of
 * samples is fixed. Holds no state of an image; as thread-safe as its vote source.
 */
public final class NormCertifier {
  private final VoteSource source;
  private final CertifyConfig config;
  private final VoteCounter counter;

  /**
   * A certifier whose calls of the vote source take about a second each.
   *
   * @param source the votes; stays the caller's to close
   * @param config sample counts and error probability
   * @throws DiffcertException of kind USAGE if the number of samples is not fixed
   */
  public NormCertifier(VoteSource source, CertifyConfig config) {
    if (config.stop().kind() != Stopping.Kind.FIXED) {
      throw DiffcertException.usage("radii to stop at are L2 radii of Gaussian noise; a certificate in every norm "
          + "takes a fixed number of samples");
    }
    this.source = source;
    this.config = config;
    this.counter = new VoteCounter(source, 0);
  }

  /**
   * Certifies one image at every sigma of the source, in every norm.
   *
   * <p>The statement. Let f be the base classifier behind the vote source, on the integer grid, and g(x) the class that
   * f(x + N) gives most often, the elements of N being independent draws of the source's law, rounded to the grid. With
   * probability at least 1 - alpha over the keyed noise of this call, taken as fair random numbers, for every sigma and
   * every norm at once: the certificate abstains, or g(x') = {@code predict} for every uint8 image x' of the same shape
   * that is within the certificate's integer distance of x, be it the sum of absolute differences, the sum of squared
   * differences, or the largest difference; these include all x' within the real radius of that norm. What is not
   * stated is said at {@link Certifier#certify}; docs/spec/norms.md has the proofs.
   *
   * @param image the image, of the source's shape
   * @param imageId its index in the data set, which keys the noise, at least 0
   * @param progress told after each chunk of samples
   * @param cancelled asked before each chunk; once true, the call ends with an exception of kind INTERRUPTED
   * @return one certificate a sigma, in the source's order, each at level alpha over the size of the family
   * @throws IllegalArgumentException if the image has another shape or the id is negative
   * @throws DiffcertException of kind INTERRUPTED if cancelled
   */
  public List<NormCertificate> certify(ByteImage image, int imageId, ProgressListener progress,
      BooleanSupplier cancelled) {
    if (!image.shape().equals(source.shape()) || imageId < 0) {
      throw new IllegalArgumentException(
          "image " + imageId + " has shape " + image.shape() + ", the classifier takes " + source.shape());
    }
    List<Histogram> selection =
        counter.count(image, imageId, Phase.SELECT, config.n0(), progress, cancelled).histograms();
    List<Histogram> estimation =
        counter.count(image, imageId, Phase.ESTIMATE, config.n(), progress, cancelled).histograms();
    double alpha = config.alphaEach(source.sigmas().size());
    List<NormCertificate> certificates = new ArrayList<>();
    for (int s = 0; s < selection.size(); s++) {
      certificates.add(NormCertificate.of(source.law(), source.sigmas().get(s), image.shape().elements(),
          selection.get(s), estimation.get(s), alpha));
    }
    return certificates;
  }

  /**
   * The same without progress and without a way to stop.
   *
   * @param image the image, of the source's shape
   * @param imageId its index in the data set, at least 0
   * @return one certificate a sigma
   */
  public List<NormCertificate> certify(ByteImage image, int imageId) {
    return certify(image, imageId, ProgressListener.NONE, () -> false);
  }
}
