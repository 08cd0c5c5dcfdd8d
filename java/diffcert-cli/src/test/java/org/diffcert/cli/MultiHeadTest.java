package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.file.Json;
import org.diffcert.model.Model;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A student with a head for each class: how it begins, that its training goes on to the same bits, what reads it. */
class MultiHeadTest {
  private static final String CONFIG = "{\"model_type\":\"SongUNet\",\"img_resolution\":28,\"img_channels\":1,"
      + "\"label_dim\":10,\"model_channels\":8,\"channel_mult\":[1,1],\"num_blocks\":1,\"attn_resolutions\":[]}";

  @TempDir
  static Path shared;
  private static Path network;
  private static Path teacher;
  /** Six steps of distillation that nothing disturbed. */
  private static Path whole;

  @TempDir
  Path directory;

  @BeforeAll
  static void trainOnce() throws IOException {
    network = Files.writeString(shared.resolve("small.json"), "{\"precond\":\"EDMPrecond\",\"config\":" + CONFIG + "}");
    Cli.ok("train", "--data", Cli.DIGITS, "--images", "0:100", "--config", network, "--steps", "5", "--batch", "8",
        "--warmup",
        "8", "--seed", "3", "--threads", "1", "--out", shared.resolve("teacher"));
    teacher = shared.resolve("teacher/model.safetensors");
    whole = shared.resolve("whole");
    Cli cli = distil(whole, "--steps", "6");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("11 heads") && cli.out().contains("whose weights the network begins with"),
        cli.out());
  }

  private static Cli distil(Path out, String... more) {
    List<Object> arguments = new ArrayList<>(List.of("train", "--distill", teacher, "--data", Cli.DIGITS, "--images",
        "0:100",
        "--config", network, "--batch", "8", "--warmup", "16", "--seed", "11", "--threads", "1", "--out", out));
    for (int i = 0; i < more.length; i += 2) {
      int at = arguments.indexOf(more[i]);
      if (at >= 0) {
        arguments.subList(at, at + 2).clear();
      }
      arguments.addAll(Arrays.asList(more).subList(i, i + 2));
    }
    return Cli.run(arguments.toArray());
  }

  private static DiffusionModel open(Path file) {
    try (Model model = Model.open(file)) {
      return DiffusionModel.open(model, DeviceOptions.on(Device.CPU).withMaxBatch(4));
    }
  }

  /** The first step moves nothing: its rate is 0. */
  @Test
  void everyHeadBeginsAsTheTeacherWithoutALabel() {
    Path out = directory.resolve("first");
    assertEquals(0, distil(out, "--steps", "1").code());
    Random random = new Random(5);
    float[] x = new float[4 * 28 * 28];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    double[] sigma = {0.1, 0.5, 1, 3};
    try (DiffusionModel of = open(teacher); DiffusionModel student = open(out.resolve("model.safetensors"))) {
      float[] wanted = of.denoise(x, sigma, null);
      for (int label = -1; label < 10; label++) {
        int[] labels = {label, label, label, label};
        assertArrayEquals(wanted, student.denoise(x, sigma, labels), 1e-4f, "label " + label);
      }
    }
  }

  @Test
  void aTrainingThatIsGoneOnWithGivesTheSameBytes() throws IOException {
    Path out = directory.resolve("halves");
    assertEquals(0, distil(out, "--steps", "2").code());
    assertEquals(0, distil(out, "--steps", "6", "--threads", "2", "--rows", "3").code());
    assertArrayEquals(Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(out.resolve("model.safetensors")));
    Json header = Json.parse(Files.readString(out.resolve("training.json")), "training.json");
    try (Model model = Model.open(teacher)) {
      assertEquals(model.digest(), header.get("teacher").asString());
    }
    Cli other = distil(out, "--steps", "8", "--heads-per-image", "5");
    assertEquals(2, other.code());
    assertTrue(other.err().contains("heads_per_image is 3 there and 5 here"), other.err());
    Cli undistilled = Cli.run("train", "--data", Cli.DIGITS, "--images", "0:100", "--config", network, "--batch", "8",
        "--warmup", "16",
        "--seed", "11", "--steps", "8", "--out", out);
    assertEquals(2, undistilled.code());
    assertTrue(undistilled.err().contains("teacher is"), undistilled.err());
    Path drawn = directory.resolve("drawn");
    Cli random = distil(drawn, "--steps", "2", "--begin", "random");
    assertEquals(0, random.code(), random.err());
    assertNotEquals(Files.readAllLines(out.resolve("loss.tsv")).get(1),
        Files.readAllLines(drawn.resolve("loss.tsv")).get(1));
  }

  @Test
  void aStudentVotesInspectsAndDraws() {
    Path student = whole.resolve("model.safetensors");
    String inspected = Cli.ok("model", "inspect", student).out();
    assertTrue(inspected.contains("11, one a class and one for none"), inspected);
    assertTrue(inspected.contains("--distill model.safetensors"), inspected);
    for (String classifier : List.of("dc-multihead", "apndc-conditional")) {
      String said = Cli.ok("predict", "--model", student, "--data", Cli.DIGITS, "--images", "0:1", "--classifier",
          classifier,
          "--sigma", "0.5", "--levels", "8", "--n", "4", "--device", "cpu", "--seed", "1").out();
      assertTrue(said.matches("(?s).*votes    (dc, 6|apndc-conditional, 7) network calls each.*"), said);
    }
    Cli.ok("sample", "--model", student, "--device", "cpu", "--n", "11", "--steps", "2", "--out",
        directory.resolve("s.png"));
  }

  @Test
  void whatDoesNotGoTogetherIsOneSentence() {
    refused("has one head, so that --classifier dc is for it", "predict", "--model", teacher, "--data", Cli.DIGITS,
        "--images", "0:1",
        "--classifier", "dc-multihead", "--sigma", "0.5", "--device", "cpu");
    refused("multi-head model computes all classes in one call", "predict", "--model",
        whole.resolve("model.safetensors"), "--data",
        Cli.DIGITS, "--images", "0:1", "--classifier", "epndc", "--sigma", "0.5", "--prune", "paired", "--device",
            "cpu");
    refused("belong to --distill", "train", "--data", Cli.DIGITS, "--preset", "mnist-ddpmpp", "--steps", "1",
        "--begin", "random",
        "--out", directory.resolve("x"));
    refused("cannot begin with the teacher's weights", "train", "--distill", teacher, "--data", Cli.DIGITS, "--preset",
        "mnist-ddpmpp",
        "--steps", "1", "--begin", "teacher", "--out", directory.resolve("x"));
    refused("1 to 11 heads, not 12", "train", "--distill", teacher, "--data", Cli.DIGITS, "--preset", "mnist-ddpmpp",
        "--steps", "1",
        "--heads-per-image", "12", "--out", directory.resolve("x"));
  }

  private static void refused(String sentence, Object... arguments) {
    Cli cli = Cli.run(arguments);
    assertEquals(2, cli.code(), cli.err() + cli.out());
    assertTrue(cli.err().contains(sentence), cli.err());
    assertEquals(1, cli.err().lines().count(), cli.err());
  }
}
