package org.diffcert.run;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.diffcert.DiffcertException;
import org.diffcert.certify.Cascade;
import org.diffcert.certify.CascadeRule;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.certify.Stopping;
import org.diffcert.file.Json;
import org.diffcert.noise.Sigma;

/**
 * The first line of a run log: everything that the certificates depend on. Two runs with equal headers give equal
 * records. Immutable, thread-safe.
 *
 * @param config sample counts and error probability
 * @param sigmas the smoothing levels, ascending
 * @param source the vote source's identity: model digests, classifier, noise, seed; strings, numbers, booleans, lists,
 *     maps of these
 * @param data the data's name, without machine paths
 * @param dataDigest SHA-256 of the data, in hex
 * @param classNames the classes, in label order, at least 2
 * @param images which images
 * @param library version of this library
 * @param nativeBuild version of the native library, empty where there is none
 * @param device what the votes are computed on, as far as it can change their bits
 * @param cascade threshold and walk of a cascade over the sigmas, empty where each is certified for itself
 */
public record RunHeader(CertifyConfig config, List<Sigma> sigmas, Map<String, Object> source, String data,
    String dataDigest, List<String> classNames, ImageRange images, String library, String nativeBuild, String device,
    Optional<Cascade> cascade) {
  /** The version of the log's format. */
  public static final int SCHEMA = 1;
  /** The version of what a certificate means; it changes whenever a radius could. */
  public static final int SEMANTICS = 1;

  private static final int MOST_CLASSES = 1_000_000;

  /**
   * Checks and copies; the source's numbers become what they read back as.
   *
   * @param config sample counts and error probability
   * @param sigmas the smoothing levels
   * @param source the vote source's identity
   * @param data the data's name
   * @param dataDigest SHA-256 of the data
   * @param classNames the classes
   * @param images which images
   * @param library version of this library
   * @param nativeBuild version of the native library
   * @param device what the votes are computed on
   * @param cascade threshold and walk of a cascade
   */
  public RunHeader {
    sigmas = List.copyOf(sigmas);
    classNames = List.copyOf(classNames);
    source = Fields.object("the source", Json.parse(Json.of(source).write(), "the source").plain());
    for (int i = 1; i < sigmas.size(); i++) {
      if (sigmas.get(i - 1).compareTo(sigmas.get(i)) >= 0) {
        throw new IllegalArgumentException("the sigmas " + sigmas + " do not ascend");
      }
    }
    if (sigmas.isEmpty() || classNames.size() < 2 || classNames.size() > MOST_CLASSES) {
      throw new IllegalArgumentException(sigmas.size() + " sigmas and " + classNames.size() + " classes");
    }
  }

  /**
   * The header of a run that certifies each sigma for itself.
   *
   * @param config sample counts and error probability
   * @param sigmas the smoothing levels
   * @param source the vote source's identity
   * @param data the data's name
   * @param dataDigest SHA-256 of the data
   * @param classNames the classes
   * @param images which images
   * @param library version of this library
   * @param nativeBuild version of the native library
   * @param device what the votes are computed on
   */
  public RunHeader(CertifyConfig config, List<Sigma> sigmas, Map<String, Object> source, String data,
      String dataDigest, List<String> classNames, ImageRange images, String library, String nativeBuild,
      String device) {
    this(config, sigmas, source, data, dataDigest, classNames, images, library, nativeBuild, device,
        Optional.empty());
  }

  /**
   * How many certificates an image gets: one a sigma, or one of a cascade.
   *
   * @return at least 1
   */
  public int certificates() {
    return cascade.isPresent() ? 1 : sigmas.size();
  }

  /**
   * The error probability of one certificate.
   *
   * @return alpha over the size of the family
   */
  public double alphaEach() {
    return config.alphaEach(certificates());
  }

  /**
   * How certificates follow from the votes of a cascade's stages.
   *
   * @return the rule
   * @throws DiffcertException of kind USAGE if the number of samples is not fixed
   * @throws java.util.NoSuchElementException if the run is none of a cascade
   */
  public CascadeRule cascadeRule() {
    return new CascadeRule(cascade.orElseThrow(), sigmas, classNames.size(), config);
  }

  /**
   * SHA-256 of the header's text, without its start time: the run's name in a report.
   *
   * @return 64 hex digits
   */
  public String digest() {
    try {
      byte[] text = Json.of(encode()).write().getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /**
   * Whether alpha is the error probability of all certificates of the run together: the family is at least images times
   * certificates of each (S26).
   *
   * @return false if it is that of each image separately
   */
  public boolean joint() {
    return config.family() >= (long) images.size() * certificates();
  }

  /**
   * The fields in which two headers differ.
   *
   * @param there the header of an existing run
   * @return for example {@code config.n is 100 there and 200 here}; empty when they are equal
   */
  public List<String> differences(RunHeader there) {
    return differences(there.encode(), encode());
  }

  /** The same of the headers of any log. */
  static List<String> differences(Map<String, Object> there, Map<String, Object> here) {
    List<String> differences = new ArrayList<>();
    compare("", there, here, differences);
    return differences;
  }

  Map<String, Object> encode() {
    Map<String, Object> configMap = new LinkedHashMap<>();
    configMap.put("n0", (long) config.n0());
    configMap.put("n", (long) config.n());
    configMap.put("alpha", config.alpha());
    configMap.put("family", (long) config.family());
    configMap.put("stop", config.stop().kind().cliName());
    configMap.put("radii", config.stop().radii());
    configMap.put("sigmas", sigmas.stream().map(Sigma::unit).toList());
    cascade.ifPresent(c -> {
      Map<String, Object> cascadeMap = new LinkedHashMap<>();
      cascadeMap.put("p0", c.p0());
      cascadeMap.put("walk", c.walk().cliName());
      configMap.put("cascade", cascadeMap);
    });
    Map<String, Object> dataMap = new LinkedHashMap<>();
    dataMap.put("name", data);
    dataMap.put("sha256", dataDigest);
    dataMap.put("classes", classNames);
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("schema", (long) SCHEMA);
    body.put("semantics", (long) SEMANTICS);
    body.put("config", configMap);
    body.put("source", source);
    body.put("data", dataMap);
    body.put("images", images.encode());
    body.put("library", library);
    body.put("native", nativeBuild);
    body.put("device", device);
    return body;
  }

  static RunHeader decode(Map<String, Object> body) {
    Object schema = body.get("schema");
    if (schema instanceof Long version && version != SCHEMA) {
      throw Fields.bad("the log has format " + version + ", this version reads format " + SCHEMA);
    }
    if (body.get("semantics") instanceof Long version && version != SEMANTICS) {
      throw Fields.bad("the certificates have semantics " + version + ", this version knows " + SEMANTICS);
    }
    Fields fields = new Fields("the header", body, "schema", "semantics", "config", "source", "data", "images",
        "library", "native", "device");
    fields.integer("schema", SCHEMA, SCHEMA);
    fields.integer("semantics", SEMANTICS, SEMANTICS);
    boolean isCascade = fields.object("config").containsKey("cascade");
    String[] keys = {"n0", "n", "alpha", "family", "stop", "radii", "sigmas", "cascade"};
    Fields config = new Fields("config", fields.raw("config"), isCascade ? keys : Arrays.copyOf(keys, 7));
    Fields data = new Fields("data", fields.raw("data"), "name", "sha256", "classes");
    try {
      List<Sigma> sigmas = new ArrayList<>();
      for (double unit : config.numbers("sigmas")) {
        sigmas.add(new Sigma(unit));
      }
      Stopping stop = new Stopping(Stopping.Kind.of(config.string("stop")), config.numbers("radii"));
      if (!stop.radii().equals(config.numbers("radii"))) {
        throw Fields.bad("config.radii do not ascend");
      }
      int most = Integer.MAX_VALUE;
      Optional<Cascade> cascade = Optional.empty();
      if (isCascade) {
        Fields settings = new Fields("config.cascade", config.raw("cascade"), "p0", "walk");
        cascade = Optional.of(new Cascade(settings.number("p0"), Cascade.Walk.of(settings.string("walk"))));
      }
      return new RunHeader(
          new CertifyConfig(config.count("n0", 1, most), config.count("n", 1, most), config.number("alpha"),
              config.count("family", 1, most), stop),
          sigmas, fields.object("source"), data.string("name"), data.string("sha256"), data.strings("classes"),
          ImageRange.decode(fields.raw("images")),
          fields.string("library"), fields.string("native"), fields.string("device"), cascade);
    } catch (IllegalArgumentException e) {
      throw Fields.bad("the header is impossible: " + e.getMessage());
    } catch (DiffcertException e) { // a range that an option may not have is no better in a file
      throw Fields.bad("the header is impossible: " + e.getMessage());
    }
  }

  private static void compare(String path, Object there, Object here, List<String> differences) {
    if (there instanceof Map<?, ?> a && here instanceof Map<?, ?> b) {
      TreeSet<String> keys = new TreeSet<>();
      a.keySet().forEach(key -> keys.add((String) key));
      b.keySet().forEach(key -> keys.add((String) key));
      for (String key : keys) {
        compare(path.isEmpty() ? key : path + "." + key, a.get(key), b.get(key), differences);
      }
    } else if (!Json.of(there).write().equals(Json.of(here).write())) {
      differences.add(path + " is " + show(there) + " there and " + show(here) + " here");
    }
  }

  private static String show(Object value) {
    return value == null ? "absent" : Fields.abbreviate(Json.of(value).write());
  }
}
