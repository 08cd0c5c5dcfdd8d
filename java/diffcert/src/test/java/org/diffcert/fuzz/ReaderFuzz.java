package org.diffcert.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the fuzzer calls, by the names that Jazzer looks for: {@code tests/fuzz} runs it. */
public final class ReaderFuzz {
  private static Reader reader;
  private static Path folder;

  private ReaderFuzz() {}

  /**
   * Chooses the reader.
   *
   * @param arguments its name, as in {@link Reader}
   */
  public static void fuzzerInitialize(String[] arguments) throws IOException {
    reader = Reader.valueOf(arguments[0]);
    folder = Files.createTempDirectory("fuzz");
  }

  /**
   * Reads one input; throws if a reader did what none may do.
   *
   * @param bytes the file
   */
  public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
    reader.check(folder, bytes);
  }
}
