package org.diffcert.analyze;

import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.diffcert.image.ByteImage;

/**
 * The images of a report, all in one sheet: one picture to decode instead of hundreds, and each is there once however
 * many sigmas show it.
 *
 * @param columns images beside each other
 * @param rows images below each other
 * @param dataUri the sheet as a PNG
 */
public record Pictures(int columns, int rows, String dataUri) {
  private static final int MOST_COLUMNS = 40;

  /**
   * Lays images out on a sheet.
   *
   * @param images at least one, all of one shape; shown in colour if they have three channels, else their first channel
   * @return the sheet; image i is in column i mod columns
   */
  public static Pictures of(List<ByteImage> images) {
    int columns = Math.min(MOST_COLUMNS, images.size());
    byte[] png = sheet(images, columns, 0);
    return new Pictures(columns, (images.size() + columns - 1) / columns,
        "data:image/png;base64," + Base64.getEncoder().encodeToString(png));
  }

  /**
   * The same as the bytes of a PNG file, with white lines between the images.
   *
   * @param images at least one, all of one shape; shown in colour if they have three channels, else their first channel
   * @param columns images beside each other, at least 1
   * @param gap width of the lines in pixels, 0 or more
   * @return the file; image i is in column i mod columns
   */
  public static byte[] sheet(List<ByteImage> images, int columns, int gap) {
    int channels = images.get(0).shape().channels() == 3 ? 3 : 1;
    int height = images.get(0).shape().height();
    int width = images.get(0).shape().width();
    int rows = (images.size() + columns - 1) / columns;
    int wide = columns * (width + gap) - gap;
    int high = rows * (height + gap) - gap;
    int stride = wide * channels;
    byte[] samples = new byte[high * stride];
    if (gap > 0) {
      Arrays.fill(samples, (byte) 0xff);
    }
    for (int i = 0; i < images.size(); i++) {
      byte[] pixels = images.get(i).toBytes();
      int corner = i / columns * (height + gap) * stride + i % columns * (width + gap) * channels;
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          for (int c = 0; c < channels; c++) {
            samples[corner + y * stride + x * channels + c] = pixels[(c * height + y) * width + x];
          }
        }
      }
    }
    return Png.encode(wide, high, channels, samples);
  }
}
