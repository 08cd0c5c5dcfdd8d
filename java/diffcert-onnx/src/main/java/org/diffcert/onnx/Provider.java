package org.diffcert.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import java.util.EnumSet;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;

/**
 * Where ONNX Runtime computes: the CPU, or one CUDA device. There is no falling back from one to the other, not even
 * for a part of a graph. Immutable.
 *
 * <p>CUDA has not yet been run on a GPU.
 *
 * @param cuda the number of the CUDA device, negative for the CPU
 */
public record Provider(int cuda) {
  /** The CPU. */
  public static final Provider CPU = new Provider(-1);

  /**
   * By name.
   *
   * @param name {@code cpu}, {@code cuda} or {@code cuda:N}
   * @return the provider
   * @throws DiffcertException of kind USAGE if there is none of that name
   */
  public static Provider of(String name) {
    if (name.equals("cpu")) {
      return CPU;
    }
    if (!name.matches("cuda(:[0-9]{1,3})?")) {
      throw DiffcertException.usage("--onnx-device is '" + name + "', must be cpu, cuda or cuda:N");
    }
    return new Provider(name.equals("cuda") ? 0 : Integer.parseInt(name.substring("cuda:".length())));
  }

  /**
   * The kind of device, which is what votes depend on.
   *
   * @return cpu or cuda
   */
  public String kind() {
    return cuda < 0 ? "cpu" : "cuda";
  }

  /**
   * The name that {@link #of} takes.
   *
   * @return for example {@code cuda:0}
   */
  @Override
  public String toString() {
    return cuda < 0 ? "cpu" : "cuda:" + cuda;
  }

  /**
   * Adds the device to what a session is made with.
   *
   * @throws DiffcertException of kind DEVICE if this build of ONNX Runtime or this machine has it not
   */
  void addTo(SessionOptions options) throws OrtException {
    if (cuda < 0) {
      return;
    }
    EnumSet<ai.onnxruntime.OrtProvider> there = OrtEnvironment.getAvailableProviders();
    if (!there.contains(ai.onnxruntime.OrtProvider.CUDA)) {
      throw new DiffcertException(Kind.DEVICE, "--onnx-device is " + this
          + ", this ONNX Runtime has no CUDA; build with "
          + "-Donnxruntime.artifact=onnxruntime_gpu, or use --onnx-device cpu");
    }
    try (OrtCUDAProviderOptions how = new OrtCUDAProviderOptions(cuda)) {
      // A vote must not depend on which algorithm was fastest today, nor on ten bits of a mantissa.
      how.add("cudnn_conv_algo_search", "DEFAULT");
      how.add("use_tf32", "0");
      options.addCUDA(how);
    } catch (OrtException e) {
      throw new DiffcertException(Kind.DEVICE, "--onnx-device is " + this + ", ONNX Runtime cannot use it: "
          + Network.brief(e) + "; use --onnx-device cpu", e);
    }
    options.addConfigEntry("session.disable_cpu_ep_fallback", "1");
  }
}
