package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.diffcert.file.Safetensors;
import org.diffcert.file.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Bad files of every kind through the commands that read them: exit code 3, one sentence that names the file, no run
 * left behind. The readers' own tests have the many cases; here one or two of each kind make the whole way.
 */
class BadInputTest {
  @TempDir
  Path directory;

  @Test
  void models() throws IOException {
    byte[] good = Files.readAllBytes(Path.of(Cli.MODEL));
    model("absent.safetensors", null);
    model("empty.safetensors", new byte[0]);
    model("short.safetensors", Arrays.copyOf(good, good.length - 4));
    model("headless.safetensors", Arrays.copyOf(good, 5000));
    model("huge-header.safetensors", ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(1L << 60).array());
    model("random.bin", new byte[] {7, 7, 7, 7, 1, 2, 3, 4, 5, 6, 7, 8});
    byte[] pickle = Files.readAllBytes(Cli.SHARED.resolve("golden/edm/ncsnpp-edm-gray.pkl"));
    model("short.pkl", Arrays.copyOf(pickle, pickle.length / 2));
    model("calls.pkl", "cos\nsystem\n(S'touch owned'\ntR.".getBytes(StandardCharsets.US_ASCII));
    assertFalse(Files.exists(Path.of("owned")), "the pickle was obeyed");
    model("zip.pt", "PK\3\4 and nothing else".getBytes(StandardCharsets.US_ASCII));
    model("directory", null);
  }

  private void model(String name, byte[] bytes) throws IOException {
    Path file = write(name, bytes);
    refused(name, "model", "inspect", file);
    refused(name, "model", "convert", file, directory.resolve("converted.safetensors"));
    assertFalse(Files.exists(directory.resolve("converted.safetensors")));
    certify(name, "--model", file, "--data", Cli.DIGITS);
  }

  @Test
  void configurations() throws IOException {
    for (String text : List.of("", "{", "[]", "{\"precond\":\"EDMPrecond\"}",
        "{\"precond\":\"Magic\",\"config\":{}}")) {
      Path file = write("config.json", text.getBytes(StandardCharsets.UTF_8));
      refused("", "model", "inspect", Cli.MODEL, "--config", file);
    }
  }

  @Test
  void data() throws IOException {
    certify("nowhere", "--model", Cli.MODEL, "--data", "mnist:" + directory.resolve("nowhere"));
    Path idx = Files.createDirectories(directory.resolve("idx"));
    write("idx/t10k-labels-idx1-ubyte", new byte[] {0, 0, 8, 1, 0, 0, 0, 1, 7});
    write("idx/t10k-images-idx3-ubyte", new byte[] {0, 0, 8, 3, 127, -1, -1, -1, 0, 0, 0, 28, 0, 0, 0, 28});
    certify("idx", "--model", Cli.MODEL, "--data", "mnist:" + idx);
    write("idx/t10k-images-idx3-ubyte", new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
    certify("idx", "--model", Cli.MODEL, "--data", "mnist:" + idx);
    certify("records.bin", "--model", Cli.MODEL, "--data", "cifar10:" + write("records.bin", new byte[3000]));
    certify("arrays.npz", "--model", Cli.MODEL, "--data", "npz:" + write("arrays.npz", new byte[] {'P', 'K', 5, 6, 0}));
    Files.createDirectories(directory.resolve("folder/cat"));
    write("folder/cat/one.png", new byte[] {1, 2, 3});
    certify("folder", "--model", Cli.MODEL, "--data", "images:" + directory.resolve("folder"));
  }

  @Test
  void runsAndTables() throws IOException {
    refused("nothing", "verify", directory.resolve("nothing"));
    refused("nothing", "analyze", directory.resolve("nothing"));
    Path log = Files.createDirectories(directory.resolve("broken"));
    for (String text : List.of("{}\n", "not json\n", "{\"kind\":\"header\",\"schema\":99}\n", "\u0000\u0000\n")) {
      write("broken/run.jsonl", text.getBytes(StandardCharsets.UTF_8));
      refused("run.jsonl", "verify", log);
      refused("run.jsonl", "analyze", log);
      Cli cli = Cli.run(certifyArguments(log, "--model", Cli.MODEL, "--data", Cli.DIGITS));
      assertOneSentence(3, "run.jsonl", cli);
      assertEquals(text, Files.readString(log.resolve("run.jsonl")), "the log was changed");
    }
    for (String text : List.of("", "idx\tlabel\n",
        "idx\tlabel\tpredict\tradius\tcorrect\ttime\n1\tx\t1\t0.5\t1\t0:00\n",
        "idx\tlabel\tpredict\tradius\tcorrect\ttime\n1\t1\t1\n")) {
      refused("table.tsv", "analyze", write("table.tsv", text.getBytes(StandardCharsets.UTF_8)));
    }
  }

  @Test
  void tensors() throws IOException {
    String network = Cli.SHARED.resolve("golden/edm/ncsnpp-edm-gray.model.safetensors").toString();
    Tensor x = Tensor.of("x", List.of(1L, 1L, 28L, 28L), new float[784]);
    Tensor sigma = Tensor.of("sigma", List.of(1L), new float[] {1});
    denoise(network, "nowhere.safetensors");
    denoise(network, "no-x.safetensors", sigma);
    denoise(network, "no-sigma.safetensors", x);
    denoise(network, "flat.safetensors", Tensor.of("x", List.of(784L), new float[784]), sigma);
    denoise(network, "two-levels.safetensors", x, Tensor.of("sigma", List.of(2L), new float[] {1, 2}));
    denoise(network, "half-a-label.safetensors", x, sigma, Tensor.of("labels", List.of(1L), new float[] {0.5f}));
    denoise(network, "eleventh-label.safetensors", x, sigma, Tensor.of("labels", List.of(1L), new float[] {10}));
    denoise(network, "another-cotangent.safetensors", x, sigma, Tensor.of("cotangent", List.of(784L), new float[784]));
    denoise(network, "level-0.safetensors", x, Tensor.of("sigma", List.of(1L), new float[] {0}));
    Path plain = directory.resolve("plain.safetensors");
    Safetensors.write(plain, Map.of(), List.of(x, sigma));
    Path output = directory.resolve("denoised.safetensors");
    assertOneSentence(2, "--row-memory bounds the memory of gradients", Cli.run("denoise", "--model", network,
        "--input", plain, "--output", output, "--row-memory", "8"));
    assertFalse(Files.exists(output));
    Path elbo = directory.resolve("elbo.safetensors");
    Safetensors.write(elbo, Map.of(), List.of(x.named("x_tau"), sigma.named("lower"), sigma.named("upper")));
    refused("level_noise", "elbo", "--model", network, "--classifier", "epndc", "--sigma", "0.25", "--input", elbo,
        "--output", directory.resolve("residual.safetensors"));
  }

  private void denoise(String network, String name, Tensor... tensors) throws IOException {
    Path input = directory.resolve(name);
    if (tensors.length > 0) {
      Safetensors.write(input, Map.of(), List.of(tensors));
    }
    Path output = directory.resolve("denoised.safetensors");
    refused(name, "denoise", "--model", network, "--input", input, "--output", output);
    assertFalse(Files.exists(output));
  }

  @Test
  void outputs() throws IOException {
    Path file = write("file", new byte[1]);
    assertOneSentence(3, "file", Cli.run(certifyArguments(file.resolve("run"), "--model", Cli.MODEL, "--data",
        Cli.DIGITS)));
    refused("converted", "model", "convert", Cli.MODEL, file.resolve("converted.safetensors"));
  }

  private Path write(String name, byte[] bytes) throws IOException {
    Path file = directory.resolve(name);
    if (bytes != null) {
      Files.write(file, bytes);
    }
    return name.equals("directory") ? Files.createDirectories(file) : file;
  }

  private void certify(String names, Object... modelAndData) {
    Path out = directory.resolve("run");
    assertOneSentence(3, names, Cli.run(certifyArguments(out, modelAndData)));
    assertFalse(Files.exists(out), "something was left behind");
  }

  private static Object[] certifyArguments(Path out, Object... modelAndData) {
    Object[] rest = {"--classifier", "dc", "--sigma", "0.5", "--levels", "5", "--grid", "log", "--n0", "2", "--n", "12",
        "--images", "0:1", "--device", "cpu", "--out", out};
    Object[] all = Arrays.copyOf(new Object[] {"certify"}, 1 + modelAndData.length + rest.length);
    System.arraycopy(modelAndData, 0, all, 1, modelAndData.length);
    System.arraycopy(rest, 0, all, 1 + modelAndData.length, rest.length);
    return all;
  }

  private static void refused(String names, Object... arguments) {
    assertOneSentence(3, names, Cli.run(arguments));
  }

  private static void assertOneSentence(int code, String names, Cli cli) {
    assertEquals(code, cli.code(), cli.err() + cli.out());
    assertEquals(1, cli.err().strip().lines().count(), cli.err());
    assertFalse(cli.err().matches("(?s).*\\bat org\\..*"), cli.err());
    assertFalse(cli.err().contains("Exception"), cli.err());
    assertTrue(cli.err().contains(names), names + " is not in: " + cli.err());
  }
}
