package org.diffcert.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OrtEnvironment;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process with a long class path opens a model. ONNX Runtime 1.29.0 takes the JVM down in that case. */
class LongCommandLineTest {
  private static final Path ROOT = Path.of(System.getProperty("diffcert.root")).toAbsolutePath().normalize();

  @TempDir
  Path folder;

  @Test
  void aModelIsOpened() throws Exception {
    Path program = folder.resolve("Opens.java");
    Files.writeString(program, """
        public class Opens {
          public static void main(String[] arguments) {
            var file = java.nio.file.Path.of(arguments[0]);
            try (var c = org.diffcert.onnx.OnnxClassifier.open(file, org.diffcert.onnx.OnnxOptions.DEFAULT)) {
              System.out.print(c.classes());
            }
          }
        }
        """);
    String path = String.join(File.pathSeparator, ROOT.resolve("java/diffcert/target/classes").toString(),
        ROOT.resolve("java/diffcert-onnx/target/classes").toString(), jar(OrtEnvironment.class));
    Process process = new ProcessBuilder(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Dlong=" + "a".repeat(6000), "-cp", path, program.toString(),
        ROOT.resolve("tests/onnx/fourteen-classes.onnx").toString())).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.waitFor(), output);
    assertEquals("14", output);
  }

  private static String jar(Class<?> type) throws IOException {
    return new File(type.getProtectionDomain().getCodeSource().getLocation().getPath()).getCanonicalPath();
  }
}
