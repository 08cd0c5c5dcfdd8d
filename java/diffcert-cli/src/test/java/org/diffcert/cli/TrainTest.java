package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Training of a network of a few thousand weights on the shipped digits: what it leaves behind, and that no kill
 * changes a bit of it.
 */
class TrainTest {
  private static final int STEPS = 40;
  private static final int DEPTH = Integer.getInteger("depth", 1);
  private static final String NETWORK = "{\"precond\":\"EDMPrecond\",\"config\":{\"model_type\":\"SongUNet\","
      + "\"img_resolution\":28,\"img_channels\":1,\"label_dim\":10,\"model_channels\":8,\"channel_mult\":[1,1],"
      + "\"num_blocks\":1,\"attn_resolutions\":[]}}";

  @TempDir
  static Path shared;
  private static Path network;
  /** A training of STEPS steps that nothing disturbed. */
  private static Path whole;

  @TempDir
  Path directory;

  @BeforeAll
  static void trainOnce() throws IOException {
    network = Files.writeString(shared.resolve("small.json"), NETWORK);
    whole = shared.resolve("whole");
    Cli cli = train(whole, "--samples", "2", "--checkpoint-seconds", "0.01");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("done     step " + STEPS + ", " + 8 * STEPS + " images seen"), cli.out());
  }

  private static String[] command(Path out, String... more) {
    List<String> arguments = new ArrayList<>(List.of("train", "--data", Cli.DIGITS, "--images", "0:100", "--config",
        network.toString(), "--steps",
        "" + STEPS, "--batch", "8", "--warmup", "80", "--decay", "160", "--final-rate", "0.001", "--learning-rate",
        "0.004", "--seed", "11", "--threads", "1",
        "--checkpoint-steps", "3", "--samples", "0",
        "--out", out.toString()));
    for (int i = 0; i < more.length; i += 2) {
      int at = arguments.indexOf(more[i]);
      if (at >= 0) {
        arguments.subList(at, at + 2).clear();
      }
      arguments.addAll(Arrays.asList(more).subList(i, i + 2));
    }
    return arguments.toArray(String[]::new);
  }

  private static Cli train(Path out, String... more) {
    return Cli.run((Object[]) command(out, more));
  }

  /** Steps, images and losses: the log without its times. */
  private static List<String> losses(Path run) throws IOException {
    return Files.readAllLines(run.resolve("loss.tsv")).stream().map(line -> line.substring(0, line.lastIndexOf('\t')))
        .toList();
  }

  private static void equalsWhole(Path run) throws IOException {
    assertEquals(losses(whole), losses(run));
    assertArrayEquals(Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(run.resolve("model.safetensors")));
  }

  private static List<String> names(Path run) throws IOException {
    try (Stream<Path> files = Files.list(run)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void itLearnsAndLeavesItsFiles() throws IOException {
    assertEquals(List.of("checkpoint.safetensors", "loss.png", "loss.tsv", "model.md", "model.safetensors",
        "samples.png", "training.json"), names(whole));
    double[] losses = losses(whole).stream().skip(1).mapToDouble(line -> Double.parseDouble(line.split("\t")[2]))
        .toArray();
    assertEquals(STEPS, losses.length);
    assertTrue(Arrays.stream(losses, 25, 40).average().orElseThrow() < 0.9 * Arrays.stream(losses, 0, 15).average()
        .orElseThrow(),
        Arrays.toString(losses));
    assertEquals(1520, ByteBuffer.wrap(Files.readAllBytes(whole.resolve("loss.png"))).getInt(16));
    String card = Files.readString(whole.resolve("model.md"));
    assertTrue(card.contains("--steps 40 --batch 8 --loss edm") && card.contains("--seed 11"), card);
    assertFalse(card.contains(shared.toString()), "a path of this machine: " + card);
  }

  @Test
  void theModelIsInspectedAndCertifies() {
    Path model = whole.resolve("model.safetensors");
    String shown = Cli.ok("model", "inspect", model).out();
    assertTrue(shown.contains("command ") && shown.contains("images_seen    320"), shown);
    Cli.ok("certify", "--model", model, "--data", Cli.DIGITS, "--images", "0:1", "--classifier", "epndc", "--sigma",
        "0.25", "--levels", "4", "--grid",
        "log", "--n0", "2", "--n", "12", "--device", "cpu", "--seed", "1", "--out", directory.resolve("run"));
  }

  /** Trainings without samples are compared with the one that has them: drawing changes no bit. */
  @Test
  void theSamplesAreWhatTheModelDraws() throws IOException {
    Path sheet = directory.resolve("sheet.png");
    Cli.ok("sample", "--model", whole.resolve("model.safetensors"), "--n", "20", "--device", "cpu", "--out", sheet);
    assertArrayEquals(Files.readAllBytes(sheet), Files.readAllBytes(whole.resolve("samples.png")));
    Path run = directory.resolve("run");
    assertEquals(0, train(run, "--steps", "3").code());
    assertFalse(Files.exists(run.resolve("samples.png")));
  }

  @Test
  void stoppedAndGoneOnWithInOtherRowsAndThreadsItIsTheSame() throws IOException {
    Path run = directory.resolve("run");
    assertEquals(0, train(run, "--steps", "17").code());
    assertEquals(18, losses(run).size());
    Cli more = train(run, "--rows", "3", "--threads", "2", "--seed", "auto");
    assertEquals(0, more.code(), more.err());
    assertTrue(more.out().contains("resumed  after step 17"), more.out());
    equalsWhole(run);
    assertTrue(train(run).out().contains("resumed  after step 40"), "a finished training is not begun again");
    equalsWhole(run);
  }

  /** Augmentation and dropout are keyed by the image's number: neither the stop nor rows and threads show. */
  @Test
  void augmentedAndDroppedItIsTheSameAfterAStop() throws IOException {
    String[] more = {"--augment", "0.3", "--augment-parts", "all", "--dropout", "0.2", "--steps", "14"};
    Path one = directory.resolve("one");
    Path two = directory.resolve("two");
    assertEquals(0, train(one, more).code());
    String[] first = more.clone();
    first[7] = "6";
    assertEquals(0, train(two, first).code());
    String[] second = Arrays.copyOf(more, more.length + 4);
    System.arraycopy(new String[] {"--rows", "3", "--threads", "2"}, 0, second, more.length, 4);
    Cli cli = train(two, second);
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.out().contains("resumed  after step 6"), cli.out());
    assertEquals(losses(one), losses(two));
    assertArrayEquals(Files.readAllBytes(one.resolve("model.safetensors")),
        Files.readAllBytes(two.resolve("model.safetensors")));
    assertNotEquals(losses(whole).subList(0, 15), losses(one));
    String card = Files.readString(one.resolve("model.md"));
    assertTrue(card.contains("the images were augmented")
        && card.contains("--dropout 0.2 --augment 0.3 --augment-parts "
        + "xflip,yflip,scale,rotate,aniso,translate --seed 11"), card);
    String shown = Cli.ok("model", "inspect", one.resolve("model.safetensors")).out();
    assertTrue(shown.contains("\"augment_dim\":9") && shown.contains("\"dropout\":0.2"), shown);
    Cli other = train(two, "--augment", "0.2", "--augment-parts", "all", "--dropout", "0.2", "--steps", "14");
    assertEquals(2, other.code(), other.err());
    assertTrue(other.err().contains("augment is 0.3 there and 0.2 here"), other.err());
  }

  /** What kill -9 leaves behind between a checkpoint and the next: steps in the log, half a line, half a checkpoint. */
  @Test
  void whatWasWrittenAfterTheCheckpointIsMadeAgain() throws IOException {
    Path run = directory.resolve("run");
    assertEquals(0, train(run, "--steps", "9").code());
    Files.writeString(run.resolve("loss.tsv"), "10\t80\t0.5\t1.0\n11\t88\t0.", StandardOpenOption.APPEND);
    Files.writeString(run.resolve("checkpoint.safetensors.partial-1"), "half");
    assertEquals(0, train(run).code());
    equalsWhole(run);
    assertFalse(Files.exists(run.resolve("checkpoint.safetensors.partial-1")));
  }

  @Test
  void killedAtRandomMomentsItIsTheSame() throws Exception {
    long seed = Long.getLong("killSeed", System.nanoTime());
    System.out.println("TrainTest: -DkillSeed=" + seed);
    Random random = new Random(seed);
    Path run = directory.resolve("run");
    int kills = 4 * DEPTH;
    int killed = 0;
    for (int i = 0; i < kills; i++) {
      Process process = start(run);
      int steps = 1 + STEPS * i / kills + random.nextInt(STEPS / kills);
      while (process.isAlive() && linesOf(run.resolve("loss.tsv")) <= steps) {
        Thread.sleep(1);
      }
      TimeUnit.MICROSECONDS.sleep(random.nextInt(20_000)); // in the middle of a step, a line, or a checkpoint
      killed += process.isAlive() ? 1 : 0;
      process.destroyForcibly().waitFor();
    }
    assertTrue(killed > 0, "every process ended before it could be killed");
    Process last = start(run);
    String said = new String(last.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, last.waitFor(), said);
    assertTrue(said.contains("resumed  after step"), said);
    equalsWhole(run);
  }

  private static long linesOf(Path file) throws IOException {
    return Files.exists(file) ? Files.readString(file).lines().count() : 0;
  }

  private static Process start(Path run) throws IOException {
    String path = String.join(File.pathSeparator, "target/test-classes", "target/classes",
        System.getProperty("jdk.module.path", ""),
        System.getProperty("java.class.path", ""));
    List<String> line = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:TieredStopAtLevel=1", "-cp",
        path, Main.class.getName()));
    line.addAll(List.of(command(run)));
    return new ProcessBuilder(line).redirectErrorStream(true).start();
  }

  @Test
  void anotherTrainingInTheDirectoryIsRefused() throws IOException {
    Path run = directory.resolve("run");
    assertEquals(0, train(run, "--steps", "2").code());
    List<String> before = losses(run);
    for (String[] other : new String[][] {{"--seed", "12"}, {"--batch", "7"}, {"--images", "0:99"},
        {"--learning-rate", "0.003"}}) {
      Cli cli = train(run, other);
      assertEquals(2, cli.code(), cli.err());
      assertTrue(cli.err().contains("another one"), cli.err());
    }
    assertEquals(before, losses(run));
  }

  @Test
  void damagedFilesAreRefusedInOneSentence() throws IOException {
    Path run = directory.resolve("run");
    assertEquals(0, train(run, "--steps", "5").code());
    Path log = run.resolve("loss.tsv");
    byte[] lines = Files.readAllBytes(log);
    Files.write(log, Arrays.copyOf(lines, lines.length / 2));
    refused(train(run), "does not hold step");
    Files.write(log, lines);
    Path checkpoint = run.resolve("checkpoint.safetensors");
    byte[] state = Files.readAllBytes(checkpoint);
    Files.write(checkpoint, Arrays.copyOf(state, state.length - 4));
    refused(train(run), "checkpoint");
    Files.write(checkpoint, state);
    assertEquals(0, train(run).code());
    equalsWhole(run);
  }

  private static void refused(Cli cli, String names) {
    assertEquals(3, cli.code(), cli.err());
    assertEquals(1, cli.err().strip().lines().count(), cli.err());
    assertTrue(cli.err().contains(names), cli.err());
  }

  @Test
  void aLossThatIsNoNumberEndsIt() {
    Cli cli = train(directory.resolve("run"), "--learning-rate", "1e30", "--warmup", "0");
    assertEquals(2, cli.code(), cli.err() + cli.out());
    assertTrue(cli.err().contains("diverged") || cli.err().contains("finite"), cli.err());
  }

  @Test
  void seedsTellTrainingsApart() throws IOException {
    Path run = directory.resolve("run");
    assertEquals(0, train(run, "--steps", "3", "--seed", "12").code());
    assertNotEquals(losses(whole).get(1), losses(run).get(1));
  }
}
