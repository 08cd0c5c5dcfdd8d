package org.diffcert.cuda;

import static org.bytedeco.cuda.global.cudart.cudaFree;
import static org.bytedeco.cuda.global.cudart.cudaMalloc;
import static org.bytedeco.cuda.global.cudart.cudaMemcpy;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToHost;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyHostToDevice;
import static org.bytedeco.cuda.global.cudart.cudaSetDevice;

import org.bytedeco.javacpp.FloatPointer;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DiffusionModel;

/**
 * The example of device memory shared with other CUDA code of the JVM: images go to the GPU once, through JavaCPP's
 * CUDA presets, and are denoised there in place. Needs {@code org.bytedeco:cuda} with its natives ({@code
 * linux-x86_64}) beside diffcert-cuda, and a GPU. Not yet run on one.
 */
final class PresetsExample {
  private PresetsExample() {}

  /** Denoises images of one noise level on the model's device, in place. */
  static float[] denoise(DiffusionModel model, float[] images, double[] sigma) {
    Device device = model.options().device();
    long bytes = (long) images.length * Float.BYTES;
    try (FloatPointer there = new FloatPointer(); FloatPointer here = new FloatPointer(images)) {
      check(cudaSetDevice(index(device)));
      check(cudaMalloc(there, bytes));
      try {
        check(cudaMemcpy(there, here, bytes, cudaMemcpyHostToDevice));
        var buffer = CudaBuffers.of(there, images.length, device);
        model.denoise(buffer, sigma, null, buffer);
        check(cudaMemcpy(here, there, bytes, cudaMemcpyDeviceToHost));
      } finally {
        check(cudaFree(there));
      }
      float[] denoised = new float[images.length];
      here.get(denoised);
      return denoised;
    }
  }

  /** Of cuda or cuda:i. */
  private static int index(Device device) {
    int colon = device.name().indexOf(':');
    return colon < 0 ? 0 : Integer.parseInt(device.name().substring(colon + 1));
  }

  private static void check(int error) {
    if (error != 0) {
      throw new IllegalStateException("CUDA error " + error);
    }
  }
}
