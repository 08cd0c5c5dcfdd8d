package org.diffcert.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.diffcert.DiffcertException;
import org.diffcert.file.Durable;

/**
 * {@code loss.tsv}, a line a step: its number, images seen, loss (the shortest digits that give the same float64),
 * seconds spent. Its file lock keeps a second process out of the directory. Not for several threads.
 */
final class LossLog implements AutoCloseable {
  static final String FILE = "loss.tsv";
  private static final byte[] HEADER = "step\timages\tloss\tseconds\n".getBytes(StandardCharsets.US_ASCII);
  /** Room for a step's line is far less; a longer file is not one of ours. */
  private static final int LONGEST_LINE = 120;
  private static final long SYNC_NANOS = 1_000_000_000L;

  private final FileChannel channel;
  private final List<Double> losses = new ArrayList<>();
  private final List<Double> images = new ArrayList<>();
  private long synced = System.nanoTime();

  private LossLog(FileChannel channel) {
    this.channel = channel;
  }

  /** Opens or makes the log of a directory and locks it. */
  static LossLog open(Path directory) throws IOException {
    FileChannel channel = FileChannel.open(directory.resolve(FILE), StandardOpenOption.CREATE, StandardOpenOption.READ,
        StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return new LossLog(channel);
      }
    } catch (OverlappingFileLockException e) {
      // this very process has it open: refused as if another had
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    channel.close();
    throw DiffcertException.usage("another process is training in " + directory
        + "; wait for it or choose another --out");
  }

  /** Keeps the lines of the first steps and cuts off what a killed process wrote after its last checkpoint. */
  void keep(long steps) throws IOException {
    long most = HEADER.length + LONGEST_LINE * (steps + 1);
    ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(Math.min(channel.size(), most), Integer.MAX_VALUE - 8));
    channel.position(0);
    while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
      continue;
    }
    String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
    int at = text.indexOf('\n') + 1;
    if (steps > 0 && !text.startsWith(new String(HEADER, StandardCharsets.US_ASCII))) {
      throw malformed(0);
    }
    for (long step = 1; step <= steps; step++) {
      int end = text.indexOf('\n', at);
      String[] fields = (end < 0 ? "" : text.substring(at, end)).split("\t", -1);
      if (fields.length != 4 || !fields[0].equals(Long.toString(step))) {
        throw malformed(step);
      }
      try {
        remember(Long.parseLong(fields[1]), Double.parseDouble(fields[2]));
      } catch (NumberFormatException e) {
        throw malformed(step);
      }
      at = end + 1;
    }
    if (steps == 0) {
      channel.truncate(0);
      channel.position(0);
      Durable.writeFully(channel, ByteBuffer.wrap(HEADER));
    } else {
      channel.truncate(at);
      channel.position(at);
      channel.force(true);
    }
  }

  private static DiffcertException malformed(long step) {
    return DiffcertException.badInput("the log " + FILE + " of the training does not hold step " + step
        + ", which its checkpoint has; restore the file, or choose another --out");
  }

  /** Adds a step's line, on the disk within about a second if more steps follow, else with {@link #sync}. */
  void append(long step, long seen, double loss, double seconds) throws IOException {
    byte[] line = String.format(Locale.ROOT, "%d\t%d\t%s\t%.3f\n", step, seen, loss, seconds)
        .getBytes(StandardCharsets.US_ASCII);
    ByteBuffer bytes = ByteBuffer.wrap(line);
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    remember(seen, loss);
    if (System.nanoTime() - synced > SYNC_NANOS) {
      sync();
    }
  }

  private void remember(long seen, double loss) {
    images.add((double) seen);
    losses.add(loss);
  }

  /** Waits until every line is on the disk. */
  void sync() throws IOException {
    channel.force(true);
    synced = System.nanoTime();
  }

  /** Images seen after each step. */
  double[] images() {
    return images.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** The loss of each step. */
  double[] losses() {
    return losses.stream().mapToDouble(Double::doubleValue).toArray();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
