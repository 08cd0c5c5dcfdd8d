package org.diffcert.diffusion;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.jni.DiffcertAbi;
import org.diffcert.diffusion.jni.dc_model;
import org.diffcert.diffusion.jni.dc_network_config;
import org.diffcert.file.Tensor;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;

/**
 * A diffusion model on a device: D(x; sigma, label), and the raw network under it.
 *
 * <p>Images are {@code [n, channels, R, R]} float32 in EDM space (2x - 1 of pixels in [0,1]), row-major; sigma is in
 * EDM space too, so it is twice a sigma in pixel units. Rows do not influence each other: a row's bits are the same in
 * every batch, at every place in it, with every number of threads.
 *
 * <p>Life: the model holds native memory from {@link #open open} to {@link #close close}. Closing twice is fine. Every
 * other method throws {@link IllegalStateException} on a closed model, with the place of the close as its cause.
 * Closing while another thread's call runs waits for that call to end. A classifier made from this model keeps the
 * native network until the classifier is closed, whichever is closed first. A model that was forgotten is freed when
 * the garbage collector finds it, and a warning says where it was opened; do not rely on that, for the collector does
 * not see native memory and may come late.
 *
 * <p>Threads: any thread may call; calls on one model run one after another. Two models are independent.
 */
public final class DiffusionModel implements AutoCloseable {
  private final NativeHandle<dc_model> handle;
  private final Cleaner.Cleanable watch;
  private final NetworkConfig config;
  private final String digest;
  private final DeviceOptions options;
  private final int maxBatch;
  private final int inputs;
  private final int outputs;
  private final Map<String, Integer> counts;

  /**
   * What a model holds in memory.
   *
   * @param weightBytes bytes of the weights, as the device wants them
   * @param arenaBytes bytes of the working memory, sized for the largest batch
   */
  public record Memory(long weightBytes, long arenaBytes) {}

  /**
   * What a vector-Jacobian product gives.
   *
   * @param denoised D(x; sigma, label), {@code [n, channels, R, R]}
   * @param gradient the gradient of sum(cotangent * denoised) by x, {@code [n, channels, R, R]}
   */
  public record Pullback(float[] denoised, float[] gradient) {}

  private DiffusionModel(NativeHandle<dc_model> handle, Model model, DeviceOptions options) {
    this.handle = handle;
    this.config = model.config();
    this.digest = model.digest();
    this.options = options;
    long[] batch = new long[1];
    handle.call(p -> {
      NativeLibrary.check(DiffcertAbi.dc_model_max_batch(p, batch), "dc_model_max_batch");
      return null;
    });
    this.maxBatch = Math.toIntExact(batch[0]);
    int pixels = config.imgResolution() * config.imgResolution();
    this.inputs = config.imgChannels() * pixels;
    this.outputs = config.outChannels() * pixels;
    this.counts = model.tensors().values().stream().collect(Collectors.toMap(Tensor::name,
        t -> Math.toIntExact(t.count())));
    this.watch = handle.watch(this);
  }

  /**
   * Puts a model on a device. The weights are copied; the caller may close the model file afterwards.
   *
   * @param model configuration and weights, open
   * @param options device, threads, largest batch
   * @return the open model
   * @throws DiffcertException of kind BAD_INPUT if tensors are missing, unknown, of a wrong shape or not finite; of
   *     kind DEVICE if the device or the native library is not there; of kind USAGE if the machine lacks the
   *     instruction set that was forced; of kind INTERNAL if memory runs out
   */
  public static DiffusionModel open(Model model, DeviceOptions options) {
    NativeLibrary.load(options.device());
    dc_model pointer = create(model.config(), options);
    try {
      NativeLibrary.check(DiffcertAbi.dc_model_differentiate(pointer, options.gradients().ordinal(),
          options.rowBytes()),
          "dc_model_differentiate");
      for (Tensor tensor : model.tensors().values()) {
        float[] data = tensor.floats();
        NativeLibrary.check(DiffcertAbi.dc_model_set_tensor(pointer, tensor.name(), data, data.length),
            "dc_model_set_tensor");
      }
      NativeLibrary.check(DiffcertAbi.dc_model_finish(pointer, options.maxBatch()), "dc_model_finish");
    } catch (RuntimeException | Error e) {
      DiffcertAbi.dc_model_close(pointer);
      throw e;
    }
    return new DiffusionModel(new NativeHandle<>("diffusion model", pointer, DiffcertAbi::dc_model_close), model,
        options);
  }

  private static dc_model create(NetworkConfig config, DeviceOptions options) {
    // The struct lies in a buffer of Java's own, so that JavaCPP's accounting of native memory, which may refuse, has
    // no part in it.
    ByteBuffer memory = ByteBuffer.allocateDirect(Loader.sizeof(dc_network_config.class))
        .order(ByteOrder.nativeOrder());
    dc_network_config struct = new dc_network_config(new Pointer(memory));
    NetworkStruct.fill(struct, config);
    dc_model pointer = new dc_model();
    NativeLibrary.check(DiffcertAbi.dc_model_create(struct, options.device().name(), options.threads(),
        options.instructionSet(), pointer),
        "dc_model_create");
    Reference.reachabilityFence(memory);
    return pointer;
  }

  /**
   * D(x; sigma, label): the denoised images.
   *
   * @param x images {@code [n, channels, R, R]} in EDM space; what comes of an image with a value that is not finite
   *     means nothing, the other rows stand
   * @param sigma {@code [n]} noise levels in EDM space, finite and positive; its length is the batch
   * @param labels {@code [n]} classes in [0, classes), or -1 for unconditional; null = all unconditional
   * @return {@code [n, channels, R, R]} in EDM space
   * @throws DiffcertException of kind USAGE if a length, level or label does not fit, or the batch is larger than the
   *     model was opened for
   * @throws IllegalStateException if the model is closed
   */
  public float[] denoise(float[] x, double[] sigma, int[] labels) {
    int n = sigma.length;
    checkBatch(n, x.length, labels);
    checkLevels(sigma);
    float[] denoised = new float[n * inputs];
    handle.call(p -> {
      NativeLibrary.check(DiffcertAbi.dc_model_denoise(p, n, x, sigma, labels, denoised), "dc_model_denoise");
      return null;
    });
    return denoised;
  }

  /**
   * The vector-Jacobian product of {@link #denoise denoise}: what an image's denoising makes of it, and the gradient of
   * sum(cotangent * denoised) by the image. Rows do not influence each other, as for denoise. In a model opened for
   * {@link Gradients#WEIGHTS} the gradients by the weights are added to those of the calls before, row by row, so that
   * {@link #gradient gradient} of many small batches equals that of a large one to the bit.
   *
   * @param x images {@code [n, channels, R, R]} in EDM space
   * @param sigma {@code [n]} noise levels in EDM space, finite and positive; its length is the batch
   * @param labels {@code [n]} classes in [0, classes), or -1 for unconditional; null = all unconditional
   * @param cotangent {@code [n, channels, R, R]}
   * @return the denoised images and the gradient
   * @throws DiffcertException of kind USAGE if a length, level or label does not fit, the batch is larger than the
   *     model was opened for, or the model was not opened for gradients
   * @throws IllegalStateException if the model is closed
   */
  public Pullback vectorJacobian(float[] x, double[] sigma, int[] labels, float[] cotangent) {
    int n = sigma.length;
    checkBatch(n, x.length, labels);
    checkLevels(sigma);
    if (cotangent.length != x.length) {
      throw DiffcertException.usage("The cotangent has " + cotangent.length + " values, the images have " + x.length
          + ".");
    }
    float[] denoised = new float[x.length];
    float[] gradient = new float[x.length];
    handle.call(p -> {
      NativeLibrary.check(DiffcertAbi.dc_model_vector_jacobian(p, n, x, sigma, labels, cotangent, denoised, gradient),
          "dc_model_vector_jacobian");
      return null;
    });
    return new Pullback(denoised, gradient);
  }

  /**
   * The gradient by one tensor of the model, summed over the rows of all {@link #vectorJacobian vectorJacobian} calls
   * since the model was opened or {@link #clearGradients} was called.
   *
   * @param tensor the tensor, by its name in the model file
   * @return the gradient, row-major in the tensor's shape; zeros for a tensor that is not learnt
   * @throws DiffcertException of kind USAGE if the model was not opened for {@link Gradients#WEIGHTS}; of kind
   *     BAD_INPUT if it has no such tensor
   * @throws IllegalStateException if the model is closed
   */
  public double[] gradient(String tensor) {
    Integer count = counts.get(tensor);
    if (count == null) {
      throw DiffcertException.badInput("The model has no tensor '" + tensor + "'.");
    }
    return handle.call(p -> {
      double[] values = new double[count];
      NativeLibrary.check(DiffcertAbi.dc_model_gradient(p, tensor, values, values.length), "dc_model_gradient");
      return values;
    });
  }

  /**
   * Sets the gradients by the weights to zero.
   *
   * @throws DiffcertException of kind USAGE if the model was not opened for {@link Gradients#WEIGHTS}
   * @throws IllegalStateException if the model is closed
   */
  public void clearGradients() {
    handle.call(p -> {
      NativeLibrary.check(DiffcertAbi.dc_model_clear_gradients(p), "dc_model_clear_gradients");
      return null;
    });
  }

  /**
   * D(x; sigma, label) of images that lie in the memory of this model's device, without a copy. The call returns when
   * the result is there. What is in flight on the buffers, in streams of the caller's, must be done before.
   *
   * @param x images {@code [n, channels, R, R]} in EDM space; may hold more values than n images have
   * @param sigma {@code [n]} noise levels in EDM space, finite and positive; its length is the batch
   * @param labels {@code [n]} classes in [0, classes), or -1 for unconditional; null = all unconditional
   * @param denoised takes {@code [n, channels, R, R]}; may be x itself, else the two must not overlap
   * @throws DiffcertException of kind USAGE if a length, level or label does not fit, a buffer is another device's, or
   *     the model is on several devices
   * @throws IllegalStateException if the model or a buffer is closed
   */
  public void denoise(DeviceBuffer x, double[] sigma, int[] labels, DeviceBuffer denoised) {
    int n = sigma.length;
    long needed = (long) n * inputs;
    for (DeviceBuffer buffer : new DeviceBuffer[] {x, denoised}) {
      if (!buffer.device().isSameAs(options.device())) {
        throw DiffcertException.usage("The model is on the device " + options.device() + ", the images are on "
            + buffer.device() + ".");
      }
      if (buffer.values() < needed) {
        throw DiffcertException.usage("A buffer of " + buffer.values() + " values does not hold " + n + " images of "
            + inputs + " values.");
      }
    }
    checkBatch(n, needed, labels);
    checkLevels(sigma);
    handle.call(p -> {
      NativeLibrary.check(DiffcertAbi.dc_model_denoise_resident(p, n, x.address(), sigma, labels, denoised.address()),
          "dc_model_denoise_resident");
      return null;
    });
    Reference.reachabilityFence(x);
    Reference.reachabilityFence(denoised);
  }

  /**
   * F(x; noise label, label): the network without its preconditioning.
   *
   * @param x {@code [n, channels, R, R]}, scaled as the network wants it; values that are not finite as for
   *     {@link #denoise denoise}
   * @param noiseLabel {@code [n]} what the preconditioner derives from sigma; its length is the batch
   * @param labels {@code [n]} classes in [0, classes), or -1 for unconditional; null = all unconditional
   * @return {@code [n, outputs, R, R]}, where outputs is channels, twice that under iDDPM, or heads times channels,
   *     head after head
   * @throws DiffcertException of kind USAGE if a length or label does not fit
   * @throws IllegalStateException if the model is closed
   */
  public float[] network(float[] x, float[] noiseLabel, int[] labels) {
    int n = noiseLabel.length;
    checkBatch(n, x.length, labels);
    float[] output = new float[Math.multiplyExact(n, outputs)];
    handle.call(p -> {
      NativeLibrary.check(DiffcertAbi.dc_model_network(p, n, x, noiseLabel, labels, output), "dc_model_network");
      return null;
    });
    return output;
  }

  /**
   * What the model holds in memory.
   *
   * @return bytes of weights and of working memory
   * @throws IllegalStateException if the model is closed
   */
  public Memory memory() {
    long[] weights = new long[1];
    long[] arena = new long[1];
    handle.call(p -> {
      NativeLibrary.check(DiffcertAbi.dc_model_memory(p, weights, arena), "dc_model_memory");
      return null;
    });
    return new Memory(weights[0], arena[0]);
  }

  /**
   * The description of the network.
   *
   * @return the configuration; also on a closed model
   */
  public NetworkConfig config() {
    return config;
  }

  /**
   * The digest of weights and configuration that identifies the model.
   *
   * @return hexadecimal digits; also on a closed model
   */
  public String digest() {
    return digest;
  }

  /**
   * How the model was opened.
   *
   * @return the options; also on a closed model
   */
  public DeviceOptions options() {
    return options;
  }

  /**
   * The largest batch of a call.
   *
   * @return rows: what the model was opened for, or what the device chose; also on a closed model
   */
  public int maxBatch() {
    return maxBatch;
  }

  /** Gives the native memory back, once no call runs and no classifier uses it. Closing twice is fine. */
  @Override
  public void close() {
    handle.close(watch);
  }

  /** Whether {@link #close()} was called. */
  boolean isClosed() {
    return handle.isClosed();
  }

  /** The handle, for classifiers: they take a hold on it, so that the network stays while they live. */
  NativeHandle<dc_model> handle() {
    return handle;
  }

  /** Runs one native call on the model, serialised with all others. */
  <T> T call(Function<dc_model, T> body) {
    return handle.call(body);
  }

  private static void checkLevels(double[] sigma) {
    for (int i = 0; i < sigma.length; i++) {
      if (!(sigma[i] > 0 && sigma[i] < Double.POSITIVE_INFINITY)) {
        throw DiffcertException.usage("The noise level of row " + i + " must be finite and positive, not " + sigma[i]
            + ".");
      }
    }
  }

  private void checkBatch(int n, long values, int[] labels) {
    if (n < 1 || n > maxBatch) {
      throw DiffcertException.usage("A batch of " + n + " does not fit: the model was opened for 1 to " + maxBatch
          + " rows.");
    }
    if (values != (long) n * inputs) {
      throw DiffcertException.usage("The images have " + values + " values, but " + n + " images of "
          + config.imgChannels() + "x"
          + config.imgResolution() + "x" + config.imgResolution() + " have " + (long) n * inputs + ".");
    }
    if (labels == null) {
      return;
    }
    if (labels.length != n) {
      throw DiffcertException.usage("There are " + labels.length + " labels for " + n + " images.");
    }
    for (int i = 0; i < n; i++) {
      if (labels[i] < -1 || labels[i] >= config.classes()) {
        throw DiffcertException.usage("The label of row " + i + " is " + labels[i] + ", but the model knows "
            + (config.classes() == 0 ? "no classes (use -1)" : "0 to " + (config.classes() - 1) + " and -1 for none")
            + ".");
      }
    }
  }
}
