package org.diffcert.run;

import java.util.LinkedHashMap;
import java.util.Map;
import org.diffcert.DiffcertException;

/**
 * The images of a run, by index in the data set.
 *
 * @param from the first, at least 0
 * @param to one past the last, above from
 * @param step at least 1
 */
public record ImageRange(int from, int to, int step) {
  /**
   * Checks the range; a bad one is a usage error.
   *
   * @param from the first
   * @param to one past the last
   * @param step distance between neighbours
   */
  public ImageRange {
    if (from < 0 || to <= from || step < 1) {
      throw DiffcertException.usage(
          "the images " + from + ":" + to + ":" + step + " are none; write FROM:TO or FROM:TO:STEP");
    }
  }

  /**
   * How many there are.
   *
   * @return at least 1
   */
  public int size() {
    return (int) (((long) to - from + step - 1) / step);
  }

  /**
   * One of them.
   *
   * @param position 0 to size()-1
   * @return the image's index in the data set
   */
  public int get(int position) {
    return from + position * step;
  }

  /**
   * Whether an image is among them.
   *
   * @param image index in the data set
   * @return true if it is
   */
  public boolean contains(int image) {
    return image >= from && image < to && (image - from) % step == 0;
  }

  /** As it stands in a log's header. */
  Map<String, Object> encode() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("from", (long) from);
    map.put("to", (long) to);
    map.put("step", (long) step);
    return map;
  }

  static ImageRange decode(Object value) {
    Fields fields = new Fields("images", value, "from", "to", "step");
    int most = Integer.MAX_VALUE;
    return new ImageRange(fields.count("from", 0, most), fields.count("to", 1, most), fields.count("step", 1, most));
  }
}
