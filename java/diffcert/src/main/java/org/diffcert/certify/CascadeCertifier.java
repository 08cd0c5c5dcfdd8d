package org.diffcert.certify;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.image.ByteImage;
import org.diffcert.noise.Phase;

/**
 * CERTIFY of a cascade of smoothed classifiers over noise levels (Jeong and Shin 2023), with a certificate that is
 * exact. Keeps the votes of the image it was asked last, so that asking again, by another rule, draws none twice. For
 * one thread.
 */
public final class CascadeCertifier {
  private final CascadeVotes votes;
  private final CertifyConfig config;
  private final CascadeRule rule;
  private final List<VoteCounter> counters = new ArrayList<>();
  private Drawn drawn;

  /** The votes of one image so far: selection of every stage, estimation of the first ones. */
  private static final class Drawn {
    private final ByteImage image;
    private final int imageId;
    private final List<VoteCounter.Count> selection = new ArrayList<>();
    private final List<VoteCounter.Count> estimation = new ArrayList<>();

    Drawn(ByteImage image, int imageId) {
      this.image = image;
      this.imageId = imageId;
    }

    boolean isOf(ByteImage other, int otherId) {
      return imageId == otherId && image.equals(other);
    }
  }

  /**
   * A certificate and what it took.
   *
   * @param certificate the certificate
   * @param calls network calls of the samples counted in it, whether or not they had been drawn before
   */
  public record Found(CascadeCertificate certificate, long calls) {}

  /**
   * A certifier.
   *
   * @param votes the votes of every stage; stays the caller's to close
   * @param cascade threshold and walk
   * @param config sample counts and error probability
   * @throws DiffcertException of kind USAGE if the number of samples is not fixed
   */
  public CascadeCertifier(CascadeVotes votes, Cascade cascade, CertifyConfig config) {
    this.votes = votes;
    this.config = config;
    this.rule = new CascadeRule(cascade, votes.sigmas(), votes.classes(), config);
    for (int stage = 0; stage < votes.stages(); stage++) {
      counters.add(new VoteCounter(votes.stage(stage), 0));
    }
  }

  /**
   * The rule of its certificates.
   *
   * @return the rule
   */
  public CascadeRule rule() {
    return rule;
  }

  /**
   * Certifies one image.
   *
   * <p>The statement. Let f_k be the base classifier of stage k on the integer grid (see {@link Certifier#certify}),
   * N_k Gaussian noise of the stage's sigma, rounded to the grid, P_k(c, x) the probability of f_k(x + N_k) = c. Let
   * G(x), the certified function, be the answer of the first stage, from the largest sigma down, that answers: a stage
   * answers class c at x if P_k(c, x) is above p0, and passes if no class is. G has no answer where all stages pass.
   * With probability at least 1 - alpha over the keyed noise of this call, taken as fair random numbers, the
   * certificate abstains, or G(x') = {@code predict} for every uint8 image x' of the same shape with sum over pixels of
   * (x' - x)^2 at most {@code integerRadius}; equivalently, for every uint8 x' within L2 distance {@code radius} in
   * [0,1] units.
   *
   * <p>What it does not state. It is about G, which is a deterministic function of the image that nobody can evaluate
   * exactly: not about {@link CascadeCertificate#deployed}, which is drawn at random, nor about any stage for itself:
   * within the radius an earlier stage may pass at one image and answer at another, as long as it answers the class.
   * Otherwise as at {@link Certifier#certify}. docs/spec/cascade.md derives the radius.
   *
   * @param image the image, of the source's shape
   * @param imageId its index in the data set, which keys the noise, at least 0
   * @param progress told after each chunk of samples; a phase's total is that of all stages
   * @param cancelled asked before each chunk; once true, the call ends with an exception of kind INTERRUPTED
   * @return the certificate
   * @throws IllegalArgumentException if the image has another shape or the id is negative
   * @throws DiffcertException of kind INTERRUPTED if cancelled
   */
  public Found certify(ByteImage image, int imageId, ProgressListener progress, BooleanSupplier cancelled) {
    return certify(rule, image, imageId, progress, cancelled);
  }

  /**
   * The same without progress and without a way to stop.
   *
   * @param image the image, of the source's shape
   * @param imageId its index in the data set, at least 0
   * @return the certificate
   */
  public CascadeCertificate certify(ByteImage image, int imageId) {
    return certify(image, imageId, ProgressListener.NONE, () -> false).certificate();
  }

  /**
   * Certifies one image by another rule over the same stages and samples, such as one with another p0. If the image is
   * the one asked last, votes that were drawn then are not drawn again. Each certificate holds with its own alpha; a
   * choice among several needs a family ({@link CertifyConfig#withFamily}).
   *
   * @param other the rule, for the same sigmas and classes
   * @param image the image, of the source's shape
   * @param imageId its index in the data set, which keys the noise, at least 0
   * @param progress told after each chunk of samples
   * @param cancelled asked before each chunk; once true, the call ends with an exception of kind INTERRUPTED
   * @return the certificate
   * @throws IllegalArgumentException if the image has another shape or the id is negative
   * @throws DiffcertException of kind INTERRUPTED if cancelled
   */
  public Found certify(CascadeRule other, ByteImage image, int imageId, ProgressListener progress,
      BooleanSupplier cancelled) {
    if (!image.shape().equals(votes.shape()) || imageId < 0) {
      throw new IllegalArgumentException(
          "image " + imageId + " has shape " + image.shape() + ", the classifier takes " + votes.shape());
    }
    if (drawn == null || !drawn.isOf(image, imageId)) {
      drawn = new Drawn(image, imageId);
    }
    long calls = 0;
    for (int stage = 0; stage < votes.stages(); stage++) {
      calls += draw(drawn.selection, stage, Phase.SELECT, config.n0(), progress, cancelled).calls();
    }
    List<CascadeStage> stages = new ArrayList<>();
    do {
      int stage = stages.size();
      VoteCounter.Count estimated = draw(drawn.estimation, stage, Phase.ESTIMATE, config.n(), progress, cancelled);
      calls += estimated.calls();
      stages.add(other.stage(stage, only(drawn.selection.get(stage)), only(estimated)));
    } while (other.goesOn(stages));
    List<Histogram> unseen =
        drawn.selection.subList(stages.size(), votes.stages()).stream().map(CascadeCertifier::only).toList();
    return new Found(other.certificate(stages, unseen), calls);
  }

  /** The votes of a stage in a phase, drawn if they have not been yet. */
  private VoteCounter.Count draw(List<VoteCounter.Count> known, int stage, Phase phase, int samples,
      ProgressListener progress, BooleanSupplier cancelled) {
    if (known.size() == stage) {
      int before = stage * samples;
      known.add(counters.get(stage).count(drawn.image, drawn.imageId, phase, samples,
          (during, done, total) -> progress.samples(during, before + done, votes.stages() * samples), cancelled));
    }
    return known.get(stage);
  }

  private static Histogram only(VoteCounter.Count count) {
    return count.histograms().get(0);
  }
}
