package org.diffcert.diffusion;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.jni.DiffcertAbi;
import org.diffcert.diffusion.jni.dc_network_config;
import org.diffcert.diffusion.jni.dc_train_options;
import org.diffcert.diffusion.jni.dc_trainer;
import org.diffcert.file.Tensor;
import org.diffcert.model.Architecture;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;
import org.diffcert.model.TensorSpec;

/**
 * A diffusion model that is being trained: its weights, Adam's moments (Kingma and Ba 2015) and the running average of
 * the weights, which is the finished model (docs/spec/training.md).
 *
 * <p>A step is a pure function of the state, the options, the images and their labels: neither the rows that go through
 * the network at once nor the threads show in a bit. A state that was read ({@link #state}, {@link #imagesSeen}, {@link
 * #steps}) and set again ({@link #restore}) goes on to the same losses on the same machine and build.
 *
 * <p>Life and threads are as for {@link DiffusionModel}: native memory is held from {@link #open open} to {@link #close
 * close}; closing twice is fine; any other call on a closed trainer throws {@link IllegalStateException}; any thread
 * may call, and calls run one after another.
 */
public final class Trainer implements AutoCloseable {
  /** The parts of the state; the order is that of {@code dc_train_tensor}. */
  public enum Part {
    /** The weights, as the next step finds them. */
    WEIGHT,
    /** Adam's running mean of the gradient. */
    FIRST_MOMENT,
    /** Adam's running mean of the gradient's square. */
    SECOND_MOMENT,
    /** The running average of the weights: the finished model. */
    AVERAGE
  }

  private final NativeHandle<dc_trainer> handle;
  private final Cleaner.Cleanable watch;
  private final NetworkConfig config;
  private final Map<String, TensorSpec> tensors = new LinkedHashMap<>();
  private final int elements;

  private Trainer(NativeHandle<dc_trainer> handle, NetworkConfig config) {
    this.handle = handle;
    this.config = config;
    this.elements = config.imgChannels() * config.imgResolution() * config.imgResolution();
    for (TensorSpec spec : Architecture.tensors(config)) {
      if (spec.role() != TensorSpec.Role.COMPUTED_BUFFER) {
        tensors.put(spec.name(), spec);
      }
    }
    this.watch = handle.watch(this);
  }

  /**
   * A network with the published initial weights, before its first step.
   *
   * @param config the network
   * @param device where it is trained, threads, the rows that go through the network at once ({@code maxBatch}) and
   *     their working memory
   * @param options what the training is
   * @return the trainer
   * @throws DiffcertException of kind DEVICE if the device or the native library is not there; of kind USAGE if the
   *     machine lacks the instruction set that was forced; of kind INTERNAL if memory runs out
   */
  public static Trainer open(NetworkConfig config, DeviceOptions device, TrainOptions options) {
    NativeLibrary.load(device.device());
    ByteBuffer network = struct(dc_network_config.class);
    dc_network_config networkStruct = new dc_network_config(new Pointer(network));
    NetworkStruct.fill(networkStruct, config);
    ByteBuffer training = struct(dc_train_options.class);
    dc_train_options trainingStruct = new dc_train_options(new Pointer(training));
    trainingStruct.loss(options.loss().ordinal()).level_mean(options.levelMean())
        .level_deviation(options.levelDeviation()).seed(options.seed()).learning_rate(options.learningRate())
        .warmup_images(options.warmupImages()).decay_images(options.decayImages())
        .final_rate(options.finalRate()).beta_1(TrainOptions.BETA_1).beta_2(TrainOptions.BETA_2)
        .epsilon(TrainOptions.EPSILON)
        .average_images(options.averageImages()).average_share(options.averageShare())
        .label_dropout(options.labelDropout()).dropout(options.dropout()).augment(options.augmentation().on() ? 1 : 0);
    dc_trainer pointer = new dc_trainer();
    NativeLibrary.check(DiffcertAbi.dc_trainer_create(networkStruct, device.device().name(), device.threads(),
        device.instructionSet(), trainingStruct, device.maxBatch(), device.rowBytes(), pointer), "dc_trainer_create");
    Reference.reachabilityFence(network);
    Reference.reachabilityFence(training);
    return new Trainer(new NativeHandle<>("trainer", pointer, DiffcertAbi::dc_trainer_close), config);
  }

  /**
   * Memory of Java's own for a struct, so that JavaCPP's accounting of native memory, which may refuse, has no part in
   * it.
   */
  private static ByteBuffer struct(Class<? extends Pointer> type) {
    return ByteBuffer.allocateDirect(Loader.sizeof(type)).order(ByteOrder.nativeOrder());
  }

  /**
   * One step of Adam on a batch.
   *
   * @param images {@code [n, channels, R, R]} in EDM space: x / 127.5 - 1 of 8-bit values
   * @param labels {@code [n]} classes in [0, classes), or -1 for none; its length is the batch, which may be any
   * @return the loss: the mean over elements of the weighted squares, before the step
   * @throws DiffcertException of kind USAGE if a length or a label does not fit
   * @throws IllegalStateException if the trainer is closed
   */
  public double step(float[] images, int[] labels) {
    return step(images, labels, null);
  }

  /**
   * One step of Adam on a batch of augmented images.
   *
   * @param images {@code [n, channels, R, R]} in EDM space, augmented
   * @param labels {@code [n]} classes in [0, classes), or -1 for none; its length is the batch, which may be any
   * @param augmented {@code [n, augmentDim]} what was done to each image, for a trainer whose options have
   *     augmentation; zeros, or null for the whole batch, where nothing was
   * @return the loss: the mean over elements of the weighted squares, before the step
   * @throws DiffcertException of kind USAGE if a length or a label does not fit
   * @throws IllegalStateException if the trainer is closed
   */
  public double step(float[] images, int[] labels, float[] augmented) {
    checkBatch(images, labels);
    if (augmented != null && augmented.length != (long) labels.length * config.augmentDim()) {
      throw DiffcertException.usage("The augmentation labels have " + augmented.length + " values, but those of "
          + labels.length + " images have " + (long) labels.length * config.augmentDim() + ".");
    }
    double[] loss = new double[1];
    call(p -> DiffcertAbi.dc_trainer_step(p, labels.length, images, labels, augmented, loss), "dc_trainer_step");
    return loss[0];
  }

  /**
   * One step of distillation, for a multi-head network: some heads of each image learn what a teacher makes of it.
   *
   * @param teacher a model of the same classes and images, open
   * @param heads heads that an image teaches: that of its label, and others drawn by its keys; 1 to all
   * @param images {@code [n, channels, R, R]} in EDM space: x / 127.5 - 1 of 8-bit values
   * @param labels {@code [n]} classes in [0, classes), or -1 for none; its length is the batch, which may be any
   * @return the loss: the mean over elements of the weighted squares of student less teacher, before the step
   * @throws DiffcertException of kind USAGE if a length, a label or the number of heads does not fit, or the teacher
   *     does not
   * @throws IllegalStateException if the trainer or the teacher is closed
   */
  public double distil(DiffusionModel teacher, int heads, float[] images, int[] labels) {
    checkBatch(images, labels);
    double[] loss = new double[1];
    teacher.call(t -> {
      call(p -> DiffcertAbi.dc_trainer_distil(p, t, heads, labels.length, images, labels, loss), "dc_trainer_distil");
      return null;
    });
    return loss[0];
  }

  /**
   * What the network makes of noisy images with its present weights, without a label: for losses that a caller
   * computes.
   *
   * @param x {@code [n, channels, R, R]} in EDM space, finite
   * @param sigma {@code [n]} the rows' noise levels in EDM space, above 0
   * @return the denoised images, as x
   * @throws DiffcertException of kind USAGE if a length does not fit, or a value is out of its range
   * @throws IllegalStateException if the trainer is closed
   */
  public float[] denoise(float[] x, double[] sigma) {
    checkRows(x, sigma);
    float[] denoised = new float[x.length];
    call(p -> DiffcertAbi.dc_trainer_denoise(p, sigma.length, sigma, unlabelled(sigma.length), x, denoised),
        "dc_trainer_denoise");
    return denoised;
  }

  /**
   * One step of Adam for a loss that the caller computes.
   *
   * @param images how many images the rows are made of: what progress, rates and average count; 1 to the rows
   * @param x rows as for {@link #denoise}
   * @param sigma their noise levels
   * @param cotangent the loss's gradient by the denoised rows, as x, finite
   * @throws DiffcertException of kind USAGE if a length does not fit, or a value is out of its range
   * @throws IllegalStateException if the trainer is closed
   */
  public void step(int images, float[] x, double[] sigma, float[] cotangent) {
    checkRows(x, sigma);
    if (cotangent.length != x.length || images < 1 || images > sigma.length) {
      throw DiffcertException.usage("The cotangent has " + cotangent.length + " values, the rows have " + x.length
          + "; " + images + " images make " + sigma.length + " rows.");
    }
    call(p -> DiffcertAbi.dc_trainer_step_cotangent(p, images, sigma.length, sigma, unlabelled(sigma.length), x,
        cotangent), "dc_trainer_step_cotangent");
  }

  private void checkRows(float[] x, double[] sigma) {
    if (sigma.length < 1 || x.length != (long) sigma.length * elements) {
      throw DiffcertException.usage("The images have " + x.length + " values, but " + sigma.length + " of them have "
          + (long) sigma.length * elements + ", and there is at least one.");
    }
  }

  private static int[] unlabelled(int rows) {
    int[] labels = new int[rows];
    Arrays.fill(labels, -1);
    return labels;
  }

  private void checkBatch(float[] images, int[] labels) {
    int n = labels.length;
    if (n < 1 || images.length != (long) n * elements) {
      throw DiffcertException.usage("The images have " + images.length + " values, but " + n + " images of "
          + config.imgChannels() + "x"
          + config.imgResolution() + "x" + config.imgResolution() + " have " + (long) n * elements
          + ", and a batch has at least one.");
    }
    for (int i = 0; i < n; i++) {
      if (labels[i] < -1 || labels[i] >= config.classes()) {
        throw DiffcertException.usage("The label of row " + i + " is " + labels[i] + ", but the network has "
            + config.classes()
            + " classes, from 0 on, and -1 for none.");
      }
    }
  }

  /**
   * How many images were shown since the beginning.
   *
   * @return images, counted as often as they were shown
   * @throws IllegalStateException if the trainer is closed
   */
  public long imagesSeen() {
    return progress()[0];
  }

  /**
   * How many steps were made since the beginning.
   *
   * @return steps
   * @throws IllegalStateException if the trainer is closed
   */
  public long steps() {
    return progress()[1];
  }

  private long[] progress() {
    long[] images = new long[1];
    long[] steps = new long[1];
    call(p -> DiffcertAbi.dc_trainer_progress(p, images, steps), "dc_trainer_progress");
    return new long[] {images[0], steps[0]};
  }

  /**
   * One part of the state, in the order of the published state dict.
   *
   * @param part which part
   * @return tensors whose values are copied when they are asked for, as they are then
   * @throws IllegalStateException if the trainer is closed, also when values are asked for
   */
  public List<Tensor> state(Part part) {
    progress();
    return tensors.values().stream().map(spec -> Tensor.of(spec.name(), spec.shape(), () -> values(part, spec)))
        .toList();
  }

  private float[] values(Part part, TensorSpec spec) {
    float[] values = new float[Math.toIntExact(spec.count())];
    call(p -> DiffcertAbi.dc_trainer_get(p, part.ordinal(), spec.name(), values, values.length), "dc_trainer_get");
    return values;
  }

  /**
   * Sets one part of the state.
   *
   * @param part which part
   * @param state its tensors by name, every one that the network learns or stores
   * @throws DiffcertException of kind BAD_INPUT if a tensor is missing, has another shape, or holds a value that is not
   *     finite; what was set before it stays set
   * @throws IllegalStateException if the trainer is closed
   */
  public void restore(Part part, Map<String, Tensor> state) {
    for (TensorSpec spec : tensors.values()) {
      Tensor tensor = state.get(spec.name());
      if (tensor == null || !tensor.shape().equals(spec.shape())) {
        throw DiffcertException.badInput("The training state "
            + (tensor == null ? "lacks the tensor '" + spec.name() + "'."
            : "has the tensor '" + spec.name() + "' of shape " + tensor.shape() + ", the network asks for "
            + spec.shape() + "."));
      }
      float[] values = tensor.floats();
      call(p -> DiffcertAbi.dc_trainer_set(p, part.ordinal(), spec.name(), values, values.length), "dc_trainer_set");
    }
  }

  /**
   * Sets how far the training is.
   *
   * @param images images shown, 0 or more
   * @param steps steps made, 0 or more
   * @throws DiffcertException of kind USAGE if one is negative
   * @throws IllegalStateException if the trainer is closed
   */
  public void restoreProgress(long images, long steps) {
    call(p -> DiffcertAbi.dc_trainer_set_progress(p, images, steps), "dc_trainer_set_progress");
  }

  /**
   * The finished model, as it would be now: the running average.
   *
   * @return a model in memory, independent of this trainer
   * @throws IllegalStateException if the trainer is closed
   */
  public Model model() {
    return Model.of(config, state(Part.AVERAGE).stream().map(t -> Tensor.of(t.name(), t.shape(), t.floats())).toList());
  }

  /**
   * The description of the network.
   *
   * @return the configuration; also on a closed trainer
   */
  public NetworkConfig config() {
    return config;
  }

  private void call(Function<dc_trainer, Integer> body, String name) {
    handle.call(p -> {
      NativeLibrary.check(body.apply(p), name);
      return null;
    });
  }

  /** Gives the native memory back, once no call runs. Closing twice is fine. */
  @Override
  public void close() {
    handle.close(watch);
  }
}
