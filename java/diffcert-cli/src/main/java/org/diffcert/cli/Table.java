package org.diffcert.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A table in plain text: columns as wide as they must be, all but the first set to the right. */
final class Table {
  private final List<String[]> rows = new ArrayList<>();

  Table(String... head) {
    rows.add(head);
  }

  void row(String... cells) {
    if (cells.length != rows.get(0).length) {
      throw new IllegalArgumentException(cells.length + " cells in a table of " + rows.get(0).length + " columns");
    }
    rows.add(cells);
  }

  @Override
  public String toString() {
    int[] width = new int[rows.get(0).length];
    for (String[] row : rows) {
      for (int i = 0; i < width.length; i++) {
        width[i] = Math.max(width[i], row[i].length());
      }
    }
    StringBuilder out = new StringBuilder();
    for (int r = 0; r < rows.size(); r++) {
      line(out, rows.get(r), width);
      if (r == 0) {
        out.append("-".repeat(Arrays.stream(width).sum() + 2 * (width.length - 1))).append('\n');
      }
    }
    return out.toString().stripTrailing();
  }

  private static void line(StringBuilder out, String[] row, int[] width) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < row.length; i++) {
      String pad = " ".repeat(width[i] - row[i].length());
      line.append(i == 0 ? row[i] + pad : "  " + pad + row[i]);
    }
    out.append(line.toString().stripTrailing()).append('\n');
  }
}
