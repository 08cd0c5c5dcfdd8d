package org.diffcert.cuda;

import org.bytedeco.javacpp.FloatPointer;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DeviceBuffer;

/**
 * What JavaCPP's CUDA presets ({@code org.bytedeco:cuda}) allocated, as buffers that a model reads and writes without a
 * copy:
 *
 * <pre>{@code
 * FloatPointer x = new FloatPointer();
 * cudart.cudaMalloc(x, n * values * Float.BYTES);
 * ...                                              // kernels of one's own fill it; then cudaStreamSynchronize
 * model.denoise(CudaBuffers.of(x, n * values, device), sigma, labels, CudaBuffers.of(out, n * values, device));
 * }</pre>
 *
 * <p>Both sides use the device's primary context, as every user of the CUDA runtime does, so that one's pointers are
 * the other's. diffcert has a stream of its own: what the caller's streams do to a buffer must be done before the call;
 * the result is there when it returns.
 */
public final class CudaBuffers {
  private CudaBuffers() {}

  /**
   * A view of device memory that the presets allocated. It keeps no hold on the pointer: the memory must live as long
   * as the view is used.
   *
   * @param pointer from cudaMalloc, cudaMallocAsync or cudaMallocManaged; its position counts, its limit and capacity,
   *     which the presets do not set, do not
   * @param values how many float32 values lie there from its position on
   * @param device the device that was current when it was allocated: {@code cuda} or {@code cuda:i}
   * @return the view
   * @throws DiffcertException of kind USAGE if the pointer is null or values is not positive
   */
  public static DeviceBuffer of(FloatPointer pointer, long values, Device device) {
    if (pointer == null || pointer.isNull()) {
      throw DiffcertException.usage("The pointer to device memory is null; was the allocation checked?");
    }
    return DeviceBuffer.at(device, pointer.address() + pointer.position() * Float.BYTES, values);
  }
}
