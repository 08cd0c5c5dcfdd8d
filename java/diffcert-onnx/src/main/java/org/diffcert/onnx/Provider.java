package org.diffcert.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
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
   * What computes, by the names that Linux has for it: the processor, and with CUDA the GPUs.
   *
   * @param proc the folder of the kernel's tables
   */
  String hardware(Path proc) {
    String processor = named(proc.resolve("cpuinfo"), "model name").orElse(System.getProperty("os.arch"));
    if (cuda < 0) {
      return processor;
    }
    List<String> cards = new ArrayList<>();
    try (Stream<Path> folders = Files.list(proc.resolve("driver/nvidia/gpus"))) {
      folders.sorted().forEach(card -> named(card.resolve("information"), "Model").ifPresent(cards::add));
    } catch (IOException e) {
      cards.clear();
    }
    if (cards.isEmpty()) {
      cards.add("a GPU without a name");
    }
    List<String> kinds = cards.stream().distinct().toList();
    // Which of several kinds is number N is CUDA's to say: then the number is a part of it.
    return String.join(" and ", kinds) + (kinds.size() > 1 ? " (" + this + ")" : "") + ", " + processor;
  }

  /** What stands behind "key :" in a table of the kernel. */
  private static Optional<String> named(Path table, String key) {
    try (Stream<String> lines = Files.lines(table)) {
      return lines.filter(line -> line.startsWith(key)).findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
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
