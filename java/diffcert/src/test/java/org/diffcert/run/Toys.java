package org.diffcert.run;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.diffcert.certify.Certification;
import org.diffcert.certify.Certifier;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.certify.ProgressListener;
import org.diffcert.certify.ToySource;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageData;
import org.diffcert.image.ImageShape;
import org.diffcert.noise.Sigma;

/** A small run of a toy classifier at two sigmas: everything but a network. */
final class Toys {
  static final ToySource SOURCE = ToySource.halfSpace(42, 0.3, new Sigma(0.25), new Sigma(0.5));
  static final Origin ORIGIN = Origin.here("toy.safetensors", "", "a toy", "", "");
  static final CertifyConfig CONFIG = CertifyConfig.of(10, 60, 0.001);

  private Toys() {}

  static RunHeader header(int images) {
    return run(images).header();
  }

  static CertifyRun run(int images) {
    return new CertifyRun(SOURCE, new Data(images), new ImageRange(0, images, 1), CONFIG, "0.1.0", "", "toy",
        ORIGIN);
  }

  static RunRecord record(int image) {
    Certifier certifier = new Certifier(SOURCE, CONFIG);
    Certification found = certifier.count(ToySource.image(), image, ProgressListener.NONE, () -> false);
    return new RunRecord(image, image % 2, found.certificates(), found.calls(),
        Duration.ofMillis(5), Instant.now());
  }

  /** Certifies what is not done yet, then finishes. */
  static void goOn(Path directory, int images) {
    goOn(directory, images, () -> { });
  }

  static void goOn(Path directory, int images, Runnable afterEach) {
    run(images).run(directory, new RunListener() {
      @Override
      public void imageDone(RunRecord record, int done, int total) {
        afterEach.run();
      }
    }, () -> false);
  }

  /** What must be equal between two runs of one job: everything but times. */
  static String withoutTimes(String log) {
    return log.replaceAll("\"time\":\\{[^}]*\\}", "\"time\":{}");
  }

  /** One-pixel images of two classes, one of whose names has to be escaped. */
  record Data(int size) implements ImageData {
    @Override
    public ImageShape shape() {
      return ToySource.image().shape();
    }

    @Override
    public List<String> classNames() {
      return List.of("near", "far <&>");
    }

    @Override
    public ByteImage image(int index) {
      return ToySource.image();
    }

    @Override
    public int label(int index) {
      return index % 2;
    }

    @Override
    public String name() {
      return "toy:none";
    }

    @Override
    public String digest() {
      return "00".repeat(32);
    }

    @Override
    public void close() {}
  }
}
