package org.diffcert.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.Trainer;
import org.diffcert.file.Durable;
import org.diffcert.file.Safetensors;
import org.diffcert.file.Tensor;

/**
 * A trainer's state in one safetensors file that is there whole or not at all: tensors {@code weight/}, {@code
 * first_moment/}, {@code second_moment/} and {@code average/} NAME, and in the metadata what training it is, images,
 * steps, seconds and the build that made it.
 */
final class Checkpoint {
  static final String FILE = "checkpoint.safetensors";

  /** How far the training was, and which build had made it. */
  record Progress(long images, long steps, double seconds, String build) {}

  private Checkpoint() {}

  /** Stores the state; when this returns it is on the disk. */
  static void write(Path directory, String header, Trainer trainer, double seconds, String build) throws IOException {
    List<Tensor> tensors = new ArrayList<>();
    for (Trainer.Part part : Trainer.Part.values()) {
      trainer.state(part).forEach(tensor -> tensors.add(tensor.named(prefix(part) + tensor.name())));
    }
    Safetensors.write(directory.resolve(FILE), Map.of("training", header, "images", Long.toString(trainer.imagesSeen()),
        "steps", Long.toString(trainer.steps()), "seconds", Double.toString(seconds), "build", build), tensors);
    Durable.syncDirectory(directory);
  }

  /** Sets a trainer to the stored state; null where there is none. */
  static Progress read(Path directory, String header, Trainer trainer) {
    Path file = directory.resolve(FILE);
    if (!Files.exists(file)) {
      return null;
    }
    try (Safetensors stored = Safetensors.open(file)) {
      if (!header.equals(stored.metadata().get("training"))) {
        throw DiffcertException.badInput(file + " is the checkpoint of another training");
      }
      for (Trainer.Part part : Trainer.Part.values()) {
        Map<String, Tensor> state = new HashMap<>();
        stored.tensors().forEach((name, tensor) -> {
          if (name.startsWith(prefix(part))) {
            state.put(name.substring(prefix(part).length()), tensor);
          }
        });
        trainer.restore(part, state);
      }
      Map<String, String> said = stored.metadata();
      Progress progress = new Progress(Long.parseLong(said.get("images")), Long.parseLong(said.get("steps")),
          Double.parseDouble(said.get("seconds")), said.getOrDefault("build", ""));
      trainer.restoreProgress(progress.images(), progress.steps());
      return progress;
    } catch (NumberFormatException | NullPointerException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, file + " does not say how far its training is", e);
    }
  }

  private static String prefix(Trainer.Part part) {
    return part.name().toLowerCase(Locale.ROOT) + "/";
  }
}
