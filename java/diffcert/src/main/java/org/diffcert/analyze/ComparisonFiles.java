package org.diffcert.analyze;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.diffcert.file.Json;

/** A comparison for machines: a table with a line a method and radius, and the same as JSON. Thread-safe. */
public final class ComparisonFiles {
  private static final String COLUMNS = "log\tmethod\timages\tradius\taccuracy\tlower\tupper\tacr\tabstain"
      + "\tcalls_per_vote\tseconds_per_image\tonly_first\tonly_this\tdifference\tdifference_lower\tdifference_upper"
      + "\tp_value\tacr_difference\tacr_standard_error";

  private ComparisonFiles() {}

  /**
   * A line a method and radius, separated by tabs; figures with 17 digits, nothing where there is no such figure. The
   * columns from {@code only_first} on compare with the first method, whose own lines have none.
   *
   * @param comparison the methods
   * @param radii the radii
   * @return lines, each ended by a line feed
   */
  public static String tsv(Comparison comparison, List<Summary.Radius> radii) {
    StringBuilder out = new StringBuilder(COLUMNS).append('\n');
    for (int i = 0; i < comparison.methods().size(); i++) {
      Comparison.Method method = comparison.methods().get(i);
      Analysis analysis = comparison.analysis(i);
      for (Summary.Radius radius : radii) {
        Proportion share = analysis.certifiedAccuracy(radius.value());
        List<String> cells = new ArrayList<>(List.of(plain(method.log().name()), plain(method.name()),
            Integer.toString(comparison.images().size()), radius.typed(), Decimals.seventeen(share.value()),
            Decimals.seventeen(share.lower()), Decimals.seventeen(share.upper()),
            Decimals.seventeen(analysis.averageCertifiedRadius()), Decimals.seventeen(analysis.abstention().value()),
            figure(method.callsPerVote()), figure(method.secondsPerImage())));
        if (i == 0) {
          cells.addAll(List.of("", "", "", "", "", "", "", ""));
        } else {
          PairedDifference d = comparison.difference(i, radius.value());
          Comparison.RadiusDifference r = comparison.radiusDifference(i);
          cells.addAll(List.of(Integer.toString(d.onlyFirst()), Integer.toString(d.onlyOther()),
              Decimals.seventeen(d.value()), Decimals.seventeen(d.lower()), Decimals.seventeen(d.upper()),
              Decimals.seventeen(d.pValue()), Decimals.seventeen(r.value()),
              Double.isNaN(r.standardError()) ? "" : Decimals.seventeen(r.standardError())));
        }
        out.append(String.join("\t", cells)).append('\n');
      }
    }
    return out.toString();
  }

  /**
   * The same as one JSON object: {@code images}, {@code notes}, {@code methods} and in each {@code at}, an
   * entry a radius.
   *
   * @param comparison the methods
   * @param radii the radii
   * @return the text, ended by a line feed
   */
  public static String json(Comparison comparison, List<Summary.Radius> radii) {
    List<Object> methods = new ArrayList<>();
    for (int i = 0; i < comparison.methods().size(); i++) {
      Comparison.Method method = comparison.methods().get(i);
      Analysis analysis = comparison.analysis(i);
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("log", method.log().name());
      entry.put("method", method.name());
      entry.put("acr", analysis.averageCertifiedRadius());
      entry.put("abstain", analysis.abstention().value());
      method.callsPerVote().ifPresent(calls -> entry.put("callsPerVote", calls));
      method.secondsPerImage().ifPresent(seconds -> entry.put("secondsPerImage", seconds));
      if (i > 0) {
        Comparison.RadiusDifference r = comparison.radiusDifference(i);
        entry.put("acrDifference", r.value());
        if (!Double.isNaN(r.standardError())) {
          entry.put("acrStandardError", r.standardError());
        }
      }
      List<Object> at = new ArrayList<>();
      for (Summary.Radius radius : radii) {
        Proportion share = analysis.certifiedAccuracy(radius.value());
        Map<String, Object> point = new LinkedHashMap<>();
        point.put("radius", radius.value());
        point.put("accuracy", share.value());
        point.put("interval", List.of(share.lower(), share.upper()));
        if (i > 0) {
          PairedDifference d = comparison.difference(i, radius.value());
          point.put("onlyFirst", d.onlyFirst());
          point.put("onlyThis", d.onlyOther());
          point.put("difference", d.value());
          point.put("differenceInterval", List.of(d.lower(), d.upper()));
          point.put("pValue", d.pValue());
        }
        at.add(point);
      }
      entry.put("at", at);
      methods.add(entry);
    }
    return Json.object().put("images", comparison.images()).put("notes", comparison.notes()).put("methods", methods)
        .write() + "\n";
  }

  private static String figure(Optional<Double> value) {
    return value.map(Decimals::seventeen).orElse("");
  }

  /** A name in a cell: a tab or line end would make two of it. */
  private static String plain(String name) {
    return name.replaceAll("[\\t\\r\\n]", " ");
  }
}
