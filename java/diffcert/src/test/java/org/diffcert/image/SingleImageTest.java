package org.diffcert.image;

import static org.diffcert.image.ImageFiles.array;
import static org.diffcert.image.ImageFiles.gzip;
import static org.diffcert.image.ImageFiles.idx;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.imageio.ImageIO;
import org.diffcert.DiffcertException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One image from a file of each form, told by content; anything else is one sentence that names the file. */
class SingleImageTest {
  private static final ImageShape GREY = new ImageShape(1, 2, 3);
  private static final ImageShape COLOUR = new ImageShape(3, 2, 4);
  private static final byte[] SIX = {0, 50, 100, (byte) 150, (byte) 200, (byte) 250};
  private static final int BYTES_2 = 0x00000802;
  private static final int BYTES_3 = 0x00000803;

  @TempDir
  Path directory;

  @Test
  void greyImagesOfEveryForm() throws IOException {
    ByteImage wanted = new ByteImage(GREY, SIX);
    for (String shape : new String[] {"2, 3", "1, 2, 3", "2, 3, 1", "1, 2, 3, 1", "1, 1, 2, 3"}) {
      assertEquals(wanted, read(GREY, array("|u1", shape, SIX)), shape);
    }
    Path npz = ImageFiles.npz(directory.resolve("x.npz"), array("|u1", "1, 2, 3", SIX), null);
    assertEquals(wanted, SingleImage.read(npz, GREY));
    assertEquals(wanted, read(GREY, idx(BYTES_2, new int[] {2, 3}, SIX)));
    assertEquals(wanted, read(GREY, idx(BYTES_3, new int[] {1, 2, 3}, SIX)));
    assertEquals(wanted, read(GREY, gzip(idx(BYTES_2, new int[] {2, 3}, SIX))));
    assertEquals(wanted, read(GREY, png(wanted)));
  }

  @Test
  void colourImagesOfBothOrders() throws IOException {
    byte[] planes = new byte[24];
    byte[] pixels = new byte[24];
    for (int i = 0; i < 24; i++) {
      planes[i] = (byte) (10 * i);
      pixels[i % 8 * 3 + i / 8] = planes[i];
    }
    ByteImage wanted = new ByteImage(COLOUR, planes);
    assertEquals(wanted, read(COLOUR, array("|u1", "3, 2, 4", planes)));
    assertEquals(wanted, read(COLOUR, array("|u1", "2, 4, 3", pixels)));
    assertEquals(wanted, read(COLOUR, array("|u1", "1, 2, 4, 3", pixels)));
    assertEquals(wanted, read(COLOUR, png(wanted)));
  }

  @Test
  void whatIsNotTheImageIsOneSentence() throws IOException {
    Map<String, byte[]> cases = new LinkedHashMap<>();
    cases.put("neither PNG nor", "a text".getBytes(StandardCharsets.US_ASCII));
    cases.put("neither PNG nor .npy", new byte[0]);
    cases.put("shape [3, 2]", array("|u1", "3, 2", SIX));
    cases.put("shape [2, 2, 3]", array("|u1", "2, 2, 3", new byte[12]));
    cases.put("shape [4000000000, 2, 3]", array("|u1", "4000000000, 2, 3", SIX));
    cases.put("certificates are about 8-bit", array("<f4", "2, 3", new byte[24]));
    cases.put("type |i1", array("|i1", "2, 3", SIX));
    cases.put("ends too early", array("|u1", "2, 3", Arrays.copyOf(SIX, 5)));
    cases.put("goes on after", array("|u1", "2, 3", Arrays.copyOf(SIX, 7)));
    cases.put("extents [2, 2, 3]", idx(BYTES_3, new int[] {2, 2, 3}, new byte[12]));
    cases.put("extents [3, 2]", idx(BYTES_2, new int[] {3, 2}, SIX));
    cases.put("begins with 00000801", idx(0x00000801, new int[] {6}, SIX));
    cases.put("extents [-1, 3]", idx(BYTES_2, new int[] {-1, 3}, SIX));
    cases.put("an image of 3x2x4", png(new ByteImage(COLOUR, new byte[24])));
    cases.put("is not a sound PNG", Arrays.copyOf(png(new ByteImage(GREY, SIX)), 40));
    cases.put("cannot be read|sound compressed", new byte[] {0x1f, (byte) 0x8b, 1, 2, 3});
    cases.put("cannot be read|sound compressed|", new byte[] {'P', 'K', 3, 4, 5});
    for (Map.Entry<String, byte[]> bad : cases.entrySet()) {
      DiffcertException e = assertThrows(DiffcertException.class, () -> read(GREY, bad.getValue()), bad.getKey());
      assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
      assertTrue(Arrays.stream(bad.getKey().split("\\|")).anyMatch(e.getMessage()::contains), e.getMessage());
      assertTrue(e.getMessage().contains(directory.resolve("x").toString()), e.getMessage());
      assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }
    assertThrows(DiffcertException.class, () -> SingleImage.read(directory.resolve("absent"), GREY));
    assertThrows(DiffcertException.class, () -> SingleImage.read(directory, GREY));
    Path other = ImageFiles.npz(directory.resolve("x.npz"), null, array("|u1", "2", new byte[2]));
    assertTrue(assertThrows(DiffcertException.class, () -> SingleImage.read(other, GREY)).getMessage()
        .contains("neither an array 'image'"));
  }

  private ByteImage read(ImageShape shape, byte[] bytes) throws IOException {
    return SingleImage.read(Files.write(directory.resolve("x"), bytes), shape);
  }

  private static byte[] png(ByteImage image) throws IOException {
    ImageShape shape = image.shape();
    int type = shape.channels() == 1 ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR;
    BufferedImage picture = new BufferedImage(shape.width(), shape.height(), type);
    int plane = shape.height() * shape.width();
    for (int i = 0; i < shape.elements(); i++) {
      picture.getRaster().setSample(i % plane % shape.width(), i % plane / shape.width(), i / plane, image.get(i));
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(picture, "png", out);
    return out.toByteArray();
  }
}
