package org.diffcert.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The inputs that fuzzing found worth keeping, through their readers again. {@code tests/fuzz} makes more. */
class CorpusTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void everyKeptInputIsReadOrRefused(Reader reader) throws IOException {
    int inputs = 0;
    try (InputStream packed = CorpusTest.class.getResourceAsStream(reader.name().toLowerCase() + ".corpus.gz");
        DataInputStream in = new DataInputStream(new GZIPInputStream(packed))) {
      for (int length = in.readInt(); length >= 0; length = in.readInt()) {
        reader.check(folder, in.readNBytes(length));
        inputs++;
      }
    }
    assertTrue(inputs > 10, "only " + inputs + " inputs");
  }
}
