package org.diffcert.image;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.diffcert.DiffcertException;

/**
 * Reads PNG files, a folder a class. Samples are taken from the raster as they are stored: no colour profile, no gamma.
 * Grey stays grey; colour and palette become red, green, blue. Alpha and 16 bits a channel are refused: their meaning
 * as 8-bit pixels would be a choice of ours.
 */
final class FolderReader {
  private static final int MAX_PIXELS = 1 << 22;

  private FolderReader() {}

  static ImageData open(Path directory) {
    if (!Files.isDirectory(directory)) {
      throw DiffcertException.badInput(directory
          + " is not a directory; images: takes a directory with a folder for each class");
    }
    List<Path> folders = list(directory).stream().filter(Files::isDirectory).toList();
    if (folders.size() < 2 || folders.size() > NpzReader.MAX_CLASSES) {
      throw DiffcertException.badInput(directory + " has " + folders.size()
          + " folders; there must be one for each class, at least 2");
    }
    List<Path> files = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    long fileBytes = 0;
    for (int label = 0; label < folders.size(); label++) {
      for (Path file : list(folders.get(label))) {
        if (!file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
          throw DiffcertException.badInput(file + " is not a PNG file; a class folder holds PNG images alone");
        }
        fileBytes += Inputs.size(file);
        files.add(file);
        labels.add(label);
      }
    }
    if (files.isEmpty()) {
      throw DiffcertException.badInput(directory + " has no images in its folders");
    }
    // All images have the first one's shape, so their total is known, and checked, before it is allocated.
    ImageShape shape = decode(files.get(0)).shape();
    byte[] pixels = new byte[Inputs.allowed(directory, fileBytes, (long) files.size() * shape.elements())];
    for (int i = 0; i < files.size(); i++) {
      ByteImage image = decode(files.get(i));
      if (!shape.equals(image.shape())) {
        throw DiffcertException.badInput(files.get(i) + " is " + image.shape() + ", the first image is " + shape
            + "; all must have one shape");
      }
      System.arraycopy(image.toBytes(), 0, pixels, i * shape.elements(), shape.elements());
    }
    return new ImageArrays("images:" + directory.toAbsolutePath().normalize().getFileName(), shape,
        folders.stream().map(folder -> folder.getFileName().toString()).toList(),
        labels.stream().mapToInt(Integer::intValue).toArray(), pixels);
  }

  /** The entries of a directory by name, but for hidden ones. */
  private static List<Path> list(Path directory) {
    return Inputs.reading(directory, () -> {
      try (Stream<Path> entries = Files.list(directory)) {
        return entries.filter(p -> !p.getFileName().toString().startsWith(".")).sorted().toList();
      }
    });
  }

  /** One PNG file. */
  static ByteImage decode(Path file) {
    ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
    try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
      // Metadata are skipped unread: text and profiles in them may be compressed without limit.
      reader.setInput(in, true, true);
      long width = reader.getWidth(0);
      long height = reader.getHeight(0);
      if (width > Inputs.MAX_SIDE || height > Inputs.MAX_SIDE || width * height > MAX_PIXELS) {
        throw DiffcertException.badInput(file + " is " + width + "x" + height + " pixels; at most " + MAX_PIXELS
            + " are read");
      }
      return samples(file, reader.read(0));
    } catch (DiffcertException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // The platform's decoder answers some malformed files with unchecked exceptions.
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, file + " is not a sound PNG image ("
          + e.getMessage() + "); copy it again", e);
    } finally {
      reader.dispose();
    }
  }

  private static ByteImage samples(Path file, BufferedImage image) {
    ColorModel model = image.getColorModel();
    Raster raster = image.getRaster();
    boolean palette = model instanceof IndexColorModel;
    if (model.hasAlpha()) {
      throw DiffcertException.badInput(file + " has transparency; save it without an alpha channel");
    }
    if (!palette && model.getComponentSize(0) != 8) {
      throw DiffcertException.badInput(file + " has " + model.getComponentSize(0) + " bits a channel; save it with 8");
    }
    int channels = palette ? 3 : raster.getNumBands();
    ImageShape shape = new ImageShape(channels, image.getHeight(), image.getWidth());
    byte[] pixels = new byte[shape.elements()];
    int plane = shape.height() * shape.width();
    int[] sample = new int[4];
    for (int i = 0; i < plane; i++) {
      int x = i % shape.width();
      int y = i / shape.width();
      if (palette) {
        int rgb = model.getRGB(raster.getSample(x, y, 0));
        sample[0] = rgb >> 16;
        sample[1] = rgb >> 8;
        sample[2] = rgb;
      } else {
        raster.getPixel(x, y, sample);
      }
      for (int c = 0; c < channels; c++) {
        pixels[c * plane + i] = (byte) sample[c];
      }
    }
    return new ByteImage(shape, pixels);
  }
}
