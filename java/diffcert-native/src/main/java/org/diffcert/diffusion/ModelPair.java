package org.diffcert.diffusion;

import java.util.function.BiFunction;
import org.diffcert.diffusion.jni.dc_model;

/** A model and, where there is one, the unconditional model beside it: held together, called together. */
final class ModelPair {
  private final NativeHandle<dc_model> model;
  /** Null if the model itself serves as the unconditional one. */
  private final NativeHandle<dc_model> unconditional;

  /**
   * Takes a hold on both, so that their networks stay until {@link #release()}.
   *
   * @throws IllegalStateException if one of them is closed
   */
  ModelPair(DiffusionModel model, DiffusionModel unconditional) {
    this.model = model.handle();
    this.unconditional = unconditional == null || unconditional == model ? null : unconditional.handle();
    this.model.hold();
    if (this.unconditional != null) {
      try {
        this.unconditional.hold();
      } catch (IllegalStateException e) {
        this.model.release();
        throw e;
      }
    }
  }

  /** Gives both holds back. */
  void release() {
    model.release();
    if (unconditional != null) {
      unconditional.release();
    }
  }

  /**
   * Runs a native call that uses both networks; other calls on them wait. The second pointer is null if the model
   * serves as both.
   */
  <T> T call(BiFunction<dc_model, dc_model, T> body) {
    if (unconditional == null) {
      return model.callHeld(p -> body.apply(p, null));
    }
    // One order for every pair: two pairs of the same models the other way round would wait for each other else.
    if (model.order() < unconditional.order()) {
      return model.callHeld(p -> unconditional.callHeld(q -> body.apply(p, q)));
    }
    return unconditional.callHeld(q -> model.callHeld(p -> body.apply(p, q)));
  }
}
