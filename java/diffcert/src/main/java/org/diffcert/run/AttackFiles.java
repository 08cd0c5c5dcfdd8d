package org.diffcert.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.diffcert.attack.AttackKind;
import org.diffcert.attack.Budget;
import org.diffcert.file.Durable;
import org.diffcert.file.Json;
import org.diffcert.image.ByteImage;
import org.diffcert.image.NpzWriter;

/** What is made of an attack's log: tables for people and programs, and the images as arrays. */
final class AttackFiles {
  private static final String IMAGES = "images";

  private AttackFiles() {}

  /** Writes all of it, each file replaced in one step. */
  static void write(Path directory, AttackLog log) throws IOException {
    AttackTable table = AttackTable.of(log);
    Durable.replace(directory.resolve("attack.tsv"), tsv(table).getBytes(StandardCharsets.UTF_8));
    Durable.replace(directory.resolve("attack.json"), (json(log, table) + "\n").getBytes(StandardCharsets.UTF_8));
    Files.createDirectories(directory.resolve(IMAGES));
    for (AttackKind attack : log.header().plan().attacks()) {
      for (Budget budget : log.header().plan().budgets()) {
        images(directory, log, attack.cliName(), budget);
      }
    }
  }

  private static String tsv(AttackTable table) {
    StringBuilder text = new StringBuilder("attack\tnorm\tbudget\timages\tclean\tright\traw\trobust\n");
    for (AttackTable.Row row : table.rows()) {
      text.append(String.join("\t", row.attack(), row.budget().norm().cliName(), row.budget().text(),
          Integer.toString(table.images()),
          Integer.toString(table.clean()), Integer.toString(row.right()), Integer.toString(row.raw()),
          String.format(Locale.ROOT, "%.6f", (double) row.right() / table.images()))).append('\n');
    }
    return text.toString();
  }

  private static String json(AttackLog log, AttackTable table) {
    List<Object> rows = new ArrayList<>();
    for (AttackTable.Row row : table.rows()) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("attack", row.attack());
      map.put("norm", row.budget().norm().cliName());
      map.put("budget", row.budget().text());
      map.put("right", (long) row.right());
      map.put("raw", (long) row.raw());
      rows.add(map);
    }
    List<Object> checks = new ArrayList<>();
    for (AttackCheck check : AttackCheck.of(log)) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("name", check.name());
      map.put("passed", check.passed());
      map.put("finding", check.finding());
      checks.add(map);
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("header", log.header().encode());
    all.put("images", (long) table.images());
    all.put("clean", (long) table.clean());
    all.put("robust", rows);
    all.put("checks", checks);
    return Json.of(all).write();
  }

  /** One file an attack and budget, with an image for each that is right as it is; where there is none, no file. */
  private static void images(Path directory, AttackLog log, String attack, Budget budget) throws IOException {
    List<ByteImage> images = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    List<Integer> index = new ArrayList<>();
    for (AttackRecord record : log.records()) {
      if (record.attack().equals(attack) && record.budget().equals(budget.text())) {
        images.add(record.changed().orElseThrow());
        labels.add(record.label());
        index.add(record.image());
      }
    }
    if (!images.isEmpty()) {
      String name = attack + "-" + budget.norm().cliName() + "-" + budget.text().replace('/', '_') + ".npz";
      Durable.replace(directory.resolve(IMAGES).resolve(name), NpzWriter.bytes(log.header().shape(), images, labels,
          index));
    }
  }
}
