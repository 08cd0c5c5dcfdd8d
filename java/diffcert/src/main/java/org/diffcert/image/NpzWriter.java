package org.diffcert.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes images as numpy's .npz, stored and not deflated: arrays images, labels and index. The same images give the
 * same bytes.
 */
public final class NpzWriter {
  /** The first moment that a zip file can say: files do not differ by when they were made. */
  private static final LocalDateTime NO_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);
  private static final int ALIGNMENT = 64;

  private NpzWriter() {}

  /**
   * The file's bytes.
   *
   * @param shape the images' shape
   * @param images the images, uint8 [N,C,H,W]
   * @param labels their labels, int64 [N]
   * @param index which image of its data set each was made from, int64 [N]
   * @return a file that {@code npz:FILE} reads
   * @throws IllegalArgumentException if the lists are not as long as each other or an image has another shape
   */
  public static byte[] bytes(ImageShape shape, List<ByteImage> images, List<Integer> labels, List<Integer> index) {
    int n = images.size();
    if (labels.size() != n || index.size() != n || !images.stream().allMatch(image -> image.shape().equals(shape))) {
      throw new IllegalArgumentException(n + " images, " + labels.size() + " labels, " + index.size() + " indices");
    }
    ByteBuffer pixels = ByteBuffer.allocate(Math.multiplyExact(n, shape.elements()));
    images.forEach(image -> pixels.put(image.toBytes()));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      entry(zip, "images", "|u1", n + ", " + shape.channels() + ", " + shape.height() + ", " + shape.width(),
          pixels.array());
      entry(zip, "labels", "<i8", n + ",", numbers(labels));
      entry(zip, "index", "<i8", n + ",", numbers(index));
    } catch (IOException e) {
      throw new IllegalStateException("memory cannot be written to", e);
    }
    return out.toByteArray();
  }

  private static byte[] numbers(List<Integer> values) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.size()).order(ByteOrder.LITTLE_ENDIAN);
    values.forEach(value -> bytes.putLong(value));
    return bytes.array();
  }

  private static void entry(ZipOutputStream zip, String name, String descr, String shape,
      byte[] data) throws IOException {
    String text = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    int before = 10 + text.length() + 1;
    String header = text + " ".repeat((ALIGNMENT - before % ALIGNMENT) % ALIGNMENT) + "\n";
    ByteBuffer array = ByteBuffer.allocate(10 + header.length() + data.length).order(ByteOrder.LITTLE_ENDIAN);
    array.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1).put((byte) 0);
    array.putShort((short) header.length()).put(header.getBytes(StandardCharsets.US_ASCII)).put(data);
    CRC32 crc = new CRC32();
    crc.update(array.array());
    ZipEntry entry = new ZipEntry(name + ".npy");
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(array.capacity());
    entry.setCompressedSize(array.capacity());
    entry.setCrc(crc.getValue());
    entry.setTimeLocal(NO_TIME);
    zip.putNextEntry(entry);
    zip.write(array.array());
    zip.closeEntry();
  }
}
