package org.diffcert.cli;

import org.diffcert.image.ImageData;
import org.diffcert.image.ImageSource;
import org.diffcert.run.ImageRange;
import picocli.CommandLine.Option;

/** The options that name a data set and which of its images are meant. */
final class ImagesArguments {
  @Option(names = "--data", required = true, paramLabel = "SET",
      description = "mnist:DIR[?split=test|train], cifar10:FILE-or-DIR, npz:FILE or images:DIR.")
  private String data;

  @Option(names = "--images", defaultValue = ":", paramLabel = "A:B[:STEP]",
      description = "Which images, by index. Default: all.")
  private String images;

  /** The data set, which is the caller's to close. */
  ImageData open() {
    return ImageSource.open(data);
  }

  /** Those of the set that are meant. */
  ImageRange range(ImageData set) {
    return Arguments.images(images, set.size());
  }
}
