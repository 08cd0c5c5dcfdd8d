package org.diffcert.model;

import java.nio.file.Files;
import java.nio.file.Path;

/** Finds the data beside the checkout. */
final class SharedFiles {
  private SharedFiles() {}

  static Path root() {
    Path at = Path.of("").toAbsolutePath();
    while (!Files.exists(at.resolve("native/include/diffcert/diffcert.h"))) {
      at = at.getParent();
    }
    return at;
  }

  static Path shared(String name) {
    return root().resolveSibling("shared").resolve(name);
  }
}
