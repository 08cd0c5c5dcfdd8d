package org.diffcert.image;

import java.io.BufferedInputStream;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.diffcert.DiffcertException;

/**
 * Reads MNIST's idx files (and those of sets of the same form), plain or .gz: magic 2051 for images, 2049 for labels,
 * big-endian counts.
 */
final class IdxReader {
  private static final int IMAGES = 0x00000803;
  private static final int LABELS = 0x00000801;
  private static final int CLASSES = 10;

  private IdxReader() {}

  static ImageData open(Path directory, String split) {
    if (!Files.isDirectory(directory)) {
      throw DiffcertException.badInput(directory + " is not a directory; mnist: takes the directory of the idx files");
    }
    String prefix = split.equals("test") ? "t10k" : "train";
    Path imageFile = find(directory, prefix + "-images-idx3-ubyte");
    Path labelFile = find(directory, prefix + "-labels-idx1-ubyte");
    // Labels first: they are small, and say how many images there must be.
    byte[] labels = read(labelFile, LABELS, 1, -1).payload();
    Idx images = read(imageFile, IMAGES, 3, labels.length);
    int[] numbers = new int[labels.length];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = labels[i] & 0xff;
      if (numbers[i] >= CLASSES) {
        throw DiffcertException.badInput(labelFile + " has label " + numbers[i] + " at image " + i
            + "; labels are 0 to 9");
      }
    }
    List<String> names = IntStream.range(0, CLASSES).mapToObj(Integer::toString).toList();
    return new ImageArrays("mnist:" + split, new ImageShape(1, images.shape()[1], images.shape()[2]), names, numbers,
        images.payload());
  }

  private static Path find(Path directory, String name) {
    Path plain = directory.resolve(name);
    Path packed = directory.resolve(name + ".gz");
    if (!Files.exists(plain) && !Files.exists(packed)) {
      throw DiffcertException.badInput(directory + " has neither " + name + " nor " + name
          + ".gz; give the directory of the idx files");
    }
    return Files.exists(plain) ? plain : packed;
  }

  /** An idx file of unsigned bytes. */
  private record Idx(int[] shape, byte[] payload) {}

  /** Reads a file with this magic and rank and, unless negative, this many items. */
  private static Idx read(Path file, int magic, int rank, int count) {
    long fileSize = Inputs.size(file);
    boolean packed = file.getFileName().toString().endsWith(".gz");
    return Inputs.reading(file, () -> {
      try (InputStream raw = new BufferedInputStream(Files.newInputStream(file));
          InputStream in = packed ? new GZIPInputStream(raw) : raw) {
        ByteBuffer header = ByteBuffer.wrap(Inputs.exactly(in, 4 + 4 * rank));
        int found = header.getInt();
        if (found != magic) {
          throw DiffcertException.badInput(String.format("%s begins with %08x, not with the %08x of an idx file of %s",
              file, found, magic,
              rank == 3 ? "images" : "labels"));
        }
        int[] shape = new int[rank];
        for (int i = 0; i < rank; i++) {
          shape[i] = header.getInt();
        }
        // Labels are kept as ints beside their bytes.
        long bytes = product(file, shape);
        Inputs.allowed(file, fileSize, rank == 1 ? 5 * bytes : bytes);
        int length = (int) bytes;
        if (!packed && length != fileSize - (4 + 4 * rank)) {
          throw DiffcertException.badInput(file + " announces " + length + " bytes of data and has "
              + (fileSize - 4 - 4 * rank)
              + "; it is cut short or has something appended");
        }
        if (count >= 0 && shape[0] != count) {
          throw DiffcertException.badInput(file + " has " + shape[0] + " images, but there are " + count
              + " labels; the two files do not belong together");
        }
        byte[] payload = Inputs.exactly(in, length);
        Inputs.atEnd(file, in);
        return new Idx(shape, payload);
      }
    });
  }

  private static long product(Path file, int[] shape) {
    long product = shape[0];
    boolean sane = shape[0] >= 1;
    for (int i = 1; i < shape.length; i++) {
      sane &= shape[i] >= 1 && shape[i] <= Inputs.MAX_SIDE;
      product *= shape[i];
    }
    if (!sane) {
      throw DiffcertException.badInput(file + " announces extents " + Arrays.toString(shape)
          + "; it must hold at least one item, of sides 1 to "
          + Inputs.MAX_SIDE);
    }
    return product;
  }
}
