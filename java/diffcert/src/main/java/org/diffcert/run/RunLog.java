package org.diffcert.run;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.diffcert.DiffcertException;

/**
 * A run log as read from a file, strictly: the file may come from a stranger. A last line without its line feed is torn
 * by a crash and is left out. Immutable, thread-safe.
 *
 * @param header the first line
 * @param origin where and when the run was begun
 * @param records the finished images, in the order they were finished, no image twice
 * @param wholeBytes length of the file up to and including its last line feed
 * @param tornBytes length of the torn last line, 0 when there is none
 */
public record RunLog(RunHeader header, Origin origin, List<RunRecord> records, long wholeBytes, long tornBytes) {
  /** The log's name in a run directory. */
  public static final String FILE = "run.jsonl";

  private static final int LONGEST_LINE = 4 << 20;

  /**
   * Copies the list.
   *
   * @param header the first line
   * @param origin where and when the run was begun
   * @param records the finished images
   * @param wholeBytes length up to the last line feed
   * @param tornBytes length of what follows
   */
  public RunLog {
    records = List.copyOf(records);
  }

  /**
   * When the run was begun.
   *
   * @return to the millisecond
   */
  public Instant started() {
    return origin.started();
  }

  /**
   * Whether every image of the run is there.
   *
   * @return true if so
   */
  public boolean complete() {
    return records.size() == header.images().size();
  }

  /**
   * Reads a log.
   *
   * @param path the log, or the run directory that holds it
   * @return the log
   * @throws DiffcertException of kind BAD_INPUT if the file is missing or malformed, naming the line
   */
  public static RunLog read(Path path) {
    Path file = Files.isDirectory(path) ? path.resolve(FILE) : path;
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      return read(file, in);
    } catch (java.nio.file.NoSuchFileException e) {
      throw DiffcertException.badInput("there is no run log " + file);
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, "the run log " + file + " cannot be read: "
          + DiffcertException.reason(e), e);
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

  private static RunLog read(Path file, InputStream in) throws IOException {
    RunHeader header = null;
    Origin origin = null;
    List<RunRecord> records = new ArrayList<>();
    Set<Integer> seen = new HashSet<>();
    long bytes = 0;
    ByteArrayOutputStream buffer = new ByteArrayOutputStream();
    for (int number = 1; ; number++) {
      try {
        boolean whole = nextLine(in, buffer);
        if (!whole && header != null) {
          return new RunLog(header, origin, records, bytes, buffer.size());
        }
        if (!whole) {
          throw Fields.bad(buffer.size() == 0 ? "the log is empty" : "the header is torn");
        }
        LogLine line = LogLine.parse(buffer.toByteArray());
        if (header == null) {
          header = RunHeader.decode(line.body());
          origin = Origin.decode(line.time());
        } else {
          RunRecord record = RunRecord.decode(line, header);
          if (!seen.add(record.image())) {
            throw Fields.bad("image " + record.image() + " comes twice");
          }
          records.add(record);
        }
      } catch (DiffcertException e) {
        throw new DiffcertException(e.kind(), file + ", line " + number + ": " + e.getMessage(), e);
      }
      bytes += buffer.size() + 1;
      buffer.reset();
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

  static LogLine headerLine(RunHeader header, Origin origin) {
    return new LogLine(header.encode(), origin.encode());
  }
}
