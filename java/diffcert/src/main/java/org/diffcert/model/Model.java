package org.diffcert.model;

import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.file.Safetensors;
import org.diffcert.file.Tensor;

/**
 * A network and its weights, checked: every tensor that the configuration asks for is there with its shape, there
 * are no others, and every weight is finite. Tensors of a file are read when they are asked for, so the model stays
 * open while it is loaded. Safe for use by several threads.
 */
public final class Model implements AutoCloseable {
  private static final int MOST_NOTES = 20;
  private static final int LONGEST_NOTE = 400;

  private final NetworkConfig config;
  private final Map<String, Tensor> tensors;
  private final Map<String, String> notes;
  private final ModelFormat format;
  private final Provenance provenance;
  private final String digest;
  private final AutoCloseable file;

  private Model(NetworkConfig config, Map<String, Tensor> found, Map<String, String> notes, ModelFormat format,
      Provenance provenance, AutoCloseable file) {
    String source = provenance.fileName().isEmpty() ? "the model" : provenance.fileName();
    this.config = config;
    this.tensors = Collections.unmodifiableMap(WeightCheck.select(source, config, found));
    this.notes = Collections.unmodifiableMap(new LinkedHashMap<>(notes));
    this.format = format;
    this.provenance = provenance;
    this.digest = WeightCheck.digest(source, config, tensors);
    this.file = file;
  }

  /**
   * Opens a model file of any known format, told by its content.
   *
   * @param path the file
   * @return the checked model
   * @throws DiffcertException BAD_INPUT, one sentence, where the file is missing, malformed, hostile or does not fit
   *     its configuration
   */
  public static Model open(Path path) {
    return open(path, ModelOptions.none());
  }

  /**
   * Opens a model file of any known format, told by its content.
   *
   * @param path the file
   * @param options what the file itself does not say
   * @return the checked model
   * @throws DiffcertException BAD_INPUT, one sentence, where the file is missing, malformed, hostile or does not fit
   *     its configuration
   */
  public static Model open(Path path, ModelOptions options) {
    LoadedModel loaded = ModelLoader.load(path);
    try {
      NetworkConfig config = ModelLoader.config(path, loaded, options);
      return new Model(config, loaded.tensors(), loaded.notes(), loaded.format(), loaded.provenance(),
          loaded.file());
    } catch (RuntimeException | OutOfMemoryError e) {
      loaded.close();
      throw e;
    }
  }

  /**
   * A model from tensors in memory.
   *
   * @param config the network
   * @param tensors its tensors
   * @return the checked model
   * @throws DiffcertException BAD_INPUT where they do not fit
   */
  public static Model of(NetworkConfig config, Collection<Tensor> tensors) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    for (Tensor tensor : tensors) {
      named.put(tensor.name(), tensor);
    }
    return new Model(config, named, Map.of(), ModelFormat.MEMORY, new Provenance("", "", ""), () -> { });
  }

  /**
   * A model with random weights of the published initial scale, every layer at work. Weights are made when they are
   * asked for.
   *
   * @param config the network
   * @param seed the seed; equal seeds give equal weights on every machine
   * @return the model
   */
  public static Model random(NetworkConfig config, long seed) {
    return of(config, RandomWeights.make(config, seed).values());
  }

  /**
   * Writes the model as safetensors with its configuration in the metadata ({@code precond}, {@code config}). Equal
   * models give equal bytes.
   *
   * @param path where; an existing file is replaced, whole or not at all
   * @throws DiffcertException BAD_INPUT where the file cannot be written
   */
  public void write(Path path) {
    write(path, Map.of());
  }

  /**
   * Writes the model with notes for its readers, which no digest depends on.
   *
   * @param path where; an existing file is replaced, whole or not at all
   * @param card what else the metadata says, by key, such as how the model was trained; not precond and config
   * @throws IllegalArgumentException if a note has one of those two keys
   * @throws DiffcertException BAD_INPUT where the file cannot be written
   */
  public void write(Path path, Map<String, String> card) {
    Map<String, String> metadata = new LinkedHashMap<>(card);
    if (metadata.put("precond", config.precond().published()) != null
        || metadata.put("config", config.toJson().write()) != null) {
      throw new IllegalArgumentException("a note of a model is called precond or config");
    }
    Safetensors.write(path, metadata,
        tensors.values().stream().map(t -> Tensor.of(t.name(), t.shape(), t::floats)).toList());
  }

  /**
   * What the file says about itself beside the configuration, such as how the model was trained: unchecked words of
   * whoever wrote it.
   *
   * @return an unmodifiable map by key, empty where there is nothing
   */
  public Map<String, String> notes() {
    return notes;
  }

  /**
   * The network's configuration.
   *
   * @return the configuration
   */
  public NetworkConfig config() {
    return config;
  }

  /**
   * The tensors that the network needs (parameters and stored buffers), in the architecture's order.
   *
   * @return an unmodifiable map by name
   */
  public Map<String, Tensor> tensors() {
    return tensors;
  }

  /**
   * A tensor by name.
   *
   * @param name its name in the published state dict
   * @return the tensor
   * @throws IllegalArgumentException where the network has none of this name
   */
  public Tensor tensor(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException("the network has no tensor " + name);
    }
    return tensor;
  }

  /**
   * The form in which the model came.
   *
   * @return the format
   */
  public ModelFormat format() {
    return format;
  }

  /**
   * Where the model came from.
   *
   * @return file name and digests
   */
  public Provenance provenance() {
    return provenance;
  }

  /**
   * SHA-256 over the canonical configuration and the float32 weights: the same for the same network, whatever file
   * it came in.
   *
   * @return 64 hexadecimal digits
   */
  public String digest() {
    return digest;
  }

  /**
   * The number of learned parameters.
   *
   * @return the number
   */
  public long parameterCount() {
    return Architecture.parameterCount(config);
  }

  /**
   * A description for people: architecture, sizes, parameters, digests; one fact a line.
   *
   * @return the text, ending with a line break
   */
  public String describe() {
    StringBuilder out = new StringBuilder();
    line(out, "network", config.architecture().published() + " under " + config.precond().published());
    line(out, "image", config.imgChannels() + "x" + config.imgResolution() + "x" + config.imgResolution());
    line(out, "classes", config.classes() == 0 ? "none (unconditional)" : Integer.toString(config.classes()));
    if (config.multiHead()) {
      line(out, "heads", config.heads() + ", one a class and one for none: one pass gives all");
    }
    line(out, "widths", config.modelChannels() + " x " + config.channelMult() + ", " + config.numBlocks()
        + " blocks a resolution");
    line(out, "attention", config.attnResolutions().isEmpty() ? "at the coarsest resolution" : "at "
        + config.attnResolutions());
    line(out, "tensors", Integer.toString(tensors.size()));
    line(out, "parameters", String.format(java.util.Locale.ROOT, "%,d", parameterCount()));
    line(out, "format", format.toString());
    if (!provenance.fileName().isEmpty()) {
      line(out, "file", provenance.fileName());
      line(out, "file sha256", provenance.sha256());
    }
    if (!provenance.sourceSha256().isEmpty()) {
      line(out, "source sha256", provenance.sourceSha256() + " (Python in the pickle, never run)");
    }
    line(out, "digest", digest);
    line(out, "config", config.toJson().write());
    notes.entrySet().stream().limit(MOST_NOTES).forEach(note -> line(out, shown(note.getKey()),
        shown(note.getValue())));
    return out.toString();
  }

  /* A stranger's words on a terminal: one line, no control characters. */
  private static String shown(String text) {
    String line = text.length() <= LONGEST_NOTE ? text : text.substring(0, LONGEST_NOTE) + "...";
    return line.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Zl}\\p{Zp}]", " ");
  }

  private static void line(StringBuilder out, String name, String value) {
    out.append(String.format("%-14s %s\n", name, value));
  }

  /** Closes the file; tensors can no longer be read. Closing twice does nothing. */
  @Override
  public void close() {
    try {
      file.close();
    } catch (Exception e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, provenance.fileName() + " cannot be closed", e);
    }
  }
}
