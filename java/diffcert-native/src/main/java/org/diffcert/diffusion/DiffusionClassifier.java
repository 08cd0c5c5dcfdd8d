package org.diffcert.diffusion;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.diffcert.DiffcertException;
import org.diffcert.certify.VoteSource;
import org.diffcert.diffusion.jni.DiffcertAbi;
import org.diffcert.diffusion.jni.dc_classifier;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.model.NetworkConfig;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.diffcert.schedule.Schedule;

/**
 * A diffusion classifier whose votes are certified: the class with the least weighted loss of a diffusion model, under
 * smoothing noise (docs/spec/classifiers.md; Chen et al. 2024). A vote is a pure function of {@link #identity()},
 * {@link #provenance()} and its keys.
 *
 * <p>Life and threads are those of {@link DiffusionModel}: closing twice is fine, every other method throws
 * {@link IllegalStateException} after close, close waits for a running call, calls run one after another, also with
 * other calls on the same model. The classifier keeps the networks of its models until it is closed, whether or not the
 * models are closed before.
 */
public final class DiffusionClassifier implements VoteSource {
  private final NativeHandle<dc_classifier> handle;
  private final Cleaner.Cleanable watch;
  private final ModelPair models;
  private final ClassifierOptions options;
  private final ImageShape shape;
  private final int classes;
  private final Map<String, Object> identity;
  private final Map<String, Object> provenance;

  private DiffusionClassifier(NativeHandle<dc_classifier> handle, ModelPair models, DiffusionModel model,
      DiffusionModel unconditional, ClassifierOptions options, List<Schedule> schedules) {
    this.handle = handle;
    this.models = models;
    this.options = options;
    NetworkConfig config = model.config();
    this.shape = new ImageShape(config.imgChannels(), config.imgResolution(), config.imgResolution());
    this.classes = config.classes();
    this.identity = identity(model, unconditional, options, schedules);
    this.provenance = provenance(model, unconditional);
    this.watch = handle.watch(this);
  }

  /**
   * Makes a classifier of a model.
   *
   * @param model a class-conditional model, open
   * @param unconditional the model of the unconditional denoised estimate, open; null = the model itself without a
   *     label
   * @param options which classifier
   * @return the open classifier
   * @throws DiffcertException of kind USAGE if the model has fewer than two classes, the two models' images differ in
   *     shape, or the levels do not fit the sigmas
   * @throws IllegalStateException if a model is closed
   */
  public static DiffusionClassifier open(DiffusionModel model, DiffusionModel unconditional,
      ClassifierOptions options) {
    NativeLibrary.load();
    List<Schedule> schedules = options.schedules();
    List<Schedule> sifting = options.siftSchedules();
    ModelPair models = new ModelPair(model, unconditional);
    try {
      ClassifierStructs structs = new ClassifierStructs(options.noise(), schedules, sifting, options.pruning());
      dc_classifier pointer = new dc_classifier();
      models.call((m, u) -> {
        NativeLibrary.check(DiffcertAbi.dc_classifier_create(m, u, options.kind().code(), options.clamp() ? 1 : 0,
            options.noise().code(),
            options.seed(), schedules.size(), structs.first(), structs.prune(), options.batch(), pointer),
            "dc_classifier_create");
        return null;
      });
      Reference.reachabilityFence(structs);
      NativeHandle<dc_classifier> handle = new NativeHandle<>("diffusion classifier", pointer, p -> {
        DiffcertAbi.dc_classifier_close(p);
        models.release();
      });
      return new DiffusionClassifier(handle, models, model, unconditional, options,
          Stream.concat(schedules.stream(), sifting.stream()).toList());
    } catch (RuntimeException | Error e) {
      models.release();
      throw e;
    }
  }

  private static Map<String, Object> identity(DiffusionModel model, DiffusionModel unconditional,
      ClassifierOptions options, List<Schedule> schedules) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("model", model.digest());
    if (unconditional != null && options.kind().readsUnconditional()) {
      map.put("unconditional", unconditional.digest());
    }
    map.put("classifier", options.kind().cliName());
    map.put("sigmas", options.sigmas().stream().map(Sigma::unit).toList());
    map.put("levels", options.levels());
    map.put("grid", options.grid().cliName());
    map.put("weights", options.weighting().cliName());
    map.put("schedule", digest(schedules));
    map.put("clamp", options.clamp());
    map.putAll(options.pruning().identity());
    map.put("noise", options.noise().cliName());
    map.put("seed", Long.toUnsignedString(options.seed()));
    return Collections.unmodifiableMap(map);
  }

  private static Map<String, Object> provenance(DiffusionModel model, DiffusionModel unconditional) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("device", model.options().identity());
    if (unconditional != null) {
      map.put("unconditionalDevice", unconditional.options().identity());
    }
    map.put("nativeBuild", NativeLibrary.buildDigest());
    map.put("nativeInfo", NativeLibrary.buildInfo());
    return Collections.unmodifiableMap(map);
  }

  /**
   * SHA-256 over the levels' ends and weights as big-endian float64: two machines whose pow differs in a last bit
   * differ here.
   */
  private static String digest(List<Schedule> schedules) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      for (Schedule schedule : schedules) {
        for (double[] values : List.of(schedule.lower(), schedule.upper(), schedule.weights())) {
          ByteBuffer bytes = ByteBuffer.allocate(values.length * Double.BYTES);
          bytes.asDoubleBuffer().put(values);
          sha.update(bytes);
        }
      }
      return HexFormat.of().formatHex(sha.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  @Override
  public int classes() {
    return classes;
  }

  @Override
  public ImageShape shape() {
    return shape;
  }

  @Override
  public List<Sigma> sigmas() {
    return options.sigmas();
  }

  /**
   * How the classifier was opened.
   *
   * @return the options; also on a closed classifier
   */
  public ClassifierOptions options() {
    return options;
  }

  @Override
  public Map<String, Object> identity() {
    return identity;
  }

  /**
   * What computes the votes: the device and the build of the native core. Certificates name it (S16): on another device
   * or build, votes may differ where two classes' losses agree to the last bits.
   *
   * @return an ordered map
   */
  public Map<String, Object> provenance() {
    return provenance;
  }

  @Override
  public long callsPerSample() {
    long[] calls = new long[1];
    handle.call(p -> {
      NativeLibrary.check(DiffcertAbi.dc_classifier_calls_per_sample(p, calls), "dc_classifier_calls_per_sample");
      return null;
    });
    return calls[0];
  }

  @Override
  public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes) {
    votes(image, imageId, phase, from, to, votes, new long[Math.max(0, to - from)]);
  }

  @Override
  public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes, long[] calls) {
    checkImage(image);
    long count = Integer.toUnsignedLong(to) - Integer.toUnsignedLong(from);
    if (count < 0 || votes.length != sigmas().size()) {
      throw new IllegalArgumentException("samples " + from + " to " + to + " at " + votes.length
          + " sigmas were asked of a classifier of "
          + sigmas().size() + " sigmas");
    }
    int samples = Math.toIntExact(count);
    if (calls.length < samples) {
      throw new IllegalArgumentException("a place for the calls of " + calls.length + " samples of " + samples);
    }
    int[] flat = new int[Math.multiplyExact(samples, votes.length)];
    byte[] pixels = image.toBytes();
    handle.call(p -> models.call((m, u) -> {
      NativeLibrary.check(DiffcertAbi.dc_classifier_votes(p, pixels, pixels.length, imageId, phase.code(), from, to,
          flat, calls),
          "dc_classifier_votes");
      return null;
    }));
    for (int s = 0; s < votes.length; s++) {
      System.arraycopy(flat, s * samples, votes[s], 0, samples);
    }
  }

  /**
   * The losses of one sample, as its votes compare them; the vote is the class of the least, the lowest class among
   * equals, or none if one is NaN or the noise was ambiguous. A loss that is not finite is given as NaN. With pruning,
   * a class that was dropped has infinity, the loss of one that was left alone covers the levels computed by then, and
   * all are NaN if a value that was needed was not finite.
   *
   * @param image the image
   * @param imageId its index in the data set, part of the noise key
   * @param phase what the sample is for
   * @param sample the sample's number, not the last (2^32 - 1)
   * @return {@code [sigma][class]}
   * @throws IllegalStateException if the classifier is closed
   */
  public double[][] losses(ByteImage image, int imageId, Phase phase, int sample) {
    checkImage(image);
    double[] flat = new double[sigmas().size() * classes];
    byte[] pixels = image.toBytes();
    handle.call(p -> models.call((m, u) -> {
      NativeLibrary.check(DiffcertAbi.dc_classifier_losses(p, pixels, pixels.length, imageId, phase.code(), sample,
          flat),
          "dc_classifier_losses");
      return null;
    }));
    double[][] losses = new double[sigmas().size()][classes];
    for (int s = 0; s < losses.length; s++) {
      System.arraycopy(flat, s * classes, losses[s], 0, classes);
    }
    return losses;
  }

  private void checkImage(ByteImage image) {
    if (!image.shape().equals(shape)) {
      throw DiffcertException.usage("The classifier takes images of " + shape + ", not of " + image.shape() + ".");
    }
  }

  /** Gives the native memory back once no call runs, and lets go of the models. Closing twice is fine. */
  @Override
  public void close() {
    handle.close(watch);
  }
}
