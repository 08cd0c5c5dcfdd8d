package org.diffcert.model;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.diffcert.DiffcertException;
import org.diffcert.file.FileBytes;
import org.diffcert.file.Json;
import org.diffcert.file.Safetensors;
import org.diffcert.file.TorchCheckpoint;

/** Tells a model file's format by its content and hands it to that format's reader. */
final class ModelLoader {
  private static final int ZIP = 0x04034b50;
  private static final int PICKLE = 0x80;
  private static final int LONG1 = 0x8a;

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

  /* A safetensors file may begin with the first bytes of a pickle or a zip, which are then its header's length; so a
     file is one of those only if it is not a header of that length. */
  private static LoadedModel load(FileBytes file) {
    ByteBuffer start = file.copy(0, (int) Math.min(16, file.size()));
    if (startsAsSafetensors(start, file.size())) {
      return safetensors(file);
    }
    if (start.limit() >= 4 && start.getInt(0) == ZIP) {
      return torch(file, ModelFormat.PYTORCH_ZIP, TorchCheckpoint.zip(file));
    }
    if (start.limit() < 4 || (start.get(0) & 0xFF) != PICKLE || start.get(1) < 2 || start.get(1) > 5) {
      return unknown(file, start);
    }
    if (start.get(1) == 2 && (start.get(2) & 0xFF) == LONG1) {
      return torch(file, ModelFormat.PYTORCH_LEGACY, TorchCheckpoint.legacy(file));
    }
    return torch(file, ModelFormat.EDM_PICKLE, TorchCheckpoint.pickle(file));
  }

  /* It begins like no known format: what it should be is told by its ending, what it is by its first bytes. */
  private static LoadedModel unknown(FileBytes file, ByteBuffer start) {
    String name = file.name().toLowerCase(Locale.ROOT);
    if (name.endsWith(".safetensors")) {
      return safetensors(file);
    }
    String wanted = "a model: neither safetensors nor a pickle nor a file of torch.save";
    if (name.endsWith(".pkl") || name.endsWith(".pickle")) {
      wanted = "a pickle of protocol 2 to 5";
    } else if (name.endsWith(".pt") || name.endsWith(".pth")) {
      wanted = "a file of torch.save";
    }
    throw DiffcertException.badInput(file.name() + " is not " + wanted + "; " + beginning(start)
        + "; give a safetensors file, an EDM .pkl or a PyTorch state dict");
  }

  private static String beginning(ByteBuffer start) {
    if (start.limit() == 0) {
      return "it is empty";
    }
    byte[] bytes = new byte[start.limit()];
    start.get(0, bytes);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    boolean printable = text.chars().allMatch(c -> c >= 0x20 && c < 0x7f || c == '\n' || c == '\r' || c == '\t');
    return printable ? "it is a text that begins with '" + text.replaceAll("\\s+", " ").strip() + "'"
        : "it begins with the bytes " + HexFormat.ofDelimiter(" ").formatHex(bytes);
  }

  private static boolean startsAsSafetensors(ByteBuffer start, long size) {
    return start.limit() > 8 && start.getLong(0) >= 0 && start.getLong(0) <= size - 8
        && "{ \n\r\t".indexOf(start.get(8)) >= 0;
  }

  private static LoadedModel torch(FileBytes file, ModelFormat format, TorchCheckpoint checkpoint) {
    NetworkConfig config = checkpoint.options() == null ? null
        : NetworkConfig.parse(checkpoint.className(), named(checkpoint.options()));
    return new LoadedModel(config, checkpoint.tensors(), Map.of(), format, new Provenance(file.name(), file.sha256(),
        checkpoint.sourceSha256()), file);
  }

  /* The published constructors' first arguments, which a caller may have given by position. */
  private static Json named(Json options) {
    if (!options.has("")) {
      return options;
    }
    String[] names = {"img_resolution", "img_channels", "label_dim", "use_fp16"};
    Json all = Json.object();
    int place = 0;
    for (Json value : options.get("").elements()) {
      if (place == names.length) {
        throw DiffcertException.badInput("the network configuration has more than " + names.length
            + " arguments without a name");
      }
      all.put(names[place++], value);
    }
    options.members().forEach((key, value) -> {
      if (!key.isEmpty()) {
        all.put(key, value);
      }
    });
    return all;
  }

  /* The configuration in force: the file's own, the user's, or that of FILE.json; two that differ are a mistake
     somewhere. */
  static NetworkConfig config(Path path, LoadedModel loaded, ModelOptions options) {
    NetworkConfig given = options.config();
    Path beside = path.resolveSibling(path.getFileName() + ".json");
    if (given == null && loaded.config() == null && Files.exists(beside)) {
      given = ModelOptions.fromFile(beside).config();
    }
    if (given == null && loaded.config() == null) {
      throw DiffcertException.badInput(path.getFileName()
          + " does not say which network its weights are for: give the configuration "
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
      config = NetworkConfig.parse(metadata.get("precond"), Json.parse(metadata.get("config"),
          "the network configuration"));
    }
    Map<String, String> notes = new LinkedHashMap<>(metadata);
    notes.keySet().removeAll(Set.of("precond", "config"));
    return new LoadedModel(config, safetensors.tensors(), notes, ModelFormat.SAFETENSORS, new Provenance(file.name(),
        file.sha256(), ""), file);
  }
}
