package org.diffcert.onnx;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.diffcert.DiffcertException;
import org.diffcert.image.Resampling;

/**
 * Images of one size for a model of another. It belongs to the classifier: noise is added before, at the images' own
 * size, and radii are about that size.
 *
 * @param filter how values between pixels are found
 * @param height rows of the images
 * @param width columns of the images
 */
public record Resize(Resampling filter, int height, int width) {
  private static final Pattern FORM = Pattern.compile("([a-z]+):([1-9][0-9]{0,3})x([1-9][0-9]{0,3})");
  private static final int MOST = 4096;

  /**
   * Checks the size.
   *
   * @param filter how values between pixels are found
   * @param height rows of the images, 1 to 4096
   * @param width columns of the images, 1 to 4096
   * @throws DiffcertException of kind USAGE if the size is out of range
   */
  public Resize {
    if (height < 1 || width < 1 || height > MOST || width > MOST) {
      throw DiffcertException.usage("--resize is from " + height + "x" + width + ", must be from 1x1 to 4096x4096");
    }
  }

  /**
   * Reads the form of the command line.
   *
   * @param text FILTER:HEIGHTxWIDTH, such as bicubic:32x32
   * @return what it says
   * @throws DiffcertException of kind USAGE if it has another form
   */
  public static Resize of(String text) {
    Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      throw DiffcertException.usage("--resize is '" + text
          + "', write FILTER:HEIGHTxWIDTH, the size of the images, such "
          + "as bicubic:32x32");
    }
    return new Resize(Resampling.of(parts.group(1)), Integer.parseInt(parts.group(2)),
        Integer.parseInt(parts.group(3)));
  }

  @Override
  public String toString() {
    return filter.cliName() + ":" + height + "x" + width;
  }
}
