package org.diffcert.diffusion;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.jni.DiffcertAbi;

/**
 * Where a network runs: {@code cpu}, {@code reference} (float64, slow: the oracle), {@code cuda} or {@code cuda:i},
 * several GPUs such as {@code cuda:0,cuda:2}, or all of them, {@code cuda:all}. Immutable. On several, samples are
 * split and no vote shows it; they must have one compute capability. {@code emulator}, in the same forms, runs the
 * GPU's kernels on a CPU, for tests; no release has it.
 *
 * <p>A device that was asked for by name is used or the call fails; only {@code auto} chooses, and says why on the log.
 *
 * @param name the name as the native core knows it
 */
public record Device(String name) {
  /** The CPU in float32. */
  public static final Device CPU = new Device("cpu");
  /** The CPU in float64, slow and obvious. */
  public static final Device REFERENCE = new Device("reference");

  private static final System.Logger LOG = System.getLogger(Device.class.getName());
  private static final Pattern KERNELS = Pattern.compile("(cuda|emulator)(:\\d{1,3}|:all|:\\d{1,3}(,\\1:\\d{1,3})+)?");
  /** The line that the kernel module says of itself, in both its forms. */
  private static final Pattern DRIVER = Pattern.compile("Kernel Module.*?\\s(\\d+\\.[\\d.]+)");
  private static final int LINE = 4096;
  /** As many GPUs as a machine may have here. */
  private static final int MOST = 64;

  /**
   * A device of one of the known names.
   *
   * @param name the name as the native core knows it
   * @throws DiffcertException of kind USAGE if it is none of those above
   */
  public Device {
    if (!name.equals("cpu") && !name.equals("reference") && !KERNELS.matcher(name).matches()) {
      throw DiffcertException.usage("There is no device '" + name
          + "'; the devices are auto, cpu, reference, cuda and cuda:i, "
          + "several such as cuda:0,cuda:1, or cuda:all.");
    }
  }

  /**
   * The device of a name as users write it; {@code auto} takes the GPU if there is one, else the CPU, and logs one line
   * that says why.
   *
   * @param name {@code auto} or the name of a device
   * @return the device; that it is there is checked when it is described or used
   * @throws DiffcertException of kind USAGE for another name
   */
  public static Device of(String name) {
    if (!name.equals("auto")) {
      return new Device(name);
    }
    Device cuda = new Device("cuda");
    try {
      LOG.log(Level.INFO, "device: {0}", cuda.describe());
      return cuda;
    } catch (DiffcertException e) {
      LOG.log(Level.INFO, "device: cpu, because: {0}", e.getMessage());
      return CPU;
    }
  }

  /**
   * One line about this device, as found on this machine.
   *
   * @return the line
   * @throws DiffcertException of kind DEVICE if the device or the native library is not there
   */
  public String describe() {
    NativeLibrary.load(this);
    return line(buffer -> NativeLibrary.check(DiffcertAbi.dc_device_describe(name, buffer, buffer.length),
        "dc_device_describe"));
  }

  /**
   * What of the device can change the bits of a vote, as run logs keep it: the same for one GPU and for several of its
   * kind.
   *
   * @return {@code cpu}, {@code reference}, or for example {@code cuda-9.0}: the compute capability chooses the kernels
   * @throws DiffcertException of kind DEVICE if the device or the native library is not there
   */
  public String identity() {
    NativeLibrary.load(this);
    return line(buffer -> NativeLibrary.check(DiffcertAbi.dc_device_identity(name, buffer, buffer.length),
        "dc_device_identity"));
  }

  /**
   * The name to ask for where a run is repeated: the first device of this machine that has the run's identity.
   *
   * @param identity what {@link #identity()} gave, or {@link DeviceOptions#identity()}, whose form is then told by
   *     {@link DeviceOptions#formOfIdentity}
   * @return for example {@code cuda} for {@code cuda-9.0}, or {@code cuda:1} where the first GPU is of another
   *     capability; the kind alone where no device has that identity, so that what opens it says what is not there
   */
  public static String ofIdentity(String identity) {
    return ofIdentity(identity, name -> new Device(name).identity());
  }

  /** The same with the identities of devices as they are told; telling that of one that is not there fails. */
  static String ofIdentity(String identity, UnaryOperator<String> identityOf) {
    String wanted = DeviceOptions.deviceOfIdentity(identity);
    int dash = wanted.indexOf('-');
    if (dash < 0) {
      return wanted;
    }
    String kind = wanted.substring(0, dash);
    try {
      for (int i = 0; i < MOST; i++) {
        String name = i == 0 ? kind : kind + ":" + i;
        if (identityOf.apply(name).equals(wanted)) {
          return name;
        }
      }
    } catch (DiffcertException e) {
      LOG.log(Level.DEBUG, "no device is {0}: {1}", wanted, e.getMessage());
    }
    return kind;
  }

  /**
   * Whether two names mean the same device: {@code cuda} is {@code cuda:0}.
   *
   * @param other another device
   * @return true if they do
   */
  public boolean isSameAs(Device other) {
    return numbered().equals(other.numbered());
  }

  private String numbered() {
    return name.equals("cuda") || name.equals("emulator") ? name + ":0" : name;
  }

  private static String line(Consumer<byte[]> fill) {
    byte[] line = new byte[LINE];
    fill.accept(line);
    int length = 0;
    while (line[length] != 0) {
      length++;
    }
    return new String(line, 0, length, StandardCharsets.UTF_8);
  }

  /**
   * The driver under this device, for the provenance of results.
   *
   * @return for example {@code NVIDIA 550.54.14}; empty for other devices than GPUs, which have none
   */
  public String driver() {
    return name.startsWith("cuda") ? nvidiaDriver(Path.of("/proc/driver/nvidia/version")) : "";
  }

  static String nvidiaDriver(Path file) {
    try {
      Matcher version = DRIVER.matcher(Files.readString(file));
      return version.find() ? "NVIDIA " + version.group(1) : "NVIDIA, of unknown version";
    } catch (IOException e) {
      return "NVIDIA, of unknown version";
    }
  }

  /**
   * The name, as it is written on a command line and in a run log.
   *
   * @return the name
   */
  @Override
  public String toString() {
    return name;
  }
}
