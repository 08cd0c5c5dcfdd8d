package org.diffcert.run;

import java.io.IOException;
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
    try {
      return readWhole(file);
    } catch (java.nio.file.NoSuchFileException e) {
      throw DiffcertException.badInput("there is no run log " + file);
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, "the run log " + file + " cannot be read: "
          + DiffcertException.reason(e), e);
    }
  }

  private static RunLog readWhole(Path file) throws IOException {
    RunHeader[] header = new RunHeader[1];
    Origin[] origin = new Origin[1];
    List<RunRecord> records = new ArrayList<>();
    Set<Integer> seen = new HashSet<>();
    LogFile.Extent extent = LogFile.read(file, (number, line) -> {
      if (number == 1) {
        header[0] = RunHeader.decode(line.body());
        origin[0] = Origin.decode(line.time());
        return;
      }
      RunRecord record = RunRecord.decode(line, header[0]);
      if (!seen.add(record.image())) {
        throw Fields.bad("image " + record.image() + " comes twice");
      }
      records.add(record);
    });
    return new RunLog(header[0], origin[0], records, extent.wholeBytes(), extent.tornBytes());
  }

  static LogLine headerLine(RunHeader header, Origin origin) {
    return new LogLine(header.encode(), origin.encode());
  }
}
