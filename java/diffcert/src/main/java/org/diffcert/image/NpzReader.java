package org.diffcert.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.diffcert.DiffcertException;

/** Reads numpy's .npz: arrays images and labels, stored or deflated; other arrays in it are not looked at. */
final class NpzReader {
  static final int MAX_CLASSES = 10_000;
  private static final int MAX_ENTRIES = 1024;

  private NpzReader() {}

  /** An array: header and bytes. */
  private record Array(NpyHeader header, byte[] data) {}

  static ImageData open(Path file, String layout, int classes) {
    long fileSize = Inputs.size(file);
    return Inputs.reading(file, () -> {
      try (ZipFile zip = new ZipFile(file.toFile())) {
        checkNames(file, zip);
        Array labels = read(file, zip, fileSize, "labels");
        int[] numbers = labels(file, labels);
        Array images = read(file, zip, fileSize - labels.data().length - 4L * numbers.length, "images");
        return assemble(file, images, numbers, layout, classes);
      }
    });
  }

  private static void checkNames(Path file, ZipFile zip) {
    if (zip.size() > MAX_ENTRIES) {
      throw DiffcertException.badInput(file + " has " + zip.size() + " arrays; at most " + MAX_ENTRIES + " are read");
    }
    Set<String> names = new HashSet<>();
    for (ZipEntry entry : Collections.list(zip.entries())) {
      if (!names.add(entry.getName())) {
        throw DiffcertException.badInput(file + " has two entries called '" + entry.getName() + "'; save it again");
      }
    }
  }

  private static Array read(Path file, ZipFile zip, long budget, String what) throws IOException {
    ZipEntry entry = zip.getEntry(what + ".npy");
    if (entry == null) {
      throw DiffcertException.badInput(file + " has no array '" + what
          + "'; save it with numpy.savez(file, images=..., labels=...)");
    }
    CRC32 crc = new CRC32();
    try (InputStream in = new CheckedInputStream(zip.getInputStream(entry), crc)) {
      NpyHeader header = NpyHeader.read(file, what, in);
      int width = width(file, what, header.descr());
      long elements = header.elements();
      if (elements < 0 || elements > Long.MAX_VALUE / 12) {
        throw NpyHeader.bad(file, what, "announces the shape " + Arrays.toString(header.shape())
            + ", which no file holds");
      }
      // Labels are kept as ints beside their bytes.
      Inputs.allowed(file, budget, elements * (what.equals("labels") ? width + 4 : width));
      int length = (int) (elements * width);
      if (entry.getSize() != header.headerBytes() + (long) length) {
        throw NpyHeader.bad(file, what, "announces " + length + " bytes of data and has "
            + (entry.getSize() - header.headerBytes()) + "; save it again");
      }
      byte[] data = Inputs.exactly(in, length);
      Inputs.atEnd(file, in);
      if (entry.getCrc() != crc.getValue()) {
        throw NpyHeader.bad(file, what, "does not match its checksum; copy the file again");
      }
      return new Array(header, data);
    }
  }

  /** Bytes of one number; images are bytes, labels integers of any width. */
  private static int width(Path file, String what, String descr) {
    boolean images = what.equals("images");
    if (images ? !descr.equals("|u1") : !descr.matches("\\|[iu]1|<[iu][248]")) {
      throw NpyHeader.bad(file, what, "is of type " + descr + ", must be "
          + (images ? "uint8 (|u1)" : "little-endian integers") + "; convert it with astype");
    }
    return descr.charAt(2) - '0';
  }

  private static int[] labels(Path file, Array array) {
    if (array.header().shape().length != 1) {
      throw NpyHeader.bad(file, "labels", "has shape " + Arrays.toString(array.header().shape()) + ", must be [N]");
    }
    int width = array.header().descr().charAt(2) - '0';
    ByteBuffer data = ByteBuffer.wrap(array.data()).order(ByteOrder.LITTLE_ENDIAN);
    int[] labels = new int[array.data().length / width];
    for (int i = 0; i < labels.length; i++) {
      // Sign does not matter: a negative label is out of range either way it is read.
      long label = switch (width) {
        case 1 -> data.get(i);
        case 2 -> data.getShort(2 * i);
        case 4 -> data.getInt(4 * i);
        default -> data.getLong(8 * i);
      };
      if (width == 1 && array.header().descr().charAt(1) == 'u') {
        label &= 0xff;
      }
      if (label < 0 || label >= MAX_CLASSES) {
        throw NpyHeader.bad(file, "labels", "has " + label + " at image " + i + "; labels are 0 to "
            + (MAX_CLASSES - 1));
      }
      labels[i] = (int) label;
    }
    return labels;
  }

  private static ImageData assemble(Path file, Array images, int[] labels, String layout, int classes) {
    long[] shape = images.header().shape();
    boolean first = shape.length == 4 && channels(shape[1]) && !layout.equals("nhwc");
    boolean last = shape.length == 4 && channels(shape[3]) && !layout.equals("nchw");
    if (shape.length != 3 && !first && !last) {
      throw NpyHeader.bad(file, "images", "has shape " + Arrays.toString(shape)
          + ", must be [N,C,H,W], [N,H,W,C] or [N,H,W] with C = 1 or 3");
    }
    if (first && last) {
      throw NpyHeader.bad(file, "images", "has shape " + Arrays.toString(shape)
          + ", which can be read two ways; add ?layout=nchw or ?layout=nhwc");
    }
    long c = shape.length == 3 ? 1 : first ? shape[1] : shape[3];
    long h = shape.length == 3 || last ? shape[1] : shape[2];
    long w = shape.length == 3 || last ? shape[2] : shape[3];
    if (h < 1 || w < 1 || h > Inputs.MAX_SIDE || w > Inputs.MAX_SIDE || shape[0] < 1) {
      throw NpyHeader.bad(file, "images", "has shape " + Arrays.toString(shape)
          + "; it must hold at least one image, of sides 1 to " + Inputs.MAX_SIDE);
    }
    if (shape[0] != labels.length) {
      throw DiffcertException.badInput(file + " has " + shape[0] + " images and " + labels.length
          + " labels; they must be as many");
    }
    int largest = Arrays.stream(labels).max().orElseThrow();
    if (classes > 0 && largest >= classes) {
      throw NpyHeader.bad(file, "labels", "has " + largest + ", but classes=" + classes + " was asked for");
    }
    ImageShape imageShape = new ImageShape((int) c, (int) h, (int) w);
    if (last && c > 1) {
      channelsFirst(images.data(), imageShape);
    }
    int count = Math.max(2, classes > 0 ? classes : largest + 1);
    List<String> names = IntStream.range(0, count).mapToObj(Integer::toString).toList();
    return new ImageArrays("npz:" + file.getFileName(), imageShape, names, labels, images.data());
  }

  private static boolean channels(long extent) {
    return extent == 1 || extent == 3;
  }

  /** H,W,C to C,H,W in place, an image at a time. */
  private static void channelsFirst(byte[] pixels, ImageShape shape) {
    byte[] one = new byte[shape.elements()];
    int plane = shape.height() * shape.width();
    for (int from = 0; from < pixels.length; from += one.length) {
      System.arraycopy(pixels, from, one, 0, one.length);
      for (int i = 0; i < plane; i++) {
        for (int c = 0; c < shape.channels(); c++) {
          pixels[from + c * plane + i] = one[i * shape.channels() + c];
        }
      }
    }
  }
}
