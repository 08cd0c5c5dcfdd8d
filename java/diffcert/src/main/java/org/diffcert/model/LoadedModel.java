package org.diffcert.model;

import java.util.Map;
import org.diffcert.file.FileBytes;
import org.diffcert.file.Tensor;

/**
 * What a model file holds before it is checked against an architecture.
 *
 * @param config the file's own configuration, or null where it carries none
 * @param tensors its tensors by name, read from the file when asked for
 * @param notes what else its header says, by key; of a stranger's making
 * @param format its format
 * @param provenance its name and digests
 * @param file the open file
 */
record LoadedModel(NetworkConfig config, Map<String, Tensor> tensors, Map<String, String> notes, ModelFormat format,
    Provenance provenance, FileBytes file) {
  void close() {
    file.close();
  }
}
