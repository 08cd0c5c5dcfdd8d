package org.diffcert.run;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.diffcert.certify.Certifier;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.certify.ToySource;
import org.diffcert.noise.Sigma;

/** A small run of a toy classifier at two sigmas: everything but a network. */
final class Toys {
  static final ToySource SOURCE = ToySource.halfSpace(42, 0.3, new Sigma(0.25), new Sigma(0.5));
  static final CertifyConfig CONFIG = CertifyConfig.of(10, 60, 0.001);

  private Toys() {}

  static RunHeader header(int images) {
    return new RunHeader(CONFIG, SOURCE.sigmas(), SOURCE.identity(), "toy:none", "00".repeat(32),
        List.of("near", "far <&>"), new ImageRange(0, images, 1), "0.1.0", "", "toy");
  }

  static RunRecord record(int image) {
    Certifier certifier = new Certifier(SOURCE, CONFIG);
    return new RunRecord(image, image % 2, certifier.certify(ToySource.image(), image), certifier.callsPerImage(),
        Duration.ofMillis(5), Instant.now());
  }

  /** Certifies what is not done yet, then finishes. */
  static void goOn(Path directory, int images) {
    goOn(directory, images, () -> { });
  }

  static void goOn(Path directory, int images, Runnable afterEach) {
    try (RunDirectory run = RunDirectory.openOrCreate(directory, header(images))) {
      for (int image = 0; image < images; image++) {
        if (!run.isDone(image)) {
          run.append(record(image));
          afterEach.run();
        }
      }
      run.finish(null);
    }
  }

  /** What must be equal between two runs of one job: everything but times. */
  static String withoutTimes(String log) {
    return log.replaceAll("\"time\":\\{[^}]*\\}", "\"time\":{}");
  }
}
