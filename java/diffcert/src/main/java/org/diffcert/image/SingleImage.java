package org.diffcert.image;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.diffcert.DiffcertException;

/**
 * Reads one uint8 image of a known shape, without a label, from a file told by its content: PNG (8 bits a channel), an
 * array of numpy's ({@code .npy}, or {@code image} or {@code images} of an {@code .npz}; [C,H,W], [H,W,C] or [H,W],
 * with or without a leading 1), or idx ([H,W] or [1,H,W], plain or .gz). Files are foreign: nothing is allocated before
 * the file has announced exactly the pixels that are wanted. Thread-safe.
 */
public final class SingleImage {
  private static final int IDX = 0x00000800;

  private SingleImage() {}

  /**
   * Reads the image.
   *
   * @param file the file
   * @param shape the shape that it must have
   * @return the image
   * @throws DiffcertException of kind BAD_INPUT if the file is missing, malformed, of no known form, or holds another
   *     number of images or another shape
   */
  public static ByteImage read(Path file, ImageShape shape) {
    Inputs.size(file);
    return Inputs.reading(file, () -> {
      byte[] start;
      try (InputStream in = Files.newInputStream(file)) {
        start = in.readNBytes(8);
      }
      if (begins(start, 0x89, 'P', 'N', 'G')) {
        return png(file, shape);
      }
      if (begins(start, 'P', 'K', 3, 4)) {
        return npz(file, shape);
      }
      boolean packed = begins(start, 0x1f, 0x8b);
      try (InputStream raw = new BufferedInputStream(Files.newInputStream(file));
          InputStream in = packed ? new GZIPInputStream(raw) : raw) {
        if (begins(start, 0x93, 'N', 'U', 'M', 'P', 'Y')) {
          return npy(file, "image", in, shape);
        }
        if (packed || begins(start, 0, 0, 8)) {
          return idx(file, in, shape);
        }
      }
      throw DiffcertException.badInput(file + " is no image: neither PNG nor .npy nor .npz nor idx");
    });
  }

  private static boolean begins(byte[] start, int... bytes) {
    for (int i = 0; i < bytes.length; i++) {
      if (i >= start.length || start[i] != (byte) bytes[i]) {
        return false;
      }
    }
    return true;
  }

  private static ByteImage png(Path file, ImageShape shape) {
    ByteImage image = FolderReader.decode(file);
    if (!image.shape().equals(shape)) {
      throw DiffcertException.badInput(file + " is an image of " + image.shape() + ", one of " + shape + " is wanted");
    }
    return image;
  }

  private static ByteImage npz(Path file, ImageShape shape) throws IOException {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      for (String name : List.of("image", "images")) {
        ZipEntry entry = zip.getEntry(name + ".npy");
        if (entry != null) {
          CRC32 crc = new CRC32();
          try (InputStream in = new CheckedInputStream(zip.getInputStream(entry), crc)) {
            ByteImage image = npy(file, name, in, shape);
            if (entry.getCrc() != crc.getValue()) {
              throw new ZipException("array '" + name + "' does not match its checksum");
            }
            return image;
          }
        }
      }
    }
    throw DiffcertException.badInput(file + " has neither an array 'image' nor an array 'images'");
  }

  private static ByteImage npy(Path file, String what, InputStream in, ImageShape shape) throws IOException {
    NpyHeader header = NpyHeader.read(file, what, in);
    if (!header.descr().equals("|u1")) {
      throw NpyHeader.bad(file, what, "is of type " + header.descr() + ", must be uint8 (|u1): certificates are about "
          + "8-bit images");
    }
    long[] extents = header.shape();
    if (extents.length > 2 && extents[0] == 1 && !isShape(extents, shape)) {
      extents = Arrays.copyOfRange(extents, 1, extents.length);
    }
    if (!isShape(extents, shape)) {
      throw NpyHeader.bad(file, what, "has shape " + Arrays.toString(header.shape()) + ", one image of "
          + shape + " is wanted");
    }
    byte[] pixels = Inputs.exactly(in, shape.elements());
    Inputs.atEnd(file, in);
    boolean last = shape.channels() > 1 && extents[0] != shape.channels();
    return new ByteImage(shape, last ? channelsFirst(pixels, shape) : pixels);
  }

  /** [C,H,W], [H,W,C], or [H,W] of a grey image. */
  private static boolean isShape(long[] extents, ImageShape shape) {
    long c = shape.channels();
    long h = shape.height();
    long w = shape.width();
    return Arrays.equals(extents, new long[] {c, h, w}) || Arrays.equals(extents, new long[] {h, w, c})
        || c == 1 && Arrays.equals(extents, new long[] {h, w});
  }

  private static byte[] channelsFirst(byte[] pixels, ImageShape shape) {
    byte[] planes = new byte[pixels.length];
    int plane = shape.height() * shape.width();
    for (int i = 0; i < pixels.length; i++) {
      planes[i % shape.channels() * plane + i / shape.channels()] = pixels[i];
    }
    return planes;
  }

  private static ByteImage idx(Path file, InputStream in, ImageShape shape) throws IOException {
    int magic = ByteBuffer.wrap(Inputs.exactly(in, 4)).getInt();
    int rank = magic - IDX;
    if (rank != 2 && rank != 3) {
      throw DiffcertException.badInput(String.format("%s begins with %08x, an idx image of unsigned bytes begins with "
          + "00000802 or 00000803", file, magic));
    }
    int[] extents = new int[rank];
    ByteBuffer header = ByteBuffer.wrap(Inputs.exactly(in, 4 * rank));
    for (int i = 0; i < rank; i++) {
      extents[i] = header.getInt();
    }
    boolean one = rank == 2 || extents[0] == 1;
    if (!one || shape.channels() != 1 || extents[rank - 2] != shape.height() || extents[rank - 1] != shape.width()) {
      throw DiffcertException.badInput(file + " has extents " + Arrays.toString(extents) + ", one image of " + shape
          + " is wanted");
    }
    byte[] pixels = Inputs.exactly(in, shape.elements());
    Inputs.atEnd(file, in);
    return new ByteImage(shape, pixels);
  }
}
