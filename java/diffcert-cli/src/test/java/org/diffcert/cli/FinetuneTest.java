package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code diffcert finetune}: the same bits after an interruption and for any rows and threads; what is refused. */
class FinetuneTest {
  private static final Path CNN = Cli.SHARED.resolve("models/mnist-cnn.onnx");

  @TempDir Path temp;

  private Cli finetune(String out, Object... more) {
    List<Object> arguments = new ArrayList<>(List.of("finetune", "--objective", "calibrate", "--model", Cli.MODEL,
        "--onnx", CNN, "--data", Cli.DIGITS, "--images", "100:110", "--sigma", "0.5,0.25", "--copies", "2", "--batch",
        "2", "--seed", "3", "--out", temp.resolve(out)));
    arguments.addAll(Arrays.asList(more));
    return Cli.run(arguments.toArray());
  }

  @Test
  void goesOnToTheSameBits() throws Exception {
    Cli whole = finetune("whole", "--steps", "3", "--warmup", "0");
    assertEquals(0, whole.code(), whole.err());
    assertTrue(whole.out().contains("8 rows a step") && whole.out().contains("done     step 3, 6 images"), whole.out());
    assertEquals(0, finetune("parts", "--steps", "1", "--warmup", "0", "--rows", "3", "--threads", "1").code());
    assertEquals(0, finetune("parts", "--steps", "3", "--warmup", "0", "--rows", "5").code());
    Path model = temp.resolve("whole/model.safetensors");
    assertArrayEquals(losses("whole"), losses("parts"));
    String digest = Cli.ok("model", "inspect", model).out().lines().filter(l -> l.contains("digest")).findFirst()
        .orElseThrow();
    assertEquals(digest, Cli.ok("model", "inspect", temp.resolve("parts/model.safetensors")).out().lines()
        .filter(l -> l.contains("digest")).findFirst().orElseThrow());
    assertFalse(Cli.ok("model", "inspect", Cli.MODEL).out().contains(digest), "it has moved");
    assertTrue(Files.readString(temp.resolve("whole/model.md")).contains("Fine-tuned by `diffcert finetune`"));
    Cli other = finetune("whole", "--steps", "3", "--warmup", "0", "--diverse", "0.5");
    assertEquals(2, other.code());
    assertTrue(other.err().contains("diverse is 1.0 there and 0.5 here"), other.err());
  }

  /** Image counts and losses of each step. */
  private String[] losses(String out) throws Exception {
    return Files.readAllLines(temp.resolve(out).resolve("loss.tsv")).stream()
        .map(line -> line.substring(0, line.lastIndexOf('\t'))).toArray(String[]::new);
  }

  @Test
  void refusals() {
    Cli other = Cli.run("finetune", "--objective", "other", "--model", Cli.MODEL, "--onnx", CNN, "--data", Cli.DIGITS,
        "--steps", "1", "--out", temp.resolve("a"));
    assertTrue(other.code() == 2 && other.err().contains("there is calibrate"), other.err());
    assertEquals(2, finetune("a").code(), "no end");
    assertEquals(2, finetune("a", "--steps", "1", "--copies", "1").code());
    assertEquals(2, finetune("a", "--steps", "1", "--consistent", "0", "--diverse", "0", "--anchor", "0").code());
    assertEquals(2, finetune("a", "--steps", "1", "--anchor", "-1").code());
    Cli shape = finetune("a", "--steps", "1", "--onnx", Cli.SHARED.resolve("models/cifar10-resnet20.onnx"));
    assertTrue(shape.code() == 2 || shape.code() == 3, shape.err());
    assertFalse(Files.exists(temp.resolve("a")), "something was left behind");
  }
}
