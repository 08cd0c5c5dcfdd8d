package org.diffcert.fuzz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.diffcert.DiffcertException;
import org.diffcert.analyze.Audit;
import org.diffcert.analyze.Log;
import org.diffcert.analyze.TableReader;
import org.diffcert.file.Json;
import org.diffcert.file.Safetensors;
import org.diffcert.model.Model;
import org.diffcert.model.ModelOptions;
import org.diffcert.model.NetworkConfig;
import org.diffcert.run.AttackLog;
import org.diffcert.run.RunLog;
import org.diffcert.run.SealedLog;

/** Every reader of strangers' files, and what is asked of each, whatever it is given. */
enum Reader {
  TABLE("sigma_0.25") {
    private Log log;

    @Override
    void read(Path file, byte[] bytes) {
      log = TableReader.read(file);
    }

    @Override
    void use() {
      Audit.of(log);
    }
  },
  RUN_LOG("run.jsonl") {
    @Override
    void read(Path file, byte[] bytes) {
      RunLog.read(file);
    }
  },
  /** The same behind checksums that are right, which no mutation would hit on: headers and records of every kind. */
  RUN_RECORDS("run.jsonl", SealedLog::of) {
    @Override
    void read(Path file, byte[] bytes) {
      RunLog.read(file);
    }
  },
  /** Attack logs, behind checksums that are right. */
  ATTACK_RECORDS("attack.jsonl", SealedLog::of) {
    @Override
    void read(Path file, byte[] bytes) {
      AttackLog.read(file);
    }
  },
  JSON("text.json") {
    @Override
    void read(Path file, byte[] bytes) {
      Json.parse(ByteBuffer.wrap(bytes), "the text", new Json.Limits(1 << 16, 32, 1 << 14, 1 << 16)).write();
    }
  },
  SAFETENSORS("model.safetensors") {
    @Override
    void read(Path file, byte[] bytes) {
      Safetensors.open(file).close();
    }
  },
  TORCH_ZIP("model.pt") {
    @Override
    void read(Path file, byte[] bytes) {
      Model.open(file, new ModelOptions(TINY)).close();
    }
  },
  TORCH_LEGACY("model.pth") {
    @Override
    void read(Path file, byte[] bytes) {
      Model.open(file, new ModelOptions(TINY)).close();
    }
  },
  EDM_PICKLE("model.pkl") {
    @Override
    void read(Path file, byte[] bytes) {
      Model.open(file, ModelOptions.none()).close();
    }
  };

  private static final NetworkConfig TINY = NetworkConfig.parse("EDMPrecond",
      "{\"img_resolution\":4,\"img_channels\":1,"
      + "\"model_type\":\"SongUNet\",\"model_channels\":4,\"channel_mult\":[1],\"num_blocks\":1,"
      + "\"attn_resolutions\":[]}");
  /** What reading may allocate beyond the file itself, the first reading's classes and tables included. */
  private static final long MOST_BYTES = 256L << 20;
  private static final long MOST_NANOS = 10_000_000_000L;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final String fileName;
  /** From an input to the file that it stands for. */
  private final UnaryOperator<byte[]> content;

  Reader(String fileName) {
    this(fileName, UnaryOperator.identity());
  }

  Reader(String fileName, UnaryOperator<byte[]> content) {
    this.fileName = fileName;
    this.content = content;
  }

  /** Reads a file; throws what the reader throws. */
  abstract void read(Path file, byte[] bytes);

  /** Does with what was read what comes next. */
  void use() {}

  /**
   * Reads bytes as such a file in a folder: it is read, or refused with one sentence, in a moment, within a limit of
   * memory.
   */
  void check(Path folder, byte[] bytes) throws IOException {
    byte[] inside = content.apply(bytes);
    Path file = Files.write(folder.resolve(fileName), inside);
    long before = allocated();
    long start = THREADS.getCurrentThreadCpuTime();
    boolean whole = true;
    try {
      read(file, inside);
    } catch (DiffcertException e) {
      whole = false;
      boolean sentence = !e.getMessage().contains("\n") && e.getMessage().length() < 800;
      if (e.kind() != DiffcertException.Kind.BAD_INPUT || !sentence) {
        throw new AssertionError("no sentence about a file: " + e.kind() + ", " + e.getMessage(), e);
      }
    }
    if (allocated() - before > MOST_BYTES + 8L * inside.length) {
      throw new AssertionError(this + " allocated " + (allocated() - before) + " bytes for " + inside.length);
    }
    if (whole) {
      use();
    }
    long nanos = THREADS.getCurrentThreadCpuTime() - start;
    if (nanos > MOST_NANOS) {
      throw new AssertionError(this + " took " + nanos / 1e9 + " s");
    }
  }

  private static long allocated() {
    return THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
  }
}
