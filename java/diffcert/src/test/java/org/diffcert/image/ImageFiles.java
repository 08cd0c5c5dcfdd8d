package org.diffcert.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes small image files, sound or not, for the readers' tests. */
final class ImageFiles {
  private ImageFiles() {}

  static byte[] idx(int magic, int[] shape, byte[] payload) {
    ByteBuffer buffer = ByteBuffer.allocate(4 + 4 * shape.length + payload.length).putInt(magic);
    for (int extent : shape) {
      buffer.putInt(extent);
    }
    return buffer.put(payload).array();
  }

  /** A directory of two test images of 2x3 pixels with labels 7 and 2. */
  static void mnist(Path directory) throws IOException {
    Files.write(directory.resolve("t10k-images-idx3-ubyte"),
        idx(2051, new int[] {2, 2, 3}, new byte[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1}));
    Files.write(directory.resolve("t10k-labels-idx1-ubyte"), idx(2049, new int[] {2}, new byte[] {7, 2}));
  }

  static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  static byte[] npy(int major, String header, byte[] data) {
    byte[] text = header.getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer buffer = ByteBuffer.allocate(12 + text.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    buffer.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) major, 0});
    if (major == 1) {
      buffer.putShort((short) text.length);
    } else {
      buffer.putInt(text.length);
    }
    byte[] out = new byte[buffer.put(text).put(data).position()];
    buffer.get(0, out);
    return out;
  }

  static String header(String descr, String shape) {
    return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }      \n";
  }

  static byte[] array(String descr, String shape, byte... data) {
    return npy(1, header(descr, shape), data);
  }

  /** A zip of images.npy and labels.npy; null leaves one out. */
  static Path npz(Path file, byte[] images, byte[] labels) throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      if (images != null) {
        zip.putNextEntry(new ZipEntry("images.npy"));
        zip.write(images);
      }
      if (labels != null) {
        zip.putNextEntry(new ZipEntry("labels.npy"));
        zip.write(labels);
      }
    }
    return file;
  }
}
