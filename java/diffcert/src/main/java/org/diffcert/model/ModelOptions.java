package org.diffcert.model;

import java.nio.file.Path;
import org.diffcert.DiffcertException;
import org.diffcert.file.FileBytes;
import org.diffcert.file.Json;

/**
 * What a user adds to a model file.
 *
 * @param config the network's configuration, needed by state dicts, which do not carry one; null to take the file's
 *     own, or the one in a file of the same name with {@code .json} appended
 */
public record ModelOptions(NetworkConfig config) {
  /** A configuration is small; more is not one. */
  private static final int LARGEST = 1 << 20;

  /**
   * Nothing added.
   *
   * @return the options
   */
  public static ModelOptions none() {
    return new ModelOptions(null);
  }

  /**
   * A configuration from a file: a JSON object with {@code precond}, the preconditioner's published class name, and
   * {@code config}, an object with the published options.
   *
   * @param path the file
   * @return the options
   * @throws DiffcertException BAD_INPUT where the file is missing or malformed
   */
  public static ModelOptions fromFile(Path path) {
    try (FileBytes file = FileBytes.open(path)) {
      if (file.size() > LARGEST) {
        throw DiffcertException.badInput(path.getFileName() + " is " + file.size()
            + " bytes, a network configuration is at most "
            + LARGEST);
      }
      Json json = Json.parse(file.copy(0, (int) file.size()), file.name(), Json.Limits.DEFAULT);
      for (String key : json.members().keySet()) {
        if (!key.equals("precond") && !key.equals("config")) {
          throw DiffcertException.badInput(path.getFileName() + " has the unknown key \"" + ConfigReader.shorten(key)
              + "\"; known are precond and config");
        }
      }
      return new ModelOptions(NetworkConfig.parse(json.get("precond").asString(), json.get("config")));
    }
  }
}
