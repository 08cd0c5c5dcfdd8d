package org.diffcert.onnx;

/**
 * The one float32 that an integer has in a channel (S7): looked up for the integers that noise of up to sigma 1 leads
 * to, computed by the same expression for others.
 */
final class ValueTable {
  private static final int LOW = -255 * 6;
  private static final int HIGH = 255 * 7;

  private final OnnxOptions options;
  private final float[][] table;

  ValueTable(OnnxOptions options, int channels) {
    this.options = options;
    this.table = new float[channels][HIGH - LOW + 1];
    for (int channel = 0; channel < channels; channel++) {
      for (int s = LOW; s <= HIGH; s++) {
        table[channel][s - LOW] = options.value(channel, s);
      }
    }
  }

  float of(int channel, int s) {
    return s >= LOW && s <= HIGH ? table[channel][s - LOW] : options.value(channel, s);
  }
}
