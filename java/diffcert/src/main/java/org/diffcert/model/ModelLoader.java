package org.diffcert.model;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.file.FileBytes;
import org.diffcert.file.Json;
import org.diffcert.file.Safetensors;

/** Tells a model file's format by its content and hands it to that format's reader. */
final class ModelLoader {
  private ModelLoader() {}

  static LoadedModel load(Path path) {
    FileBytes file = FileBytes.open(path);
    try {
      return load(file);
    } catch (RuntimeException | OutOfMemoryError e) {
      file.close();
      throw e;
    }
  }

  private static LoadedModel load(FileBytes file) {
    return safetensors(file);
  }

  /* The configuration in force: the file's own, the user's, or that of FILE.json; two that differ are a mistake somewhere. */
  static NetworkConfig config(Path path, LoadedModel loaded, ModelOptions options) {
    NetworkConfig given = options.config();
    Path beside = path.resolveSibling(path.getFileName() + ".json");
    if (given == null && loaded.config() == null && Files.exists(beside)) {
      given = ModelOptions.fromFile(beside).config();
    }
    if (given == null && loaded.config() == null) {
      throw DiffcertException.badInput(path.getFileName() + " does not say which network its weights are for: give the configuration "
          + "with --config FILE, or put it beside as " + beside.getFileName());
    }
    if (given != null && loaded.config() != null && !given.canonical().equals(loaded.config().canonical())) {
      throw DiffcertException.badInput(path.getFileName() + " carries a configuration that differs from the one given");
    }
    return loaded.config() != null ? loaded.config() : given;
  }

  private static LoadedModel safetensors(FileBytes file) {
    Safetensors safetensors = Safetensors.of(file);
    Map<String, String> metadata = safetensors.metadata();
    NetworkConfig config = null;
    if (metadata.containsKey("precond") != metadata.containsKey("config")) {
      throw DiffcertException.badInput(file.name() + " has only one of precond and config in its metadata");
    }
    if (metadata.containsKey("precond")) {
      config = NetworkConfig.parse(metadata.get("precond"), Json.parse(metadata.get("config"), "the network configuration"));
    }
    return new LoadedModel(config, safetensors.tensors(), ModelFormat.SAFETENSORS, new Provenance(file.name(), file.sha256(), ""), file);
  }
}
