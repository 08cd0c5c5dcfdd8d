package org.diffcert.analyze;

/** The colours of curves, each for white paper and for a dark screen; they differ in lightness too, for grey print. */
final class Palette {
  private static final String[] LIGHT = {"#2457c5", "#c04a1a", "#1f7a56", "#7d44ad", "#96690a", "#0b7488"};
  private static final String[] DARK = {"#8fb2ff", "#f59e78", "#79d0ab", "#cba6f0", "#e4c063", "#6ccbe2"};

  private Palette() {}

  static int size() {
    return LIGHT.length;
  }

  static String light(int series) {
    return LIGHT[series % LIGHT.length];
  }

  static String dark(int series) {
    return DARK[series % DARK.length];
  }
}
