package org.diffcert.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.diffcert.DiffcertException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Sound files with random bytes changed, cut or doubled are read, or refused as bad input: no other failure comes out.
 */
class MutatedImagesTest {
  private static final int ROUNDS = 300 * Integer.getInteger("depth", 1);

  @TempDir Path directory;

  private static byte[] mutate(byte[] sound, SplittableRandom random) {
    byte[] bytes = sound.clone();
    int changes = random.nextInt(1, 5);
    for (int i = 0; i < changes; i++) {
      bytes[random.nextInt(bytes.length)] = random.nextBoolean() ? (byte) random.nextInt()
          : (byte) (random.nextInt(3) - 1);
    }
    return switch (random.nextInt(6)) {
      case 0 -> Arrays.copyOf(bytes, random.nextInt(bytes.length));
      case 1 -> Arrays.copyOf(bytes, bytes.length + random.nextInt(1, 40));
      default -> bytes;
    };
  }

  private void check(String specification, Path file) throws IOException {
    byte[] sound = Files.readAllBytes(file);
    SplittableRandom random = new SplittableRandom(8);
    int refused = 0;
    for (int i = 0; i < ROUNDS; i++) {
      Files.write(file, mutate(sound, random));
      try (ImageData data = ImageSource.open(specification)) {
        for (int n = 0; n < data.size(); n++) {
          assertEquals(data.shape(), data.image(n).shape());
          assertTrue(data.label(n) >= 0 && data.label(n) < data.classNames().size());
        }
      } catch (DiffcertException e) {
        assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind(), e.getMessage());
        refused++;
      }
    }
    assertTrue(refused > ROUNDS / 10, "only " + refused + " of " + ROUNDS + " were refused");
  }

  @Test
  void idx() throws IOException {
    ImageFiles.mnist(directory);
    check("mnist:" + directory, directory.resolve("t10k-images-idx3-ubyte"));
  }

  @Test
  void idxPacked() throws IOException {
    ImageFiles.mnist(directory);
    Path plain = directory.resolve("t10k-labels-idx1-ubyte");
    Path packed = Files.write(directory.resolve("t10k-labels-idx1-ubyte.gz"),
        ImageFiles.gzip(Files.readAllBytes(plain)));
    Files.delete(plain);
    check("mnist:" + directory, packed);
  }

  @Test
  void npz() throws IOException {
    Path file = ImageFiles.npz(directory.resolve("a.npz"), ImageFiles.array("|u1", "2, 2, 3", new byte[12]),
        ImageFiles.array("<i4", "2,", new byte[] {1, 0, 0, 0, 0, 0, 0, 0}));
    check("npz:" + file, file);
  }

  @Test
  void npyHeader() throws IOException {
    byte[] sound = ImageFiles.array("|u1", "2, 2, 3", new byte[12]);
    byte[] labels = ImageFiles.array("|u1", "2,", (byte) 0, (byte) 1);
    SplittableRandom random = new SplittableRandom(9);
    int refused = 0;
    for (int i = 0; i < ROUNDS; i++) {
      Path file = ImageFiles.npz(directory.resolve("b.npz"), mutate(sound, random), labels);
      try (ImageData data = ImageSource.open("npz:" + file)) {
        assertEquals(2, data.size());
      } catch (DiffcertException e) {
        assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind(), e.getMessage());
        refused++;
      }
    }
    assertTrue(refused > ROUNDS / 2, "only " + refused + " of " + ROUNDS + " were refused");
  }

  @Test
  void png() throws IOException {
    for (String folder : new String[] {"a", "b"}) {
      BufferedImage image = new BufferedImage(5, 4, folder.equals("a") ? BufferedImage.TYPE_3BYTE_BGR
          : BufferedImage.TYPE_INT_RGB);
      ImageIO.write(image, "png", Files.createDirectories(directory.resolve(folder)).resolve("x.png").toFile());
    }
    check("images:" + directory, directory.resolve("b/x.png"));
  }

  /** One image of a known shape, in every form that it may come in. */
  @Test
  void singleImages() throws IOException {
    ImageShape shape = new ImageShape(1, 2, 3);
    byte[] array = ImageFiles.array("|u1", "1, 2, 3", new byte[6]);
    byte[] idx = ImageFiles.idx(0x00000802, new int[] {2, 3}, new byte[6]);
    Path png = directory.resolve("x.png");
    ImageIO.write(new BufferedImage(3, 2, BufferedImage.TYPE_BYTE_GRAY), "png", png.toFile());
    Path npz = ImageFiles.npz(directory.resolve("x.npz"), array, null);
    Path file = directory.resolve("x");
    SplittableRandom random = new SplittableRandom(10);
    for (byte[] sound : new byte[][] {array, idx, ImageFiles.gzip(idx), Files.readAllBytes(png),
        Files.readAllBytes(npz)}) {
      int refused = 0;
      for (int i = 0; i < ROUNDS; i++) {
        Files.write(file, mutate(sound, random));
        try {
          assertEquals(shape, SingleImage.read(file, shape).shape());
        } catch (DiffcertException e) {
          assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind(), e.getMessage());
          refused++;
        }
      }
      assertTrue(refused > ROUNDS / 10, "only " + refused + " of " + ROUNDS + " were refused");
    }
  }
}
