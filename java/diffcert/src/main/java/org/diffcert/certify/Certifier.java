package org.diffcert.certify;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Phase;
import org.diffcert.stats.StopRule;

/**
 * CERTIFY of randomized smoothing (Cohen et al. 2019) over a source of votes: two phases on disjoint noise (S17), exact
 * bounds, everything rounded down. Holds no state of an image; as thread-safe as its vote source.
 */
public final class Certifier {
  private final VoteSource source;
  private final CertifyConfig config;
  private final List<StopRule> rules;
  private final VoteCounter counter;

  /**
   * A certifier whose calls of the vote source take about a second each.
   *
   * @param source the votes; stays the caller's to close
   * @param config sample counts and error probability
   * @throws DiffcertException of kind USAGE if the source's noise is not Gaussian, or {@link CertifyConfig#rules}
   *     refuses
   */
  public Certifier(VoteSource source, CertifyConfig config) {
    this(source, config, 0);
  }

  /**
   * A certifier with calls of a given size.
   *
   * @param source the votes; stays the caller's to close
   * @param config sample counts and error probability
   * @param chunk samples of one call of the vote source, or 0 for about a second's work; results do not depend on it
   * @throws DiffcertException of kind USAGE if the chunk is negative, the source's noise is not Gaussian, or
   *     {@link CertifyConfig#rules} refuses
   */
  public Certifier(VoteSource source, CertifyConfig config, int chunk) {
    if (chunk < 0) {
      throw DiffcertException.usage("the chunk is " + chunk + " samples, must be at least 0");
    }
    if (source.law() != NoiseLaw.GAUSSIAN) {
      throw DiffcertException.usage("the L2 radius of a certificate is that of Gaussian noise, but the votes are cast "
          + "under " + source.law().cliName() + " noise; certify them with NormCertifier");
    }
    this.source = source;
    this.config = config;
    this.rules = config.rules(source.sigmas());
    this.counter = new VoteCounter(source, chunk);
  }

  /**
   * Certifies one image at every sigma of the source.
   *
   * <p>The statement. Let f be the base classifier behind the vote source, on the integer grid: it takes an integer
   * tensor (image plus integer noise, both in 8-bit units; clipping, scaling and everything later are part of f). Let
   * g(x) be the class that f(x + N) gives most often, N being Gaussian noise of standard deviation sigma, rounded to
   * the grid. With probability at least 1 - alpha over the keyed noise of this call, taken as fair random numbers,
   * <em>all</em> certificates of the returned list are true at once, a certificate being true if it abstains or if
   * g(x') = {@code predict} for every uint8 image x' of the same shape with sum over pixels of (x' - x)^2 at most
   * {@code integerRadius}; equivalently, for every uint8 x' with L2 distance to x at most {@code radius} in [0,1]
   * units.
   *
   * <p>This holds for every rule for stopping. A sequential or staged rule looks at the votes while they come and stops
   * where it likes, and its lower bound holds wherever that is: the probability that there is any number of samples, up
   * to the cap, at which the bound of a sigma is above the candidate's probability is at most that sigma's share of
   * alpha. So the radius is that of the bound where sampling ended, at least every radius that the rule found to be
   * reached, and a certificate that was stopped because a radius cannot be reached is as true as any other. Giving up
   * is a decision that can be wrong, too, but none that a certificate states: with the sequential rule, the same alpha
   * bounds the probability of a false bound and of giving up a radius that the true probability, being at least
   * Phi(radius / sigma), allows, both together; with the staged rule it bounds either. The samples that choose the
   * class take no part in the bound (S17).
   *
   * <p>What it does not state. It is about g, not about f nor about a prediction made with few samples; about images on
   * the uint8 grid, not about real-valued inputs (S1); about each image separately: of many rows, an expected share of
   * up to alpha may be false, and to have all of them true at once, alpha has to be divided by their number (S26,
   * {@link CertifyConfig#withFamily}). With a vote source of float noise it states none of this (S2). With base
   * classifiers that draw noise of their own, f is the random function whose draws are keyed by the sample (S13). With
   * a seed known before the model was made, the noise is not random to the model's maker (S10).
   *
   * @param image the image, of the source's shape
   * @param imageId its index in the data set, which keys the noise, at least 0
   * @param progress told after each chunk of samples
   * @param cancelled asked before each chunk; once true, the call ends with an exception of kind INTERRUPTED
   * @return one certificate a sigma, in the source's order, each at level alpha over the size of the family
   * @throws IllegalArgumentException if the image has another shape or the id is negative
   * @throws DiffcertException of kind INTERRUPTED if cancelled
   */
  public List<Certificate> certify(ByteImage image, int imageId, ProgressListener progress, BooleanSupplier cancelled) {
    return count(image, imageId, progress, cancelled).certificates();
  }

  /**
   * The same, with the network calls that it took.
   *
   * @param image the image, of the source's shape
   * @param imageId its index in the data set, which keys the noise, at least 0
   * @param progress told after each chunk of samples
   * @param cancelled asked before each chunk; once true, the call ends with an exception of kind INTERRUPTED
   * @return the certificates of {@link #certify(ByteImage, int, ProgressListener, BooleanSupplier)} and their cost
   * @throws IllegalArgumentException if the image has another shape or the id is negative
   * @throws DiffcertException of kind INTERRUPTED if cancelled
   */
  public Certification count(ByteImage image, int imageId, ProgressListener progress, BooleanSupplier cancelled) {
    if (!image.shape().equals(source.shape()) || imageId < 0) {
      throw new IllegalArgumentException(
          "image " + imageId + " has shape " + image.shape() + ", the classifier takes " + source.shape());
    }
    VoteCounter.Count selected = counter.count(image, imageId, Phase.SELECT, config.n0(), progress, cancelled);
    List<Histogram> selection = selected.histograms();
    int[] candidates = selection.stream().mapToInt(Histogram::top).toArray();
    VoteCounter.Count estimated = counter.count(image, imageId, Phase.ESTIMATE, rules, candidates, progress, cancelled);
    List<Histogram> estimation = estimated.histograms();
    List<Certificate> certificates = new ArrayList<>();
    for (int s = 0; s < selection.size(); s++) {
      certificates.add(Certificate.of(source.sigmas().get(s), selection.get(s), estimation.get(s),
          rules.get(s)));
    }
    return new Certification(certificates, selected.calls() + estimated.calls());
  }

  /**
   * The same without progress and without a way to stop.
   *
   * @param image the image, of the source's shape
   * @param imageId its index in the data set, at least 0
   * @return one certificate a sigma
   */
  public List<Certificate> certify(ByteImage image, int imageId) {
    return certify(image, imageId, ProgressListener.NONE, () -> false);
  }
}
