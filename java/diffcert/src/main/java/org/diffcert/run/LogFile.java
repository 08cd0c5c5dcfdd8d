package org.diffcert.run;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.diffcert.DiffcertException;
import org.diffcert.file.Durable;

/**
 * The file under a run: whole lines, each on the disk before the next is written, one process at a time (a file lock
 * says so). What a crash leaves of a last line is set aside beside it. Not for several threads.
 */
final class LogFile implements AutoCloseable {
  private static final int LONGEST_LINE = 4 << 20;

  private final Path file;
  private final FileChannel channel;
  private final FileLock lock;

  /** Told of each whole line, by its number from 1; refuses one with bad input. */
  interface Reader {
    void line(int number, LogLine line);
  }

  /** Bytes up to and including the last line feed, and bytes of the torn line after it. */
  record Extent(long wholeBytes, long tornBytes) {}

  private LogFile(Path file, FileChannel channel, FileLock lock) {
    this.file = file;
    this.channel = channel;
    this.lock = lock;
  }

  /** Reads every whole line, strictly; a file without one is bad input. Messages name the file and the line. */
  static Extent read(Path file, Reader reader) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      ByteArrayOutputStream buffer = new ByteArrayOutputStream();
      long bytes = 0;
      for (int number = 1; ; number++) {
        try {
          boolean whole = nextLine(in, buffer);
          if (!whole && number > 1) {
            return new Extent(bytes, buffer.size());
          }
          if (!whole) {
            throw Fields.bad(buffer.size() == 0 ? "the log is empty" : "the header is torn");
          }
          reader.line(number, LogLine.parse(buffer.toByteArray()));
        } catch (DiffcertException e) {
          throw new DiffcertException(e.kind(), file + ", line " + number + ": " + e.getMessage(), e);
        }
        bytes += buffer.size() + 1;
        buffer.reset();
      }
    }
  }

  /** Whether the file holds no whole line yet but the beginning of one: a run killed while it wrote its header. */
  static boolean tornAtHeader(Path file) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      boolean whole = nextLine(in, line);
      String text = line.toString(StandardCharsets.UTF_8);
      return !whole && (text.startsWith(LogLine.START) || LogLine.START.startsWith(text));
    }
  }

  private static boolean nextLine(InputStream in, ByteArrayOutputStream line) throws IOException {
    for (int b = in.read(); b >= 0; b = in.read()) {
      if (b == '\n') {
        return true;
      }
      if (line.size() == LONGEST_LINE) {
        throw Fields.bad("the line is longer than " + LONGEST_LINE + " bytes");
      }
      line.write(b);
    }
    return false;
  }

  /** Opens or makes the file of a directory, which is made, too, and locks it; a locked one is refused. */
  static LogFile open(Path directory, String name) throws IOException {
    Files.createDirectories(directory);
    Path file = directory.resolve(name);
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return new LogFile(file, channel, lock);
      }
    } catch (OverlappingFileLockException e) {
      // this very process has it open: refused as if another had
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    channel.close();
    throw DiffcertException.usage(
        "another process is writing the run in " + directory + "; wait for it or choose another --out");
  }

  /** Moves what follows the last whole line to a file beside, on the disk before the log is cut. */
  void setAside(long wholeBytes) throws IOException {
    long torn = channel.size() - wholeBytes;
    if (torn == 0) {
      return;
    }
    ByteBuffer rest = ByteBuffer.allocate((int) torn + 1);
    rest.limit((int) torn);
    while (rest.hasRemaining() && channel.read(rest, wholeBytes + rest.position()) >= 0) {
      continue;
    }
    rest.limit(rest.position() + 1);
    rest.put((byte) '\n').flip();
    Path beside = file.resolveSibling(file.getFileName() + ".torn");
    try (FileChannel aside = FileChannel.open(beside, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      Durable.writeFully(aside, rest);
    }
    channel.truncate(wholeBytes);
    channel.force(true);
  }

  /** Appends a line and waits until it is on the disk; a line that does not fit on it leaves nothing behind. */
  void append(LogLine line) throws IOException {
    byte[] text = line.write();
    ByteBuffer bytes = ByteBuffer.allocate(text.length + 1).put(text).put((byte) '\n').flip();
    long before = channel.size();
    channel.position(before);
    try {
      Durable.writeFully(channel, bytes);
    } catch (IOException e) {
      if (channel.isOpen()) {
        channel.truncate(before); // a full disk leaves half a line, which no other may follow
      }
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    if (lock.isValid()) {
      lock.release();
    }
    channel.close();
  }
}
