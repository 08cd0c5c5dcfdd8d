package org.diffcert.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.diffcert.DiffcertException;
import org.diffcert.file.Json;

/** Damaged run logs and JSON texts; jqwik prints the seed of each property. */
class RunLogPropertiesTest {
  private static Path folder;
  private static byte[] whole;

  @BeforeContainer
  static void makeRun() throws IOException {
    folder = Files.createTempDirectory("runs");
    Toys.goOn(folder, 3);
    whole = Files.readAllBytes(folder.resolve(RunLog.FILE));
  }

  @AfterContainer
  static void removeRun() throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  /** One byte wrong is found: by the checksum, by the canonical form, or in the times, which it leaves out. */
  @Property
  void aDamagedLogIsReadWithItsRowsOrRefused(@ForAll Random random) throws IOException {
    for (int depth = Integer.getInteger("depth", 1); depth > 0; depth--) {
      byte[] bytes = whole.clone();
      int at = random.nextInt(bytes.length);
      bytes[at] = (byte) (random.nextBoolean() ? random.nextInt(256) : bytes[at] ^ 1 << random.nextInt(7));
      Files.write(folder.resolve(RunLog.FILE), bytes);
      long before = allocated();
      try {
        RunLog log = RunLog.read(folder);
        assertEquals(Toys.header(3), log.header());
        for (RunRecord record : log.records()) {
          assertEquals(Toys.record(record.image()).certificates(), record.certificates());
        }
      } catch (DiffcertException e) {
        assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
        assertTrue(!e.getMessage().contains("\n") && e.getMessage().length() < 600, e.getMessage());
      }
      assertTrue(allocated() - before < 32 << 20, "reading allocates");
    }
  }

  @Property
  void anyTextIsJsonOrRefused(@ForAll Random random) {
    String alphabet = "{}[],:\"\\u0019.eE+-truefalsn \n\u0000\u00e9";
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(40); i > 0; i--) {
      text.append(alphabet.charAt(random.nextInt(alphabet.length())));
    }
    byte[] utf8 = text.toString().getBytes(StandardCharsets.UTF_8);
    try {
      Json json = Json.parse(ByteBuffer.wrap(utf8), "the text", new Json.Limits(100, 8, 100, 100));
      assertEquals(json.write(), Json.parse(ByteBuffer.wrap(json.write().getBytes(
          StandardCharsets.UTF_8)), "the same again", new Json.Limits(1000, 8, 100, 1000)).write());
    } catch (DiffcertException e) {
      assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
    }
  }

  private static long allocated() {
    return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
        .getThreadAllocatedBytes(Thread.currentThread().getId());
  }
}
