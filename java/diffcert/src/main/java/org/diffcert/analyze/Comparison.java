package org.diffcert.analyze;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;

/**
 * Several methods on the images that all of them have: what each certifies there, what it costs, and how it differs
 * from the first, image by image. docs/spec/analysis.md defines each figure. Immutable, thread-safe.
 *
 * @param methods one a log, in the order given, each with the shared images alone
 * @param images the images that all have, ascending, at least one
 * @param notes what a reader must know before comparing, a sentence each
 */
public record Comparison(List<Method> methods, List<Integer> images, List<String> notes) {
  /** How many names a sentence lists. */
  private static final int LISTED = 4;

  /**
   * A method's log and what is known of how it was made.
   *
   * @param panel the log, with what its maker says about it
   * @param name what the method is called, such as {@code denoised, sigma 0.5}
   * @param data digest of the images, empty where it is not known
   * @param conditions what should be alike if figures are to be compared, such as n and device, in words
   * @param work what each row took, in the order of the rows; empty where it is not known
   */
  public record Method(Report.Panel panel, String name, String data, Map<String, String> conditions, List<Work> work) {
    /**
     * Copies the collections.
     *
     * @param panel the log
     * @param name what the method is called
     * @param data digest of the images
     * @param conditions what should be alike
     * @param work what each row took
     */
    public Method {
      conditions = new LinkedHashMap<>(conditions);
      work = List.copyOf(work);
    }

    /**
     * The same under another name.
     *
     * @param other the panel, named otherwise
     * @return a copy
     */
    public Method with(Report.Panel other) {
      return new Method(other, name, data, conditions, work);
    }

    /** The rows. */
    Log log() {
      return panel.log();
    }

    /**
     * Network calls for one vote, over all rows.
     *
     * @return empty where they were not recorded
     */
    public Optional<Double> callsPerVote() {
      long votes = work.stream().mapToLong(Work::votes).sum();
      return votes == 0 ? Optional.empty()
          : Optional.of((double) work.stream().mapToLong(Work::calls).sum() / votes);
    }

    /**
     * Seconds for one image, over all rows.
     *
     * @return empty where they were not recorded
     */
    public Optional<Double> secondsPerImage() {
      return work.isEmpty() ? Optional.empty()
          : Optional.of(work.stream().mapToDouble(Work::seconds).sum() / work.size());
    }

    /** The same with the images named alone. */
    private Method only(Set<Integer> images) {
      List<Work> kept = new ArrayList<>();
      for (int i = 0; i < work.size(); i++) {
        if (images.contains(log().rows().get(i).image())) {
          kept.add(work.get(i));
        }
      }
      return new Method(panel.only(images), name, data, conditions, kept);
    }
  }

  /**
   * What one image took.
   *
   * @param calls network calls
   * @param votes votes that were counted
   * @param seconds how long it took
   */
  public record Work(long calls, long votes, double seconds) {}

  /**
   * How a method differs from the first in average certified radius.
   *
   * @param value mean over the images of radius minus the first's radius, wrong and abstaining ones counted as 0
   * @param standardError of that mean; NaN for a single image
   */
  public record RadiusDifference(double value, double standardError) {}

  /**
   * Copies the lists.
   *
   * @param methods one a log
   * @param images the images that all have
   * @param notes what a reader must know
   */
  public Comparison {
    methods = List.copyOf(methods);
    images = List.copyOf(images);
    notes = List.copyOf(notes);
  }

  /**
   * Compares methods on the images that all have.
   *
   * @param given two or more, all with radii
   * @return the comparison
   * @throws DiffcertException of kind USAGE if they cannot be compared: fewer than two, predictions without radii,
   *     other data, other labels, no image in common
   */
  public static Comparison of(List<Method> given) {
    if (given.size() < 2) {
      throw DiffcertException.usage("there is one log and nothing to compare it with; name two runs or more, or use "
          + "diffcert analyze");
    }
    for (Method method : given) {
      if (!method.log().certifies()) {
        throw DiffcertException.usage(method.log().name() + " holds predictions without radii; compare takes runs and "
            + "tables of certificates");
      }
    }
    List<String> notes = new ArrayList<>();
    refuseOtherData(given, notes);
    TreeSet<Integer> shared = new TreeSet<>(images(given.get(0)));
    given.forEach(method -> shared.retainAll(images(method)));
    if (shared.isEmpty()) {
      throw DiffcertException.usage("the runs have no image in common, so nothing can be compared: " + given.stream()
          .map(method -> method.log().name() + " has " + range(method)).collect(Collectors.joining("; ")));
    }
    refuseOtherLabels(given, shared);
    for (Method method : given) {
      int left = method.log().rows().size() - shared.size();
      if (left > 0) {
        notes.add(left + " of the " + method.log().rows().size() + " images of " + method.log().name()
            + " are left out, since not all runs have them");
      }
    }
    conditions(given, notes);
    return new Comparison(given.stream().map(method -> method.only(shared)).toList(), List.copyOf(shared), notes);
  }

  private static void refuseOtherData(List<Method> given, List<String> notes) {
    Map<String, String> first = new LinkedHashMap<>();
    given.stream().filter(method -> !method.data().isEmpty())
        .forEach(method -> first.putIfAbsent(method.data(), method.log().name()));
    if (first.size() > 1) {
      List<String> names = List.copyOf(first.values());
      throw DiffcertException.usage(names.get(0) + " and " + names.get(1) + " were made on different data: the digests "
          + "of their images differ");
    }
    List<String> unknown = given.stream().filter(m -> m.data().isEmpty()).map(m -> m.log().name()).toList();
    if (!unknown.isEmpty()) {
      notes.add("a table does not say which data it is of: that " + list(unknown)
          + (unknown.size() == 1 ? " is" : " are") + " of the same images is told from index and label alone");
    }
  }

  private static void refuseOtherLabels(List<Method> given, Set<Integer> shared) {
    Map<Integer, Integer> labels = new HashMap<>();
    for (Method method : given) {
      for (Row row : method.log().rows()) {
        Integer known = shared.contains(row.image()) ? labels.putIfAbsent(row.image(), row.label()) : null;
        if (known != null && known != row.label()) {
          throw DiffcertException.usage("image " + row.image() + " has label " + row.label() + " in "
              + method.log().name() + " and " + known + " in another log: they are not of the same data");
        }
      }
    }
  }

  /** What is not alike and should be. */
  private static void conditions(List<Method> given, List<String> notes) {
    Set<String> keys = new LinkedHashSet<>();
    given.forEach(method -> keys.addAll(method.conditions().keySet()));
    for (String key : keys) {
      Map<String, List<String>> values = new LinkedHashMap<>();
      given.stream().filter(method -> method.conditions().containsKey(key)).forEach(method ->
          values.computeIfAbsent(method.conditions().get(key), v -> new ArrayList<>()).add(method.log().name()));
      if (values.size() > 1) {
        notes.add(key + " differs: " + values.entrySet().stream().map(e -> e.getKey() + " (" + list(e.getValue()) + ")")
            .collect(Collectors.joining(", ")));
      }
    }
  }

  private static String list(List<String> names) {
    return names.stream().limit(LISTED).collect(Collectors.joining(", "))
        + (names.size() > LISTED ? " and " + (names.size() - LISTED) + " more" : "");
  }

  private static Set<Integer> images(Method method) {
    return method.log().rows().stream().map(Row::image).collect(Collectors.toSet());
  }

  private static String range(Method method) {
    TreeSet<Integer> images = new TreeSet<>(images(method));
    return images.isEmpty() ? "none" : images.first() + " to " + images.last();
  }

  /**
   * What a method certifies on the shared images.
   *
   * @param method its place
   * @return its figures
   */
  public Analysis analysis(int method) {
    return new Analysis(methods.get(method).log().rows());
  }

  /**
   * How a method differs from the first in certified accuracy, image by image.
   *
   * @param method its place
   * @param radius in [0,1] pixel units, at least 0
   * @return the difference
   */
  public PairedDifference difference(int method, double radius) {
    Map<Integer, Double> first = radii(0);
    int onlyFirst = 0;
    int onlyOther = 0;
    for (Map.Entry<Integer, Double> each : radii(method).entrySet()) {
      boolean there = first.get(each.getKey()) >= radius;
      boolean here = each.getValue() >= radius;
      onlyFirst += there && !here ? 1 : 0;
      onlyOther += here && !there ? 1 : 0;
    }
    return PairedDifference.of(onlyFirst, onlyOther, images.size());
  }

  /**
   * How a method differs from the first in average certified radius.
   *
   * @param method its place
   * @return the mean difference and its standard error
   */
  public RadiusDifference radiusDifference(int method) {
    Map<Integer, Double> first = radii(0);
    double[] differences = radii(method).entrySet().stream()
        .mapToDouble(e -> Math.max(0, e.getValue()) - Math.max(0, first.get(e.getKey()))).toArray();
    double mean = 0;
    for (double each : differences) {
      mean += each / differences.length;
    }
    double squares = 0;
    for (double each : differences) {
      squares += (each - mean) * (each - mean);
    }
    int n = differences.length;
    return new RadiusDifference(mean, n < 2 ? Double.NaN : Math.sqrt(squares / (n - 1) / n));
  }

  /** Radius by image, ascending; -1 of a row that is wrong or abstains, which reaches no radius. */
  private Map<Integer, Double> radii(int method) {
    Map<Integer, Double> radii = new LinkedHashMap<>();
    methods.get(method).log().rows().stream().sorted(Comparator.comparingInt(Row::image))
        .forEach(row -> radii.put(row.image(), row.correct() ? row.radius() : -1));
    return radii;
  }
}
