package org.diffcert.image;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipException;
import org.diffcert.DiffcertException;

/**
 * What the readers of foreign files have in common: the memory rule, reading exactly as many bytes as announced,
 * sentences for what fails.
 */
final class Inputs {
  /** A file may make a reader allocate its own size and this much more, no matter what it announces. */
  static final long SLACK = 64L << 20;

  /** Larger images, height or width, are not taken. */
  static final int MAX_SIDE = 4096;

  private Inputs() {}

  /** Work on a file that fails by IOException. */
  interface Work<T> {
    T run() throws IOException;
  }

  /** Runs the work; an I/O failure becomes one sentence about the file. */
  static <T> T reading(Path file, Work<T> work) {
    try {
      return work.run();
    } catch (EOFException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, file
          + " ends too early: it is cut short; copy it again", e);
    } catch (ZipException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT,
          file + " is not a sound compressed file (" + e.getMessage() + "); copy it again", e);
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, file + " cannot be read (" + e.getMessage() + ")",
          e);
    }
  }

  /** The size of a regular, readable file. */
  static long size(Path file) {
    if (!Files.isRegularFile(file)) {
      throw DiffcertException.badInput(Files.exists(file)
          ? file + " is not a file"
          : file + " does not exist; check the path");
    }
    return reading(file, () -> Files.size(file));
  }

  /** The length of an array of that many bytes, if the memory rule and Java allow it for a file of this size. */
  static int allowed(Path file, long fileSize, long bytes) {
    if (bytes > fileSize + SLACK || bytes > Integer.MAX_VALUE - 8) {
      throw DiffcertException.badInput(file + " would take " + bytes + " bytes of memory, more than its size of "
          + fileSize
          + " and 64 MiB, or than 2 GiB; unpack it, or split it");
    }
    return (int) bytes;
  }

  /** Exactly that many bytes. */
  static byte[] exactly(InputStream in, int count) throws IOException {
    byte[] bytes = new byte[count];
    if (in.readNBytes(bytes, 0, count) < count) {
      throw new EOFException();
    }
    return bytes;
  }

  /** Nothing may follow. */
  static void atEnd(Path file, InputStream in) throws IOException {
    if (in.read() >= 0) {
      throw DiffcertException.badInput(file
          + " goes on after its last image or label; it is not what its header announces");
    }
  }
}
