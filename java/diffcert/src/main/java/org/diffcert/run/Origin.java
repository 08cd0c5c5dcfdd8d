package org.diffcert.run;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where and when a run was begun: for people, and for finding its files again. Nothing in it can change a vote, so it
 * is no part of what a run is: it stands in the header's time, which no comparison reads. A run that is resumed
 * elsewhere keeps its first origin. Immutable, thread-safe.
 *
 * @param started when, to the millisecond
 * @param model file name of the network, without its folder; empty where there is none
 * @param unconditional the same of the second file: the network of the unconditional estimate, or the classifier
 *     behind a denoiser
 * @param device one line about the device: processor and instruction set, or GPU
 * @param driver the device's driver; empty for a CPU
 * @param build compiler and parts of the native library; empty where there is none
 * @param java the Java machine and its version
 * @param system operating system and architecture
 */
public record Origin(Instant started, String model, String unconditional, String device, String driver, String build,
    String java, String system) {
  private static final String[] KEYS = {"started", "model", "unconditional", "device", "driver", "build", "java",
      "system"};

  /**
   * Drops what the log does not hold of the instant.
   *
   * @param started when
   * @param model file name of the network
   * @param unconditional file name of the second network
   * @param device one line about the device
   * @param driver the device's driver
   * @param build compiler and parts of the native library
   * @param java the Java machine and its version
   * @param system operating system and architecture
   */
  public Origin {
    started = Instant.ofEpochMilli(started.toEpochMilli());
  }

  /**
   * Here and now.
   *
   * @param model file name of the network, without its folder, or empty
   * @param unconditional the same of the second network, or empty
   * @param device one line about the device, or empty
   * @param driver the device's driver, or empty
   * @param build compiler and parts of the native library, or empty
   * @return the origin of a run that begins now in this Java machine
   */
  public static Origin here(String model, String unconditional, String device, String driver, String build) {
    return new Origin(Instant.now(), model, unconditional, device, driver, build,
        System.getProperty("java.vm.name") + " " + System.getProperty("java.version"),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"));
  }

  /**
   * The fields by their names in the log.
   *
   * @return an ordered map
   */
  public Map<String, String> fields() {
    String[] values = {started.toString(), model, unconditional, device, driver, build, java, system};
    Map<String, String> fields = new LinkedHashMap<>();
    for (int i = 0; i < KEYS.length; i++) {
      fields.put(KEYS[i], values[i]);
    }
    return fields;
  }

  Map<String, Object> encode() {
    return new LinkedHashMap<>(fields());
  }

  static Origin decode(Map<String, Object> time) {
    Fields fields = new Fields("time", time, KEYS);
    return new Origin(RunRecord.instant(fields.string("started")), fields.string("model"),
        fields.string("unconditional"), fields.string("device"), fields.string("driver"), fields.string("build"),
        fields.string("java"), fields.string("system"));
  }
}
