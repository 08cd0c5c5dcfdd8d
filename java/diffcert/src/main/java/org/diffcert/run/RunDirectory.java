package org.diffcert.run;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.file.Durable;
import org.diffcert.image.ImageData;

/**
 * A run directory being written: the append-only log, and the results and report made from it. Kill the process at any
 * moment and open the directory again with an equal header: finished images are kept, and the log ends up the same in
 * every byte but times. One process at a time (a file lock says so); methods are synchronized.
 */
public final class RunDirectory implements AutoCloseable {
  private final Path directory;
  private final RunHeader header;
  private final LogFile file;
  private final List<RunRecord> records;
  private final Set<Integer> done = new HashSet<>();

  private RunDirectory(Path directory, RunHeader header, LogFile file, List<RunRecord> records) {
    this.directory = directory;
    this.header = header;
    this.file = file;
    this.records = new ArrayList<>(records);
    records.forEach(record -> done.add(record.image()));
  }

  /**
   * The header of a run that is already there, for a caller that wants to go on with its seed.
   *
   * @param directory the run directory
   * @return the header, or empty when there is no run yet
   * @throws DiffcertException of kind BAD_INPUT if there is a log but a malformed one
   */
  public static Optional<RunHeader> peek(Path directory) {
    Path file = directory.resolve(RunLog.FILE);
    try {
      boolean none = !Files.exists(file) || LogFile.tornAtHeader(file);
      return none ? Optional.empty() : Optional.of(RunLog.read(file).header());
    } catch (IOException e) {
      throw failure(directory, e);
    }
  }

  /**
   * Starts a run, or goes on with it. A torn last line is set aside in {@code run.jsonl.torn}; a run with another
   * header is refused and nothing is changed.
   *
   * @param directory the run directory, made if it is not there
   * @param header what the run is
   * @param origin where it is begun, recorded if it begins now
   * @return the open directory
   * @throws DiffcertException of kind USAGE if the run there has another header or is being written by another process,
   *     of kind BAD_INPUT if its log is malformed or the directory cannot be written
   */
  public static RunDirectory openOrCreate(Path directory, RunHeader header, Origin origin) {
    LogFile log = null;
    try {
      log = LogFile.open(directory, RunLog.FILE);
      Path file = directory.resolve(RunLog.FILE);
      List<RunRecord> records = List.of();
      if (LogFile.tornAtHeader(file)) {
        log.setAside(0);
        log.append(RunLog.headerLine(header, origin));
        Durable.syncDirectory(directory);
      } else {
        RunLog there = RunLog.read(file);
        refuseIfDifferent(directory, header, there.header());
        log.setAside(there.wholeBytes());
        records = there.records();
      }
      RunDirectory opened = new RunDirectory(directory, header, log, records);
      log = null;
      return opened;
    } catch (IOException e) {
      throw failure(directory, e);
    } finally {
      closeQuietly(log);
    }
  }

  /**
   * Whether an image's record is in the log.
   *
   * @param image index in the data set
   * @return true if it need not be certified again
   */
  public synchronized boolean isDone(int image) {
    return done.contains(image);
  }

  /**
   * The records so far.
   *
   * @return a copy, in the log's order
   */
  public synchronized List<RunRecord> records() {
    return List.copyOf(records);
  }

  /**
   * Appends a record and waits until it is on the disk.
   *
   * @param record an image of the run that is not done yet
   * @throws IllegalArgumentException if the record does not fit the run
   * @throws DiffcertException of kind BAD_INPUT if the disk refuses, of kind INTERRUPTED if the thread was interrupted;
   *     then the record is not part of the run and the directory has to be opened again
   */
  public synchronized void append(RunRecord record) {
    if (done.contains(record.image()) || !header.images().contains(record.image())) {
      throw new IllegalArgumentException("image " + record.image() + " is done already or is none of the run's");
    }
    LogLine line = record.encode();
    try {
      RunRecord.decode(LogLine.parse(line.write()), header); // what could not be read again must not be written
    } catch (DiffcertException e) {
      throw new IllegalArgumentException("the record does not fit the run: " + e.getMessage(), e);
    }
    try {
      file.append(line);
    } catch (IOException e) {
      throw failure(directory, e);
    }
    done.add(record.image());
    records.add(record);
  }

  /**
   * Writes the results and the report from the records, each replaced in one step.
   *
   * @param data the images for the report's thumbnails, or null for none
   * @return the report
   * @throws DiffcertException of kind BAD_INPUT if the disk refuses
   */
  public synchronized Path finish(ImageData data) {
    try {
      RunLog log = RunLog.read(directory);
      for (int s = 0; s < header.certificates(); s++) {
        Durable.replace(directory.resolve(Results.fileName(header, s)), utf8(Results.text(log, s)));
      }
      Path report = directory.resolve("report.html");
      Durable.replace(report, utf8(RunReport.html(log, data)));
      return report;
    } catch (IOException e) {
      throw failure(directory, e);
    }
  }

  @Override
  public synchronized void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw failure(directory, e);
    }
  }

  private static void refuseIfDifferent(Path directory, RunHeader here, RunHeader there) {
    List<String> differences = here.differences(there);
    if (!differences.isEmpty()) {
      throw DiffcertException.usage("the run in " + directory + " is another one: " + String.join("; ", differences)
          + "; give the options of that run to go on with it, or another --out");
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void closeQuietly(LogFile log) {
    if (log != null) {
      try {
        log.close();
      } catch (IOException e) {
        throw new IllegalStateException("the log does not close", e);
      }
    }
  }

  static DiffcertException failure(Path directory, IOException cause) {
    if (cause instanceof ClosedByInterruptException) {
      return new DiffcertException(Kind.INTERRUPTED, "stopped while writing to " + directory
          + "; the run can be resumed", cause);
    }
    return new DiffcertException(
        Kind.BAD_INPUT, "the run directory " + directory + " cannot be used: " + DiffcertException.reason(cause),
        cause);
  }
}
