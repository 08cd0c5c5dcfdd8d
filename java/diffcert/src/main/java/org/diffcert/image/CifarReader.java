package org.diffcert.image;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffcert.DiffcertException;

/** Reads CIFAR-10's binary records: one label byte, then 3,072 pixel bytes as planes red, green, blue, rows first. */
final class CifarReader {
  private static final ImageShape SHAPE = new ImageShape(3, 32, 32);
  private static final int RECORD = 3073;
  private static final List<String> NAMES =
      List.of("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

  private CifarReader() {}

  static ImageData open(Path path, String split) {
    List<Path> files = new ArrayList<>();
    String name = "cifar10:" + path.getFileName();
    if (Files.isDirectory(path)) {
      name = "cifar10:" + split;
      if (split.equals("test")) {
        files.add(path.resolve("test_batch.bin"));
      } else {
        for (int i = 1; i <= 5; i++) {
          files.add(path.resolve("data_batch_" + i + ".bin"));
        }
      }
    } else {
      files.add(path);
    }
    long records = 0;
    for (Path file : files) {
      records += records(file);
    }
    if (records * SHAPE.elements() > Integer.MAX_VALUE - 8) {
      throw DiffcertException.badInput(path + " has " + records + " records, more than fit into 2 GiB; split it");
    }
    int[] labels = new int[(int) records];
    byte[] pixels = new byte[(int) records * SHAPE.elements()];
    int at = 0;
    for (Path file : files) {
      at = read(file, at, labels, pixels);
    }
    return new ImageArrays(name, SHAPE, NAMES, labels, pixels);
  }

  private static long records(Path file) {
    long size = Inputs.size(file);
    if (size == 0 || size % RECORD != 0) {
      throw DiffcertException.badInput(file + " has " + size
          + " bytes, which is not a whole number of CIFAR-10 records of " + RECORD
          + " bytes; take the binary version of the data set");
    }
    return size / RECORD;
  }

  private static int read(Path file, int first, int[] labels, byte[] pixels) {
    return Inputs.reading(file, () -> {
      int at = first;
      try (InputStream in = Files.newInputStream(file)) {
        byte[] chunk = new byte[RECORD * 256];
        int length;
        while ((length = in.readNBytes(chunk, 0, chunk.length)) > 0) {
          for (int from = 0; from < length; from += RECORD, at++) {
            int label = chunk[from] & 0xff;
            if (label >= NAMES.size()) {
              throw DiffcertException.badInput(file + " has label " + label + " in record " + (at - first)
                  + "; CIFAR-10 labels are 0 to 9");
            }
            labels[at] = label;
            System.arraycopy(chunk, from + 1, pixels, at * SHAPE.elements(), SHAPE.elements());
          }
        }
      }
      return at;
    });
  }
}
