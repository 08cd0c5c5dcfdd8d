package org.diffcert.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.diffcert.DiffcertException;
import org.diffcert.image.ImageData;
import org.diffcert.image.ImageSource;
import org.diffcert.run.RunHeader;
import org.diffcert.run.RunLog;

/**
 * Finds the network and the images of a run again: by the paths given, or by the names in its log in the places where
 * such files usually lie. Names are a guess; what was found is held against the digests in the header.
 */
final class RunFiles {
  private RunFiles() {}

  /** The file of a network: here, in models/, or in the models of the checkout. */
  static Path model(RunLog log, Path given) {
    String name = log.origin().model();
    if (given != null) {
      return given;
    }
    return places("models").map(folder -> sibling(folder, name)).filter(Files::isRegularFile).findFirst()
        .orElseThrow(() -> DiffcertException.usage("the run's network" + named(name)
            + " is not here nor in models/; give it with --model"));
  }

  /** The run's second file, the unconditional network or what is behind a denoiser; null where it had none. */
  static Path second(RunLog log, Path given) {
    String name = log.origin().unconditional();
    if (given != null || name.isEmpty()) {
      return given;
    }
    return places("models").map(folder -> sibling(folder, name)).filter(Files::isRegularFile).findFirst()
        .orElseThrow(() -> DiffcertException.usage("the run's second network" + named(name)
            + " is not here nor in models/; give it with " + RunOptions.second(log.header())));
  }

  /** The specification of the images: here, in data/, or in the data of the checkout. */
  static String data(RunHeader header, String given) {
    return data(header.data(), given);
  }

  private static String data(String name, String given) {
    if (given != null) {
      return given;
    }
    String kind = name.replaceFirst(":.*", "");
    String rest = name.substring(Math.min(name.length(), kind.length() + 1));
    boolean split = rest.equals("test") || rest.equals("train");
    Optional<Path> found = places("data").map(folder -> sibling(folder, split ? kind : rest)).filter(Files::exists)
        .findFirst();
    return kind + ":" + found.orElseThrow(() -> DiffcertException.usage("the run's images" + named(name)
        + " are not here nor in data/; give them with --data")) + (split ? "?split=" + rest : "");
  }

  /** Opens the images of a run; others are refused. */
  static ImageData open(RunHeader header, String given) {
    return open(header.data(), header.dataDigest(), given);
  }

  /** The same by the name and the digest that a log has. */
  static ImageData open(String name, String digest, String given) {
    String specification = data(name, given);
    ImageData set = ImageSource.open(specification);
    if (!set.digest().equals(digest)) {
      set.close();
      throw DiffcertException.usage(specification + " holds other images than the run was made on: their digest is "
          + set.digest() + " here and " + digest + " there");
    }
    return set;
  }

  private static java.util.stream.Stream<Path> places(String folder) {
    Path root = Path.of(System.getProperty("diffcert.root", "")).toAbsolutePath().normalize();
    return List.of(Path.of(""), Path.of(folder), root.resolve(folder)).stream();
  }

  /** A name of a log is one name, whatever a stranger has put there: no folder, no way up. */
  private static Path sibling(Path folder, String name) {
    boolean plain = !name.isEmpty() && !name.contains("/") && !name.contains("\\") && !name.startsWith(".")
        && name.indexOf('\0') < 0;
    return folder.resolve(plain ? name : "no such name");
  }

  private static String named(String name) {
    String printable = name.replaceAll("[^\\x20-\\x7e]", "?");
    return name.isEmpty() ? "" : " '" + printable.substring(0, Math.min(60, printable.length())) + "'";
  }
}
