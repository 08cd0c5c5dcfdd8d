package org.diffcert.image;

import static org.diffcert.image.ImageFiles.array;
import static org.diffcert.image.ImageFiles.gzip;
import static org.diffcert.image.ImageFiles.header;
import static org.diffcert.image.ImageFiles.idx;
import static org.diffcert.image.ImageFiles.npy;
import static org.diffcert.image.ImageFiles.npz;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.diffcert.DiffcertException;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each malformed file is refused with one sentence that names it, as bad input, and makes no reader allocate more than
 * its size and 64 MiB.
 */
class MalformedImagesTest {
  private static final byte[] LABELS = array("|u1", "2,", (byte) 0, (byte) 1);

  @TempDir Path temporary;

  /** Writes a case into a directory of its own and answers the specification to open. */
  private interface Case {
    String write(Path directory) throws IOException;
  }

  private static Case mnist(String suffix, byte[] images, byte[] labels) {
    return directory -> {
      Files.write(directory.resolve("t10k-images-idx3-ubyte" + suffix), images);
      Files.write(directory.resolve("t10k-labels-idx1-ubyte" + suffix), labels);
      return "mnist:" + directory;
    };
  }

  private static Case images(byte[] images) {
    return mnist("", images, idx(2049, new int[] {2}, new byte[2]));
  }

  private static Case labels(byte[] labels) {
    return mnist("", idx(2051, new int[] {2, 1, 1}, new byte[2]), labels);
  }

  private static Case cifar(byte[] bytes) {
    return directory -> "cifar10:" + Files.write(directory.resolve("records.bin"), bytes);
  }

  private static Case arrays(byte[] images, byte[] labels) {
    return directory -> "npz:" + npz(directory.resolve("arrays.npz"), images, labels);
  }

  private static Case file(String kind, byte[] bytes) {
    return directory -> kind + ":" + Files.write(directory.resolve("file"), bytes);
  }

  private static Case png(int type, int width, String name) {
    return directory -> {
      for (String folder : new String[] {"a", "b"}) {
        BufferedImage image = new BufferedImage(folder.equals("a") ? 2 : width, 2, type);
        ImageIO.write(image, "png", Files.createDirectories(directory.resolve(folder)).resolve(name).toFile());
      }
      return "images:" + directory;
    };
  }

  private static Map<String, Case> cases() throws IOException {
    byte[] two = {1, 2};
    byte[] good = array("|u1", "2, 1, 1", two);
    byte[] record = new byte[3073];
    Map<String, Case> cases = new LinkedHashMap<>();
    cases.put("idx: directory missing", d -> "mnist:" + d.resolve("none"));
    cases.put("idx: a file where a directory belongs", file("mnist", two));
    cases.put("idx: files missing", d -> "mnist:" + d);
    cases.put("idx: labels missing", d -> {
      Files.write(d.resolve("t10k-images-idx3-ubyte"), idx(2051, new int[] {1, 1, 1}, new byte[1]));
      return "mnist:" + d;
    });
    cases.put("idx: a directory where a file belongs", d -> {
      Files.createDirectories(d.resolve("t10k-labels-idx1-ubyte"));
      Files.createDirectories(d.resolve("t10k-images-idx3-ubyte"));
      return "mnist:" + d;
    });
    cases.put("idx: empty", images(new byte[0]));
    cases.put("idx: shorter than its header", images(new byte[11]));
    cases.put("idx: bad magic", images(idx(2050, new int[] {2, 1, 1}, new byte[2])));
    cases.put("idx: labels where images belong", images(idx(2049, new int[] {2}, new byte[20])));
    cases.put("idx: images cut short", images(idx(2051, new int[] {2, 2, 2}, new byte[7])));
    cases.put("idx: trailing bytes", images(idx(2051, new int[] {2, 1, 1}, new byte[3])));
    cases.put("idx: more labels than images", images(idx(2051, new int[] {1, 1, 1}, new byte[1])));
    cases.put("idx: no images", mnist("", idx(2051, new int[] {0, 1, 1}, new byte[0]),
        idx(2049, new int[] {0}, new byte[0])));
    cases.put("idx: negative count", labels(idx(2049, new int[] {-1}, new byte[2])));
    cases.put("idx: zero side", images(idx(2051, new int[] {2, 0, 1}, new byte[0])));
    cases.put("idx: huge sides", images(idx(2051, new int[] {2, Integer.MAX_VALUE, Integer.MAX_VALUE}, new byte[2])));
    cases.put("idx: product beyond the file", images(idx(2051, new int[] {2, 4096, 4096}, new byte[2])));
    cases.put("idx: huge count", labels(idx(2049, new int[] {Integer.MAX_VALUE}, new byte[2])));
    cases.put("idx: label 10", labels(idx(2049, new int[] {2}, new byte[] {3, 10})));
    cases.put("idx: label 255", labels(idx(2049, new int[] {2}, new byte[] {-1, 0})));
    cases.put("idx.gz: not gzip", mnist(".gz", idx(2051, new int[] {2, 1, 1}, two),
        gzip(idx(2049, new int[] {2}, two))));
    byte[] packed = gzip(idx(2051, new int[] {2, 10, 10}, new byte[200]));
    byte[] packedLabels = gzip(idx(2049, new int[] {2}, two));
    cases.put("idx.gz: cut short", mnist(".gz", Arrays.copyOf(packed, packed.length - 12), packedLabels));
    byte[] damaged = packed.clone();
    damaged[packed.length - 6] ^= 1;
    cases.put("idx.gz: checksum", mnist(".gz", damaged, packedLabels));
    cases.put("idx.gz: trailing bytes inside", mnist(".gz", gzip(idx(2051, new int[] {2, 1, 1}, new byte[3])),
        packedLabels));
    cases.put("idx.gz: a bomb that announces itself",
        mnist(".gz", gzip(idx(2051, new int[] {100_000_000, 1, 1}, new byte[100_000_000])), packedLabels));
    cases.put("idx.gz: a bomb behind an honest header", mnist(".gz",
        gzip(idx(2051, new int[] {2, 1, 1}, new byte[100_000_000])), packedLabels));
    cases.put("idx.gz: a bomb of labels", mnist(".gz", packed,
        gzip(idx(2049, new int[] {60_000_000}, new byte[60_000_000]))));
    cases.put("cifar: missing", d -> "cifar10:" + d.resolve("none.bin"));
    cases.put("cifar: empty", cifar(new byte[0]));
    cases.put("cifar: a byte short", cifar(new byte[3072]));
    cases.put("cifar: a byte more", cifar(new byte[3074]));
    cases.put("cifar: not a multiple of the record", cifar(new byte[5000]));
    record[0] = 10;
    cases.put("cifar: label 10", cifar(record));
    cases.put("cifar: directory without batches", d -> "cifar10:" + d + "?split=train");
    cases.put("npz: missing", d -> "npz:" + d.resolve("none.npz"));
    cases.put("npz: empty", file("npz", new byte[0]));
    cases.put("npz: not a zip", file("npz", "a text that is no archive at all".getBytes(StandardCharsets.US_ASCII)));
    cases.put("npz: no labels", arrays(good, null));
    cases.put("npz: no images", arrays(null, LABELS));
    cases.put("npz: cut short", d -> {
      byte[] whole = Files.readAllBytes(npz(d.resolve("whole.npz"), good, LABELS));
      return "npz:" + Files.write(d.resolve("cut.npz"), Arrays.copyOf(whole, whole.length / 2));
    });
    cases.put("npz: checksum", d -> {
      Path file = d.resolve("stored.npz");
      try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
        zip.setLevel(0);
        for (String name : new String[] {"labels.npy", "images.npy"}) {
          zip.putNextEntry(new ZipEntry(name));
          zip.write(name.startsWith("l") ? LABELS : array("|u1", "2, 1, 1", (byte) 77, (byte) 78));
        }
      }
      byte[] bytes = Files.readAllBytes(file);
      for (int i = 1; i < bytes.length; i++) {
        if (bytes[i - 1] == 77 && bytes[i] == 78) {
          bytes[i] = 79;
        }
      }
      return "npz:" + Files.write(file, bytes);
    });
    cases.put("npz: two entries of a name", d -> {
      Path file = npz(d.resolve("twice.npz"), good, LABELS);
      byte[] bytes = Files.readAllBytes(file);
      String text = new String(bytes, StandardCharsets.ISO_8859_1).replace("labels.npy", "images.npy");
      return "npz:" + Files.write(file, text.getBytes(StandardCharsets.ISO_8859_1));
    });
    cases.put("npy: empty", arrays(new byte[0], LABELS));
    cases.put("npy: bad magic", arrays("PNUMPY and some more bytes".getBytes(StandardCharsets.US_ASCII), LABELS));
    cases.put("npy: version 4", arrays(npy(4, header("|u1", "2, 1, 1"), two), LABELS));
    cases.put("npy: header of 3 GiB", arrays(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 0, 0, 0,
        (byte) 0xc0, 'x'}, LABELS));
    cases.put("npy: header beyond the data", arrays(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 100, 0,
        '{', '}'}, LABELS));
    cases.put("npy: header is an expression",
        arrays(npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, len('x'))}\n", two), LABELS));
    cases.put("npy: header with a key more",
        arrays(npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 1), 'x': 'y', }\n", two), LABELS));
    cases.put("npy: header with a key twice",
        arrays(npy(1, "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n", two), LABELS));
    cases.put("npy: header without shape", arrays(npy(1, "{'descr': '|u1', 'fortran_order': False, }\n", two), LABELS));
    cases.put("npy: text after the header's dictionary", arrays(npy(1,
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 1), } x\n", two), LABELS));
    cases.put("npy: Fortran order", arrays(npy(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 1, 1), }\n",
        two), LABELS));
    cases.put("npy: objects", arrays(array("|O", "2, 1, 1", two), LABELS));
    cases.put("npy: records", arrays(npy(1, "{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (2,), }\n",
        two), LABELS));
    cases.put("npy: images of floats", arrays(array("<f4", "2, 1, 1", new byte[8]), LABELS));
    cases.put("npy: labels of floats", arrays(good, array("<f4", "2,", new byte[8])));
    cases.put("npy: labels big-endian", arrays(good, array(">i4", "2,", new byte[8])));
    cases.put("npy: labels of two axes", arrays(good, array("|u1", "2, 1", two)));
    cases.put("npy: negative shape", arrays(array("|u1", "-2, 1, 1", two), LABELS));
    cases.put("npy: huge shape", arrays(array("|u1", "9999999999, 9999999999, 9999999999", two), LABELS));
    cases.put("npy: nine axes", arrays(array("|u1", "2, 1, 1, 1, 1, 1, 1, 1, 1", two), LABELS));
    cases.put("npy: images of two axes", arrays(array("|u1", "2, 1", two), LABELS));
    cases.put("npy: two channels", arrays(array("|u1", "1, 2, 1, 2", new byte[4]), array("|u1", "1,", (byte) 0)));
    cases.put("npy: either layout", arrays(array("|u1", "2, 1, 1, 1", two), LABELS));
    cases.put("npy: no images", arrays(array("|u1", "0, 1, 1"), array("|u1", "0,")));
    cases.put("npy: data cut short", arrays(array("|u1", "2, 1, 2", new byte[3]), LABELS));
    cases.put("npy: trailing bytes", arrays(array("|u1", "2, 1, 1", new byte[3]), LABELS));
    cases.put("npy: counts differ", arrays(array("|u1", "3, 1, 1", new byte[3]), LABELS));
    cases.put("npy: label negative", arrays(good, array("|i1", "2,", (byte) 0, (byte) -1)));
    cases.put("npy: label of 2^63", arrays(good, array("<u8", "2,", new byte[] {0, 0, 0, 0, 0, 0, 0, (byte) 0x80, 0, 0,
        0, 0, 0, 0, 0, 0})));
    cases.put("npy: label beyond classes", d -> arrays(good, array("|u1", "2,", (byte) 0, (byte) 5)).write(d)
        + "?classes=5");
    cases.put("npz: a bomb", arrays(array("|u1", "2, 4096, 12207", new byte[100_000_000 - 256]), LABELS));
    cases.put("npz: a bomb with the right size", arrays(array("|u1", "2, 4096, 12208", new byte[2 * 4096 * 12208]),
        LABELS));
    cases.put("npz: a bomb of labels", arrays(good, array("|u1", "60000000,", new byte[60_000_000])));
    cases.put("images: missing", d -> "images:" + d.resolve("none"));
    cases.put("images: no folders", d -> "images:" + d);
    cases.put("images: empty folders", d -> {
      Files.createDirectories(d.resolve("a"));
      Files.createDirectories(d.resolve("b"));
      return "images:" + d;
    });
    cases.put("images: another kind of file", png(BufferedImage.TYPE_3BYTE_BGR, 2, "x.bmp"));
    cases.put("images: shapes differ", png(BufferedImage.TYPE_3BYTE_BGR, 3, "x.png"));
    cases.put("images: alpha", png(BufferedImage.TYPE_4BYTE_ABGR, 2, "x.png"));
    cases.put("images: 16 bits", png(BufferedImage.TYPE_USHORT_GRAY, 2, "x.png"));
    cases.put("images: not a PNG", d -> {
      String specification = png(BufferedImage.TYPE_3BYTE_BGR, 2, "x.png").write(d);
      Files.writeString(d.resolve("b/x.png"), "<html>not found</html>");
      return specification;
    });
    cases.put("images: PNG cut short", d -> {
      String specification = png(BufferedImage.TYPE_3BYTE_BGR, 2, "x.png").write(d);
      byte[] bytes = Files.readAllBytes(d.resolve("b/x.png"));
      Files.write(d.resolve("b/x.png"), Arrays.copyOf(bytes, 45));
      return specification;
    });
    cases.put("images: PNG of 2^31 pixels a side", d -> {
      String specification = png(BufferedImage.TYPE_3BYTE_BGR, 2, "x.png").write(d);
      byte[] bytes = Files.readAllBytes(d.resolve("a/x.png"));
      Arrays.fill(bytes, 16, 24, (byte) 0x7f);
      Files.write(d.resolve("a/x.png"), bytes);
      return specification;
    });
    return cases;
  }

  @TestFactory
  Stream<DynamicTest> refused() throws IOException {
    return cases().entrySet().stream().map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
      Path directory = Files.createTempDirectory(temporary, "case");
      String specification = entry.getValue().write(directory);
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
      DiffcertException e = assertThrows(DiffcertException.class, () -> ImageSource.open(specification));
      long allocated = threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
      assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind(), e.getMessage());
      assertTrue(e.getMessage().contains(directory.toString()), e.getMessage());
      assertFalse(e.getMessage().contains("\n"), e.getMessage());
      long size = 0;
      try (Stream<Path> files = Files.walk(directory)) {
        size = files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
      }
      assertTrue(allocated <= size + (64L << 20), "allocated " + allocated + " for " + size + " bytes of files");
    }));
  }
}
