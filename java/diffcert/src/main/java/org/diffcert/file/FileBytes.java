package org.diffcert.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.diffcert.DiffcertException;

/**
 * The bytes of a file of any size, read where they are asked for: no copy of the whole, and no mapping of tensors,
 * so that a file that shrinks meanwhile is a sentence and not a fault. Safe for use by several threads.
 */
public final class FileBytes implements AutoCloseable {
  private static final int CHUNK = 1 << 18;

  private final FileChannel channel;
  private final String name;
  private final long size;

  private FileBytes(FileChannel channel, String name, long size) {
    this.channel = channel;
    this.name = name;
    this.size = size;
  }

  /**
   * Opens a file.
   *
   * @param path the file
   * @return its bytes
   * @throws DiffcertException BAD_INPUT where it is missing, no regular file or unreadable
   */
  public static FileBytes open(Path path) {
    String name = String.valueOf(path.getFileName());
    try {
      if (Files.exists(path) && !Files.isRegularFile(path)) {
        throw DiffcertException.badInput(path + " is not a regular file");
      }
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      return new FileBytes(channel, name, channel.size());
    } catch (NoSuchFileException e) {
      throw DiffcertException.badInput(path + " does not exist");
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, path + " cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The file's name without its directory.
   *
   * @return the name
   */
  public String name() {
    return name;
  }

  /**
   * The file's size when it was opened.
   *
   * @return bytes
   */
  public long size() {
    return size;
  }

  /**
   * Fills a buffer.
   *
   * @param position first byte
   * @param into filled from its position to its limit
   * @throws DiffcertException BAD_INPUT where the file ends earlier or cannot be read
   */
  public void read(long position, ByteBuffer into) {
    long at = position;
    try {
      while (into.hasRemaining()) {
        int got = channel.read(into, at);
        if (got < 0) {
          throw DiffcertException.badInput(name + " ends at byte " + at + " in the middle of its content");
        }
        at += got;
      }
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, name + " cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * A copy of some bytes, little-endian.
   *
   * @param position first byte
   * @param count how many, within the file
   * @return the bytes
   * @throws DiffcertException BAD_INPUT where the file has fewer
   */
  public ByteBuffer copy(long position, int count) {
    if (position < 0 || count < 0 || position > size - count) {
      throw DiffcertException.badInput(name + " is cut off: " + count + " bytes are expected at byte " + position
          + " of " + size);
    }
    ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    read(position, bytes);
    return bytes.flip();
  }

  /**
   * A view of some bytes that costs no heap, for a large header.
   *
   * @param position first byte
   * @param count how many, within the file
   * @return the bytes, little-endian
   */
  ByteBuffer map(long position, int count) {
    try {
      return channel.map(FileChannel.MapMode.READ_ONLY, position, count).order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, name + " cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Elements of a tensor as float32, streamed.
   *
   * @param position first byte
   * @param dtype a float type
   * @param into filled whole
   */
  public void floats(long position, DType dtype, float[] into) {
    int step = CHUNK / dtype.bytes();
    ByteBuffer chunk = ByteBuffer.allocate((int) Math.min((long) into.length * dtype.bytes(), CHUNK))
        .order(ByteOrder.LITTLE_ENDIAN);
    for (int from = 0; from < into.length; from += step) {
      int count = Math.min(step, into.length - from);
      chunk.clear().limit(count * dtype.bytes());
      read(position + (long) from * dtype.bytes(), chunk);
      for (int i = 0; i < count; i++) {
        into[from + i] = dtype.get(chunk, i);
      }
    }
  }

  /**
   * SHA-256 of the whole file.
   *
   * @return 64 hexadecimal digits
   */
  public String sha256() {
    MessageDigest digest = newSha256();
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
    for (long at = 0; at < size; at += CHUNK) {
      chunk.clear().limit((int) Math.min(CHUNK, size - at));
      read(at, chunk);
      digest.update(chunk.flip());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * A fresh SHA-256.
   *
   * @return the digest
   */
  public static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, name + " cannot be closed: " + e.getMessage(), e);
    }
  }
}
