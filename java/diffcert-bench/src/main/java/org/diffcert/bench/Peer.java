package org.diffcert.bench;

/** Something that runs the network: this library or another. */
interface Peer {
  /**
   * Who it is.
   *
   * @return a few words
   */
  String name();

  /**
   * F(x; noise label, label).
   *
   * @param x images {@code [n, channels, R, R]}
   * @param noiseLabel {@code [n]}
   * @param labels {@code [n]} classes, or -1
   * @return {@code [n, channels, R, R]}
   */
  float[] network(float[] x, float[] noiseLabel, int[] labels);
}
