package org.diffcert.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.diffcert.DiffcertException;

/**
 * An attack's log as read from a file, strictly: the file may come from a stranger. A last line without its line feed
 * is torn by a crash and left out. Immutable, thread-safe.
 *
 * @param header the first line
 * @param origin where and when it was begun
 * @param byKey the records by image, attack and budget, in the log's order
 * @param wholeBytes length of the file up to and including its last line feed
 */
public record AttackLog(AttackHeader header, Origin origin, Map<String, AttackRecord> byKey, long wholeBytes) {
  /** The log's name in a run directory. */
  public static final String FILE = "attack.jsonl";

  /**
   * The records.
   *
   * @return in the log's order
   */
  public List<AttackRecord> records() {
    return List.copyOf(byKey.values());
  }

  /**
   * One record.
   *
   * @param image index in the data set
   * @param attack the attack's name
   * @param budget its size as it was typed
   * @return the record, if it is there
   */
  public Optional<AttackRecord> record(int image, String attack, String budget) {
    return Optional.ofNullable(byKey.get(AttackRecord.key(image, attack, budget)));
  }

  /**
   * The header of an attack that is already there, for a caller that wants to go on with its seed.
   *
   * @param directory the run directory
   * @return the header, or empty when there is none yet
   * @throws DiffcertException of kind BAD_INPUT if there is a log but a malformed one
   */
  public static Optional<AttackHeader> peek(Path directory) {
    Path file = directory.resolve(FILE);
    try {
      boolean none = !Files.exists(file) || LogFile.tornAtHeader(file);
      return none ? Optional.empty() : Optional.of(read(file).header());
    } catch (IOException e) {
      throw RunDirectory.failure(directory, e);
    }
  }

  /**
   * Reads a log.
   *
   * @param path the log, or the directory that holds it
   * @return the log
   * @throws DiffcertException of kind BAD_INPUT if the file is missing or malformed, naming the line
   */
  public static AttackLog read(Path path) {
    Path file = Files.isDirectory(path) ? path.resolve(FILE) : path;
    AttackHeader[] header = new AttackHeader[1];
    Origin[] origin = new Origin[1];
    Map<String, AttackRecord> records = new LinkedHashMap<>();
    try {
      LogFile.Extent extent = LogFile.read(file, (number, line) -> {
        if (number == 1) {
          header[0] = AttackHeader.decode(line.body());
          origin[0] = Origin.decode(line.time());
          return;
        }
        AttackRecord record = AttackRecord.decode(line, header[0]);
        if (records.put(record.key(), record) != null) {
          throw Fields.bad("image " + record.image() + " under " + Fields.abbreviate(record.attack()) + " comes twice");
        }
      });
      return new AttackLog(header[0], origin[0], records, extent.wholeBytes());
    } catch (java.nio.file.NoSuchFileException e) {
      throw DiffcertException.badInput("there is no attack log " + file);
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, "the attack log " + file + " cannot be read: "
          + DiffcertException.reason(e), e);
    }
  }
}
