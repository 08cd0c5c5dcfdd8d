package org.diffcert.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Writing that survives a crash: what was said to be written is on the disk, and a file is there whole or not at all.
 */
public final class Durable {
  private Durable() {}

  /**
   * Replaces a file in one step; its name is on the disk when this returns.
   *
   * @param file the file, made if it is not there
   * @param content its bytes
   * @throws IOException if the disk refuses; then the file is what it was
   */
  public static void replace(Path file, byte[] content) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel out = FileChannel.open(fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
        StandardOpenOption.TRUNCATE_EXISTING)) {
      writeFully(out, ByteBuffer.wrap(content));
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    syncDirectory(file.toAbsolutePath().getParent());
  }

  /**
   * Writes all of a buffer and waits until it is on the disk.
   *
   * @param channel an open file
   * @param bytes what to write, at the channel's position
   * @throws IOException if the disk refuses
   */
  public static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    channel.force(true);
  }

  /**
   * Waits until the names in a directory are on the disk.
   *
   * @param directory the directory
   * @throws IOException if the disk refuses
   */
  public static void syncDirectory(Path directory) throws IOException {
    try (FileChannel entry = FileChannel.open(directory, StandardOpenOption.READ)) {
      entry.force(true);
    }
  }
}
