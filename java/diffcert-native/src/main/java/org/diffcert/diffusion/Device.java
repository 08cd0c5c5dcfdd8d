package org.diffcert.diffusion;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.jni.DiffcertAbi;

/**
 * Where a network runs: {@code cpu}, {@code reference} (float64, slow: the oracle), {@code cuda} or {@code cuda:i}. Immutable.
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
  private static final Pattern CUDA = Pattern.compile("cuda(:\\d{1,3})?");
  /** The line that the kernel module says of itself, in both its forms. */
  private static final Pattern DRIVER = Pattern.compile("Kernel Module.*?\\s(\\d+\\.[\\d.]+)");
  private static final int LINE = 512;

  /**
   * A device of one of the known names.
   *
   * @param name the name as the native core knows it
   * @throws DiffcertException of kind USAGE if it is none of {@code cpu}, {@code reference}, {@code cuda}, {@code cuda:i}
   */
  public Device {
    if (!name.equals("cpu") && !name.equals("reference") && !CUDA.matcher(name).matches()) {
      throw DiffcertException.usage("There is no device '" + name + "'; the devices are auto, cpu, reference, cuda and cuda:i.");
    }
  }

  /**
   * The device of a name as users write it; {@code auto} takes the GPU if there is one, else the CPU, and logs one line that says why.
   *
   * @param name {@code auto}, {@code cpu}, {@code reference}, {@code cuda} or {@code cuda:i}
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
    NativeLibrary.load();
    byte[] line = new byte[LINE];
    NativeLibrary.check(DiffcertAbi.dc_device_describe(name, line, line.length), "dc_device_describe");
    int length = 0;
    while (line[length] != 0) {
      length++;
    }
    return new String(line, 0, length, StandardCharsets.UTF_8);
  }

  /**
   * The driver under this device, for the provenance of results.
   *
   * @return for example {@code NVIDIA 550.54.14}; empty for the CPU devices, which have none
   */
  public String driver() {
    return CUDA.matcher(name).matches() ? nvidiaDriver(Path.of("/proc/driver/nvidia/version")) : "";
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
