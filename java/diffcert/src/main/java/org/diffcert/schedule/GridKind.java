package org.diffcert.schedule;

import org.diffcert.DiffcertException;

/** How the points of a grid of noise levels are spaced. */
public enum GridKind {
  /** Equal differences, as the published scripts have it. */
  LINEAR("linear"),
  /** Equal ratios: few levels go further. */
  LOG("log");

  private final String cliName;

  GridKind(String cliName) {
    this.cliName = cliName;
  }

  /**
   * The name on the command line and in run logs.
   *
   * @return lower case
   */
  public String cliName() {
    return cliName;
  }

  /**
   * The grid of a name.
   *
   * @param name as on the command line
   * @return the grid
   */
  public static GridKind of(String name) {
    for (GridKind kind : values()) {
      if (kind.cliName.equals(name)) {
        return kind;
      }
    }
    throw DiffcertException.usage("no grid is called '" + name + "'; there are linear and log");
  }
}
