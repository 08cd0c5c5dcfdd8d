package org.diffcert.model;

import java.util.List;

/**
 * A tensor that a network has.
 *
 * @param name its name in the published state dict
 * @param shape its shape
 * @param role what it is
 */
public record TensorSpec(String name, List<Long> shape, Role role) {
  /** What a tensor is to its network. */
  public enum Role {
    /** Learned, counted as parameters, must be there. */
    PARAMETER,
    /** Drawn once when the network was made (Fourier frequencies); must be there. */
    STORED_BUFFER,
    /**
     * Follows from the configuration (resampling filters, iDDPM levels): may be absent, and is checked where present.
     */
    COMPUTED_BUFFER
  }

  /**
   * Keeps its own copy of the shape.
   *
   * @param name its name in the published state dict
   * @param shape its shape
   * @param role what it is
   */
  public TensorSpec {
    shape = List.copyOf(shape);
  }

  /**
   * The number of elements.
   *
   * @return product of the shape
   */
  public long count() {
    long count = 1;
    for (long extent : shape) {
      count = Math.multiplyExact(count, extent);
    }
    return count;
  }
}
