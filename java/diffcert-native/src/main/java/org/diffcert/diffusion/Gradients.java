package org.diffcert.diffusion;

/** Which gradients a model is opened for. The order is that of {@code dc_gradients} in diffcert.h. */
public enum Gradients {
  /** None: the model goes forwards only, with the least memory. */
  NONE,
  /** By the image: {@link DiffusionModel#vectorJacobian vectorJacobian}. */
  IMAGE,
  /** By the image and by the weights: {@link DiffusionModel#gradient gradient}, too. */
  WEIGHTS
}
