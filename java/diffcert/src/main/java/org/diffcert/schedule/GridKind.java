package org.diffcert.schedule;

import org.diffcert.Named;

/** How the points of a grid of noise levels are spaced. */
public enum GridKind implements Named {
  /** Equal differences, as the published scripts have it. */
  LINEAR("linear"),
  /** Equal ratios: few levels go further. */
  LOG("log");

  private final String cliName;

  GridKind(String cliName) {
    this.cliName = cliName;
  }

  @Override
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
    return Named.find(values(), name, "grid");
  }
}
