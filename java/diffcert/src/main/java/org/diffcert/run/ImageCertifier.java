package org.diffcert.run;

import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.certify.CascadeCertifier;
import org.diffcert.certify.CascadeVotes;
import org.diffcert.certify.Certification;
import org.diffcert.certify.Certifier;
import org.diffcert.certify.ProgressListener;
import org.diffcert.certify.VoteSource;
import org.diffcert.image.ImageData;

/**
 * Certifies images as a run's header says, each sigma for itself or all as a cascade: what a run and the check of its
 * votes share. For one thread.
 */
public final class ImageCertifier {
  private final Certifier plain;
  private final CascadeCertifier cascade;

  /**
   * A certifier of a run's images.
   *
   * @param source the votes, those of a cascade if the header has one; stays the caller's to close
   * @param header the run
   * @throws DiffcertException of kind USAGE as {@link Certifier} and {@link CascadeCertifier}
   * @throws IllegalArgumentException if the header has a cascade and the source is none
   */
  public ImageCertifier(VoteSource source, RunHeader header) {
    if (header.cascade().isEmpty()) {
      plain = new Certifier(source, header.config());
      cascade = null;
    } else if (source instanceof CascadeVotes votes) {
      plain = null;
      cascade = new CascadeCertifier(votes, header.cascade().get(), header.config());
    } else {
      throw new IllegalArgumentException("a cascade takes votes of each scale for itself");
    }
  }

  /**
   * Certifies an image.
   *
   * @param data the images
   * @param image which of them
   * @param progress told after each chunk of samples
   * @param cancelled asked before each chunk; once true, the call ends with an exception of kind INTERRUPTED
   * @return its record
   * @throws DiffcertException of kind INTERRUPTED if cancelled
   */
  public RunRecord certify(ImageData data, int image, ProgressListener progress, BooleanSupplier cancelled) {
    long start = System.nanoTime();
    if (cascade != null) {
      CascadeCertifier.Found found = cascade.certify(data.image(image), image, progress, cancelled);
      return RunRecord.of(image, data.label(image), found.certificate(), found.calls(), since(start), Instant.now());
    }
    Certification found = plain.count(data.image(image), image, progress, cancelled);
    return new RunRecord(image, data.label(image), found.certificates(), found.calls(), since(start), Instant.now());
  }

  private static Duration since(long start) {
    return Duration.ofNanos(System.nanoTime() - start);
  }
}
