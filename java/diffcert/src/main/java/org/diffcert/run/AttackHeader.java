package org.diffcert.run;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.attack.AttackKind;
import org.diffcert.attack.AttackNorm;
import org.diffcert.attack.AttackPlan;
import org.diffcert.attack.AttackSettings;
import org.diffcert.attack.Budget;
import org.diffcert.file.Json;
import org.diffcert.image.ImageShape;

/**
 * The first line of an attack's log: everything that its records depend on. Two with equal headers have equal records.
 * Immutable, thread-safe.
 *
 * @param plan attacks, budgets, effort
 * @param target the identity of what is attacked
 * @param data the data's name, without machine paths
 * @param dataDigest SHA-256 of the data, in hex
 * @param classNames the classes, in label order
 * @param shape the images' shape
 * @param images which images
 * @param library version of this library
 * @param nativeBuild version of the native library, or of what else computes
 * @param device what scores are computed on, as far as it can change their bits
 */
public record AttackHeader(AttackPlan plan, Map<String, Object> target, String data, String dataDigest,
    List<String> classNames, ImageShape shape, ImageRange images, String library, String nativeBuild, String device) {
  /** The version of the log's format. */
  public static final int SCHEMA = 1;

  /**
   * Copies; the target's numbers become what they read back as.
   *
   * @param plan attacks, budgets, effort
   * @param target the identity of what is attacked
   * @param data the data's name
   * @param dataDigest SHA-256 of the data
   * @param classNames the classes
   * @param shape the images' shape
   * @param images which images
   * @param library version of this library
   * @param nativeBuild version of the native library
   * @param device what scores are computed on
   */
  public AttackHeader {
    classNames = List.copyOf(classNames);
    target = Fields.object("the target", Json.parse(Json.of(target).write(), "the target").plain());
  }

  /**
   * The fields in which two headers differ.
   *
   * @param there the header of an existing run
   * @return sentences; empty when they are equal
   */
  public List<String> differences(AttackHeader there) {
    return RunHeader.differences(there.encode(), encode());
  }

  /**
   * The header's text, canonical.
   *
   * @return JSON
   */
  public String text() {
    return Json.of(encode()).write();
  }

  Map<String, Object> encode() {
    Map<String, Object> planMap = new LinkedHashMap<>();
    planMap.put("attacks", plan.attacks().stream().map(AttackKind::cliName).toList());
    planMap.put("norm", plan.budgets().isEmpty() ? "" : plan.budgets().get(0).norm().cliName());
    planMap.put("budgets", plan.budgets().stream().map(Budget::text).toList());
    planMap.put("settings", plan.settings().identity());
    planMap.put("checked", (long) plan.checked());
    planMap.put("agreement", (long) plan.agreement());
    Map<String, Object> dataMap = new LinkedHashMap<>();
    dataMap.put("name", data);
    dataMap.put("sha256", dataDigest);
    dataMap.put("classes", classNames);
    dataMap.put("shape", List.of((long) shape.channels(), (long) shape.height(), (long) shape.width()));
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("attackSchema", (long) SCHEMA);
    body.put("plan", planMap);
    body.put("target", target);
    body.put("data", dataMap);
    body.put("images", images.encode());
    body.put("library", library);
    body.put("native", nativeBuild);
    body.put("device", device);
    return body;
  }

  static AttackHeader decode(Map<String, Object> body) {
    Fields fields = new Fields("the header", body, "attackSchema", "plan", "target", "data", "images", "library",
        "native", "device");
    fields.integer("attackSchema", SCHEMA, SCHEMA);
    Fields data = new Fields("data", fields.raw("data"), "name", "sha256", "classes", "shape");
    int[] extents = data.counts("shape");
    if (extents.length != 3 || data.list("classes").size() < 2) {
      throw Fields.bad("the header's shape has " + extents.length + " extents, its data " + data.list("classes").size()
          + " classes");
    }
    try {
      return new AttackHeader(plan(fields.raw("plan")), fields.object("target"), data.string("name"),
          data.string("sha256"), data.strings("classes"), new ImageShape(extents[0], extents[1], extents[2]),
          ImageRange.decode(fields.raw("images")),
          fields.string("library"), fields.string("native"), fields.string("device"));
    } catch (IllegalArgumentException | DiffcertException e) {
      // A range that an option may not have is no better in a file.
      throw Fields.bad("the header is impossible: " + e.getMessage());
    }
  }

  private static AttackPlan plan(Object value) {
    Fields plan = new Fields("the plan", value, "attacks", "norm", "budgets", "settings", "checked", "agreement");
    Fields settings = new Fields("the settings", plan.raw("settings"), "steps", "restarts", "targets", "stepSize",
        "eot", "queries", "seed");
    int most = Integer.MAX_VALUE;
    List<Budget> budgets = new ArrayList<>();
    for (String text : plan.strings("budgets")) {
      budgets.add(Budget.of(AttackNorm.of(plan.string("norm")), text));
    }
    long seed;
    try {
      seed = Long.parseUnsignedLong(settings.string("seed"));
    } catch (NumberFormatException e) {
      throw Fields.bad("the settings' seed is no number of 64 bits");
    }
    return new AttackPlan(plan.strings("attacks").stream().map(AttackKind::of).toList(), budgets,
        new AttackSettings(settings.count("steps", 1, most), settings.count("restarts", 1, most),
            settings.count("targets", 1, most),
            settings.number("stepSize"), settings.count("eot", 1, most), settings.count("queries", 1, most), seed),
        plan.count("checked", 0, most), plan.count("agreement", 0, most));
  }
}
