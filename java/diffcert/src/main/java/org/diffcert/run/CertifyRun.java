package org.diffcert.run;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.diffcert.DiffcertException;
import org.diffcert.certify.Cascade;
import org.diffcert.certify.CascadeVotes;
import org.diffcert.certify.Certifier;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.certify.VoteSource;
import org.diffcert.image.ImageData;

/**
 * A certification run from end to end: the images of a range in order, each recorded before the next begins, those of
 * an earlier, interrupted run skipped; tables and report at the end. For one thread.
 */
public final class CertifyRun {
  private final ImageCertifier certifier;
  private final ImageData data;
  private final RunHeader header;
  private final Origin origin;

  /**
   * Prepares a run and checks that its parts fit each other.
   *
   * @param source the votes; stays the caller's to close
   * @param data the images; stays the caller's to close
   * @param images which of them
   * @param config sample counts and error probability
   * @param library version of this library
   * @param nativeBuild version of the native library, empty where there is none
   * @param device what the votes are computed on, as far as it can change their bits
   * @param origin where the run is begun, recorded and never compared
   * @throws DiffcertException of kind USAGE if shapes, numbers of classes or the range do not fit
   */
  public CertifyRun(VoteSource source, ImageData data, ImageRange images, CertifyConfig config, String library,
      String nativeBuild, String device, Origin origin) {
    this(source, data, images, config, Optional.empty(), library, nativeBuild, device, origin);
  }

  /**
   * Prepares a run of single sigmas or of a cascade over them, and checks that its parts fit each other.
   *
   * @param source the votes; stays the caller's to close
   * @param data the images; stays the caller's to close
   * @param images which of them
   * @param config sample counts and error probability
   * @param cascade threshold and walk of a cascade, for which the source must be {@link CascadeVotes}; empty for none
   * @param library version of this library
   * @param nativeBuild version of the native library, empty where there is none
   * @param device what the votes are computed on, as far as it can change their bits
   * @param origin where the run is begun, recorded and never compared
   * @throws DiffcertException of kind USAGE if shapes, numbers of classes or the range do not fit, or a cascade is not
   *     to take a fixed number of samples
   * @throws IllegalArgumentException if there is a cascade and the source is none
   */
  public CertifyRun(VoteSource source, ImageData data, ImageRange images, CertifyConfig config,
      Optional<Cascade> cascade, String library, String nativeBuild, String device, Origin origin) {
    if (!source.shape().equals(data.shape())) {
      throw DiffcertException.usage(
          "the classifier takes images of " + source.shape() + ", " + data.name() + " has " + data.shape());
    }
    if (source.classes() != data.classNames().size()) {
      throw DiffcertException.usage("the classifier has " + source.classes() + " classes, " + data.name() + " has "
          + data.classNames().size());
    }
    if (images.get(images.size() - 1) >= data.size()) {
      throw DiffcertException.usage("image " + images.get(images.size() - 1) + " is asked for, " + data.name() + " has "
          + data.size() + " images");
    }
    this.data = data;
    this.header = new RunHeader(config, source.sigmas(), source.identity(), data.name(), data.digest(),
        data.classNames(), images, library, nativeBuild, device, cascade);
    this.certifier = new ImageCertifier(source, header);
    this.origin = origin;
  }

  /**
   * The header that this run has.
   *
   * @return everything that its certificates depend on
   */
  public RunHeader header() {
    return header;
  }

  /**
   * Runs, or goes on, to the end.
   *
   * @param directory the run directory
   * @param listener told about progress
   * @param cancelled asked between chunks of samples; once true, the run stops with an exception of kind INTERRUPTED,
   *     with every finished image recorded and the tables and the report written for those
   * @return the report
   * @throws DiffcertException as {@link RunDirectory#openOrCreate}, {@link RunDirectory#append} and {@link
   *     Certifier#certify}
   */
  public Path run(Path directory, RunListener listener, BooleanSupplier cancelled) {
    try (RunDirectory run = RunDirectory.openOrCreate(directory, header, origin)) {
      int total = header.images().size();
      listener.started(run.records().size(), total);
      for (int position = 0; position < total; position++) {
        int image = header.images().get(position);
        if (!run.isDone(image)) {
          RunRecord record = certify(image, run, listener, cancelled);
          run.append(record);
          listener.imageDone(record, run.records().size(), total);
        }
      }
      return run.finish(data);
    }
  }

  private RunRecord certify(int image, RunDirectory run, RunListener listener, BooleanSupplier cancelled) {
    try {
      return certifier.certify(data, image, listener, cancelled);
    } catch (DiffcertException e) {
      if (e.kind() == DiffcertException.Kind.INTERRUPTED && !Thread.currentThread().isInterrupted()) {
        run.finish(data);
      }
      throw e;
    }
  }
}
