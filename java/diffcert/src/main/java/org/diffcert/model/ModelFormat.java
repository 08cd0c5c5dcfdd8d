package org.diffcert.model;

/** The forms in which a model comes. */
public enum ModelFormat {
  /** A safetensors file. */
  SAFETENSORS("safetensors"),
  /** A pickle of the EDM code base with the network inside. */
  EDM_PICKLE("EDM pickle"),
  /** A state dict saved by PyTorch 1.6 or later (zip). */
  PYTORCH_ZIP("PyTorch state dict"),
  /** A state dict saved by PyTorch before 1.6. */
  PYTORCH_LEGACY("PyTorch state dict, legacy"),
  /** Made in memory. */
  MEMORY("made in memory");

  private final String text;

  ModelFormat(String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }
}
