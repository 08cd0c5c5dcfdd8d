package org.diffcert.image;

import static org.diffcert.image.ImageFiles.array;
import static org.diffcert.image.ImageFiles.header;
import static org.diffcert.image.ImageFiles.npy;
import static org.diffcert.image.ImageFiles.npz;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.diffcert.DiffcertException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sound files of each kind, real and made. */
class ImageSourceTest {
  @TempDir Path directory;

  private static Path root() {
    Path directory = Path.of("").toAbsolutePath();
    while (!Files.exists(directory.resolve("native/include/diffcert"))) {
      directory = directory.getParent();
    }
    return directory;
  }

  @Test
  void mnistTestImagesFromTheOriginalFiles() {
    Path shared = root().resolveSibling("shared").resolve("data/mnist");
    try (ImageData data = ImageSource.open("mnist:" + shared);
        ImageData shipped = ImageSource.open("mnist:" + root().resolve("data/mnist") + "?split=test")) {
      assertEquals(10_000, data.size());
      assertEquals(new ImageShape(1, 28, 28), data.shape());
      assertEquals("mnist:test", data.name());
      int[] labels = {7, 2, 1, 0, 4, 1, 4, 9, 5, 9};
      for (int i = 0; i < labels.length; i++) {
        assertEquals(labels[i], data.label(i));
      }
      assertEquals(1000, shipped.size());
      for (int i = 0; i < 1000; i++) {
        assertEquals(data.image(i), shipped.image(i));
        assertEquals(data.label(i), shipped.label(i));
      }
      assertNotEquals(data.digest(), shipped.digest());
      assertThrows(IndexOutOfBoundsException.class, () -> shipped.image(1000));
      assertThrows(IndexOutOfBoundsException.class, () -> shipped.label(-1));
    }
  }

  @Test
  void mnistTrainingImages() {
    try (ImageData data = ImageSource.open("mnist:" + root().resolveSibling("shared").resolve("data/mnist")
        + "?split=train")) {
      assertEquals(60_000, data.size());
      assertEquals(5, data.label(0));
      assertEquals("mnist:train", data.name());
    }
  }

  @Test
  void cifarRecords() throws IOException {
    Path shared = root().resolveSibling("shared").resolve("data/cifar10");
    byte[] labels = Files.readAllBytes(shared.resolve("test-labels.u8"));
    try (ImageData data = ImageSource.open("cifar10:" + shared.resolve("cifar10-test-exact-first932.bin"))) {
      assertEquals(932, data.size());
      assertEquals(new ImageShape(3, 32, 32), data.shape());
      assertEquals("cifar10:cifar10-test-exact-first932.bin", data.name());
      assertEquals("cat", data.classNames().get(data.label(0)));
      for (int i = 0; i < data.size(); i++) {
        assertEquals(labels[i], data.label(i));
      }
      byte[] file = Files.readAllBytes(shared.resolve("cifar10-test-exact-first932.bin"));
      assertEquals(file[3073 * 931 + 1 + 3071] & 0xff, data.image(931).get(3071));
      Files.write(directory.resolve("test_batch.bin"), file);
    }
    try (ImageData data = ImageSource.open("cifar10:" + directory)) {
      assertEquals("cifar10:test", data.name());
      assertEquals(932, data.size());
    }
  }

  @Test
  void idxPlainAndPackedGiveTheSameImages() throws IOException {
    ImageFiles.mnist(directory);
    ImageData plain = ImageSource.open("mnist:" + directory);
    assertEquals(new ImageShape(1, 2, 3), plain.shape());
    assertArrayEquals(new byte[] {6, 7, 8, 9, 10, -1}, plain.image(1).toBytes());
    assertEquals(255, plain.image(1).get(5));
    for (String name : List.of("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")) {
      Files.write(directory.resolve(name + ".gz"), ImageFiles.gzip(Files.readAllBytes(directory.resolve(name))));
      Files.delete(directory.resolve(name));
    }
    assertEquals(plain.digest(), ImageSource.open("mnist:" + directory).digest());
  }

  @Test
  void npzLayoutsVersionsAndLabelTypes() throws IOException {
    byte[] pixels = new byte[24];
    byte[] channelsLast = new byte[24];
    for (int n = 0; n < 2; n++) {
      for (int c = 0; c < 3; c++) {
        for (int i = 0; i < 4; i++) {
          pixels[n * 12 + c * 4 + i] = (byte) (n * 12 + c * 4 + i + 200);
          channelsLast[n * 12 + i * 3 + c] = (byte) (n * 12 + c * 4 + i + 200);
        }
      }
    }
    byte[] labels = array("<i8", "2,", new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0});
    ImageData first = ImageSource.open("npz:" + npz(directory.resolve("a.npz"), array("|u1", "2, 3, 2, 2", pixels),
        labels));
    assertEquals(new ImageShape(3, 2, 2), first.shape());
    assertEquals(5, first.classNames().size());
    assertEquals(4, first.label(1));
    assertEquals("npz:a.npz", first.name());
    for (int version = 1; version <= 3; version++) {
      Path file = npz(directory.resolve("b" + version + ".npz"),
          npy(version, header("|u1", "2, 2, 2, 3"), channelsLast), labels);
      assertEquals(first.digest(), ImageSource.open("npz:" + file).digest());
    }
    Path grey = npz(directory.resolve("c.npz"), array("|u1", "2, 3, 4", pixels),
        array("|u1", "2,", (byte) 0, (byte) 200));
    assertEquals(new ImageShape(1, 3, 4), ImageSource.open("npz:" + grey).shape());
    assertEquals(200, ImageSource.open("npz:" + grey).label(1));
    Path both = npz(directory.resolve("d.npz"), array("|u1", "2, 3, 4, 1", pixels),
        array("<u2", "2,", new byte[] {1, 0, 2, 0}));
    assertEquals(new ImageShape(3, 4, 1), ImageSource.open("npz:" + both + "?layout=nchw").shape());
    assertEquals(new ImageShape(1, 3, 4), ImageSource.open("npz:" + both + "?layout=nhwc&classes=10").shape());
    assertEquals(10, ImageSource.open("npz:" + both + "?layout=nhwc&classes=10").classNames().size());
  }

  @Test
  void foldersOfPngFiles() throws IOException {
    int[] types = {BufferedImage.TYPE_3BYTE_BGR, BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_BYTE_INDEXED};
    for (int i = 0; i < types.length; i++) {
      Path folder = Files.createDirectories(directory.resolve(List.of("ant", "bee", "cow").get(i)));
      BufferedImage image = new BufferedImage(2, 1, types[i]);
      image.setRGB(0, 0, 0xffffff);
      image.setRGB(1, 0, 0xff0000);
      ImageIO.write(image, "png", folder.resolve("0.png").toFile());
    }
    ImageData data = ImageSource.open("images:" + directory);
    assertEquals(List.of("ant", "bee", "cow"), data.classNames());
    assertEquals(new ImageShape(3, 1, 2), data.shape());
    for (int i = 0; i < 3; i++) {
      assertEquals(i, data.label(i));
      assertArrayEquals(new byte[] {-1, -1, -1, 0, -1, 0}, data.image(i).toBytes());
    }
  }

  @Test
  void greySamplesAreTakenAsStored() throws IOException {
    for (String folder : List.of("a", "b")) {
      BufferedImage image = new BufferedImage(16, 16, BufferedImage.TYPE_BYTE_GRAY);
      for (int i = 0; i < 256; i++) {
        image.getRaster().setSample(i % 16, i / 16, 0, i);
      }
      ImageIO.write(image, "png", Files.createDirectories(directory.resolve(folder)).resolve("x.PNG").toFile());
    }
    ImageData data = ImageSource.open("images:" + directory);
    assertEquals(new ImageShape(1, 16, 16), data.shape());
    for (int i = 0; i < 256; i++) {
      assertEquals(i, data.image(1).get(i));
    }
  }

  @Test
  void wrongSpecificationsAreUsageErrors() {
    for (String specification : List.of("", "mnist", "mnist:", "idx:data", "mnist:data?split=val",
        "mnist:data?splt=test", "mnist:data?split",
        "mnist:data?split=test&split=test", "images:data?x=1", "npz:f?layout=chw", "npz:f?classes=1",
        "npz:f?classes=999999", "npz:f?classes=x", "cifar10:\0")) {
      DiffcertException e = assertThrows(DiffcertException.class, () -> ImageSource.open(specification), specification);
      assertEquals(DiffcertException.Kind.USAGE, e.kind(), specification + ": " + e.getMessage());
    }
  }
}
