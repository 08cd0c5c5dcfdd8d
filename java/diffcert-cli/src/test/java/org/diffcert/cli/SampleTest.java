package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Drawing digits with the shipped network: the grid, the same bytes for the same seed, what cannot be written. */
class SampleTest {
  @TempDir
  Path directory;

  private byte[] sample(String name, String... more) throws IOException {
    Path file = directory.resolve(name);
    Object[] arguments = {"sample", "--model", Cli.MODEL, "--device", "cpu", "--out", file};
    Object[] all = Arrays.copyOf(arguments, arguments.length + more.length);
    System.arraycopy(more, 0, all, arguments.length, more.length);
    assertTrue(Cli.ok(all).out().contains("images   " + file));
    return Files.readAllBytes(file);
  }

  @Test
  void theGridHasAColumnAClassAndIsTheSameForTheSameSeed() throws IOException {
    byte[] all = sample("all.png", "--n", "12", "--steps", "2");
    assertEquals(10 * 30 - 2, ByteBuffer.wrap(all).getInt(16), "ten columns of 28 pixels and the lines between them");
    assertEquals(2 * 30 - 2, ByteBuffer.wrap(all).getInt(20), "two rows");
    assertArrayEquals(all, sample("again.png", "--n", "12", "--steps", "2", "--seed", "0", "--threads", "1"));
    assertFalse(Arrays.equals(all, sample("seed.png", "--n", "12", "--steps", "2", "--seed", "1")));
    assertFalse(Arrays.equals(all, sample("euler.png", "--n", "12", "--steps", "2", "--solver", "euler")));
    assertEquals(2 * 30 - 2, ByteBuffer.wrap(sample("none.png", "--n", "4", "--steps", "2", "--labels", "none"))
        .getInt(16));
  }

  @Test
  void aFileThatCannotBeWrittenIsSaidSo() {
    Cli cli = Cli.run("sample", "--model", Cli.MODEL, "--device", "cpu", "--n", "1", "--steps", "2", "--out",
        directory.resolve("none/x.png"));
    assertEquals(3, cli.code(), cli.err());
    assertTrue(cli.err().contains("cannot be written"), cli.err());
  }
}
