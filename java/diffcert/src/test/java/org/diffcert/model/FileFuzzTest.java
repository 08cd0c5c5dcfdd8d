package org.diffcert.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.diffcert.DiffcertException;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Damaged files of every format, from a printed seed: either the file opens, or one sentence says why not.
 * {@code -Ddepth=N} runs N times as many, {@code -Dfuzz.seed=S} repeats a run.
 */
class FileFuzzTest {
  private static final int RUNS = 1000;
  private static final Model TINY = Model.random(NetworkConfig.parse("EDMPrecond",
      "{\"img_resolution\":4,\"img_channels\":1,"
      + "\"model_type\":\"SongUNet\",\"model_channels\":4,\"channel_mult\":[1],\"num_blocks\":1,"
      + "\"attn_resolutions\":[]}"), 5);
  @TempDir Path dir;

  static Stream<String> formats() {
    return Stream.of("safetensors", "pt", "pth", "pkl");
  }

  private byte[] whole(String format) throws Exception {
    Path path = dir.resolve("good");
    switch (format) {
      case "safetensors" -> TINY.write(path);
      case "pt" -> Files.write(path, TorchWriter.zip(TorchWriter.entries(TINY.tensors().values())));
      case "pth" -> Files.write(path, TorchWriter.legacy(TINY.tensors().values()));
      default -> Files.copy(SharedFiles.shared("models/mnist-edm.pkl"), path);
    }
    return Files.readAllBytes(path);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void damagedFilesOpenOrAreOneSentence(String format) throws Exception {
    long seed = Long.getLong("fuzz.seed", System.nanoTime());
    System.out.println("FileFuzzTest " + format + " fuzz.seed=" + seed);
    SplittableRandom random = new SplittableRandom(seed);
    byte[] good = whole(format);
    int runs = (format.equals("pkl") ? RUNS / 5 : RUNS) * Integer.getInteger("depth", 1);
    ModelOptions options = new ModelOptions(TINY.config());
    int refused = 0;
    for (int i = 0; i < runs; i++) {
      byte[] bytes = mutate(good, random);
      Path path = Files.write(dir.resolve("bad"), bytes);
      long before = allocated();
      try (Model model = Model.open(path, format.equals("pkl") ? ModelOptions.none() : options)) {
        assertEquals(64, model.digest().length());
      } catch (DiffcertException e) {
        refused++;
        assertEquals(DiffcertException.Kind.BAD_INPUT, e.kind());
        assertTrue(!e.getMessage().contains("\n") && e.getMessage().length() < 600, e.getMessage());
      } catch (RuntimeException | Error e) {
        fail("seed " + seed + ", run " + i + " of " + format + ": " + HexFormat.of().formatHex(bytes, 0, Math.min(64,
            bytes.length)), e);
      }
      assertTrue(allocated() - before < bytes.length + (64L << 20), "seed " + seed + ", run " + i + " allocated");
    }
    assertTrue(refused > runs / 4, "only " + refused + " of " + runs + " were refused");
  }

  /* Mostly in the structure, at the start and the end, where a byte matters; now and then a cut or a copied stretch. */
  private static byte[] mutate(byte[] good, SplittableRandom random) {
    byte[] bytes = good.clone();
    int kind = random.nextInt(10);
    if (kind == 0) {
      return java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length));
    }
    if (kind == 1) {
      int length = random.nextInt(1, 64);
      System.arraycopy(good, random.nextInt(good.length - length), bytes, random.nextInt(good.length - length), length);
      return bytes;
    }
    int reach = Math.min(bytes.length, 6000);
    for (int n = random.nextInt(1, 4); n > 0; n--) {
      int at = random.nextInt(reach);
      at = random.nextInt(4) == 0 ? bytes.length - 1 - at : at;
      bytes[at] = random.nextBoolean() ? (byte) random.nextInt() : (byte) (bytes[at] ^ 1 << random.nextInt(8));
    }
    return bytes;
  }

  private static long allocated() {
    return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
        .getThreadAllocatedBytes(Thread.currentThread().getId());
  }
}
