package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.diffcert.image.ImageData;
import org.diffcert.image.ImageSource;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a stranger does with a finished run of somebody else's: casts votes again, repeats it from its header, holds an
 * image against a certificate.
 */
class AuditTest {
  @TempDir
  static Path shared;
  /** Two digits at two sigmas; the log is the only file that tests read, and they do not change it. */
  private static Path run;

  @TempDir
  Path directory;

  @BeforeAll
  static void certifyOnce() {
    run = shared.resolve("run");
    Cli.ok("certify", "--model", Cli.MODEL, "--data", Cli.DIGITS, "--images", "0:2", "--classifier", "epndc", "--sigma",
        "0.25,0.5", "--levels", "6", "--grid", "log", "--n0", "2", "--n", "14", "--seed", "7", "--device", "cpu",
        "--no-clamp", "--out", run);
  }

  @Test
  void theHeaderSaysWhereTheRunWasBegun() throws IOException {
    String header = Files.readAllLines(run.resolve("run.jsonl")).get(0);
    for (String field : List.of("\"model\":\"mnist-edm.safetensors\"", "\"device\":\"cpu: ", "\"driver\":\"\"",
        "\"build\":\"diffcert native ", "\"java\":\"" + System.getProperty("java.vm.name"), "\"system\":\"Linux ")) {
      assertTrue(header.substring(header.indexOf("\"time\":")).contains(field), field + " is not in " + header);
    }
    assertFalse(header.contains(Cli.ROOT.toString()), "a path of this machine is in the log");
  }

  @Test
  void votesCastAgainAreTheSame() {
    Cli cli = Cli.ok("verify", run, "--rerun", "1", "--rerun-seed", "3");
    assertTrue(cli.out().contains("rerun    1 of 2 images, picked by --rerun-seed 3: "), cli.out());
    assertTrue(cli.out().contains("  the same votes  "), cli.out());
    assertTrue(cli.out().contains("OK: the votes of 1 image, cast again on cpu, are those in the log"), cli.out());
  }

  /** A selection vote moved to another class changes no bound, so nothing but casting votes again can find it. */
  @Test
  void aForgedVoteIsFoundByCastingAgainAlone() throws IOException {
    Path forged = Files.createDirectories(directory.resolve("forged"));
    List<String> log = new ArrayList<>(Files.readAllLines(run.resolve("run.jsonl")));
    for (int line = 1; line < log.size(); line++) {
      String changed = log.get(line).replaceFirst("\"selection\":\\[((?:0,)*)2,0", "\"selection\":[$11,1")
          .replaceFirst("\"selection\":\\[((?:0,)+)2\\]", "\"selection\":[1,0,0,0,0,0,0,0,0,1]");
      assertNotEquals(log.get(line), changed, "no unanimous selection to tamper with");
      log.set(line, LogLines.sealed(changed));
    }
    Files.writeString(forged.resolve("run.jsonl"), String.join("\n", log) + "\n");
    assertTrue(Cli.ok("verify", forged).out().startsWith("OK: 4 certificates"), "bounds alone do not tell");
    Cli cli = Cli.run("verify", forged, "--rerun", "5", "--model", Cli.MODEL, "--data", Cli.DIGITS);
    assertEquals(6, cli.code(), cli.err() + cli.out());
    assertEquals(1, cli.err().strip().lines().count(), cli.err());
    assertTrue(cli.err().contains("image 0, sigma 0.25: 1 of 2 selection votes moved, class ")
        && cli.err().contains("image 1, sigma 0.25: "), cli.err());
    assertTrue(cli.out().contains("rerun    2 of 2 images") && cli.out().contains("OTHER VOTES"), cli.out());
  }

  @Test
  void anotherNetworkOrOtherImagesAreRefused() throws IOException {
    Path model = directory.resolve("other.safetensors");
    Cli.ok("model", "random", "tiny-ddpmpp", model);
    refused(2, "classifier", Cli.run("verify", run, "--rerun", "1", "--model", model));
    Path digits = Files.createDirectories(directory.resolve("digits"));
    for (String name : List.of("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")) {
      Files.write(digits.resolve(name), fewer(name));
    }
    refused(2, "other images", Cli.run("verify", run, "--rerun", "1", "--data", "mnist:" + digits));
    refused(2, "other images", Cli.run("attack", "check", run, model, "--image", "0", "--data", "mnist:" + digits));
  }

  /** Names in a log are a stranger's: they lead to no file outside the usual places, and options must be options. */
  @Test
  void aLogDoesNotSayWhereToLook() throws IOException {
    String log = Files.readString(run.resolve("run.jsonl"));
    for (String name : List.of("/etc/passwd", "../" + Path.of(Cli.MODEL).getFileName(), "..", "", "x\\\\y")) {
      Path other = foreign(log.replace("\"model\":\"mnist-edm.safetensors\"", "\"model\":\"" + name + "\""));
      refused(2, "give it with --model", Cli.run("verify", other, "--rerun", "1"));
      refused(2, "give it with --model", Cli.run("certify", "--like", other, "--out", directory.resolve("again")));
    }
    for (String name : List.of("mnist:../data", "images:/etc", "npz:", "nothing", "mnist:")) {
      Path other = foreign(resealed(log, "\"name\":\"mnist:test\"", "\"name\":\"" + name + "\""));
      refused(2, "give them with --data", Cli.run("verify", other, "--rerun", "1"));
    }
    Path another = foreign(resealed(log, "\"clamp\":false", "\"clamp\":\"--help\""));
    refused(3, "not made by diffcert certify", Cli.run("verify", another, "--rerun", "1"));
    Path unknown = foreign(resealed(log, "\"grid\":\"log\"", "\"grid\":\"cubic\""));
    assertEquals(1, Cli.run("verify", unknown, "--rerun", "1").err().strip().lines().count());
  }

  private static String resealed(String log, String from, String to) {
    String header = log.lines().findFirst().orElseThrow();
    assertTrue(header.contains(from), header);
    return log.replace(header, LogLines.sealed(header.replace(from, to)));
  }

  private Path foreign(String log) throws IOException {
    Path other = Files.createDirectories(directory.resolve("foreign"));
    Files.writeString(other.resolve("run.jsonl"), log);
    return other;
  }

  /** Three digits in idx files. */
  private static byte[] fewer(String name) {
    boolean labels = name.contains("labels");
    byte[] head = labels ? new byte[] {0, 0, 8, 1, 0, 0, 0, 3}
        : new byte[] {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28};
    return Arrays.copyOf(head, head.length + 3 * (labels ? 1 : 28 * 28));
  }

  @Test
  void aRunIsRepeatedFromItsHeader() throws IOException {
    Path again = directory.resolve("again");
    Cli cli = Cli.ok("certify", "--like", run, "--out", again, "--threads", "1", "--batch", "11");
    assertFalse(cli.out().contains("note "), cli.out());
    assertEquals(LogLines.withoutTimes(Files.readString(run.resolve("run.jsonl"))),
        LogLines.withoutTimes(Files.readString(again.resolve("run.jsonl"))));
  }

  @Test
  void anOptionThatMakesItAnotherRunIsRefused() {
    Path again = directory.resolve("again");
    refused(2, "config.n is 14 there and 30 here", Cli.run("certify", "--like=" + run, "--n", "30", "--out", again));
    refused(2, "source.seed is \"7\" there and \"8\" here",
        Cli.run("certify", "--like", run, "--seed", "8", "--out", again));
    assertFalse(Files.exists(again));
    refused(3, "nothing", Cli.run("certify", "--like", directory.resolve("nothing"), "--out", again));
  }

  @Test
  void anImageIsHeldAgainstItsCertificate() throws IOException {
    String least = Cli.run("attack", "check", run, changed(0, 0), "--image", "0").out();
    assertTrue(least.lines().findFirst().orElseThrow().matches(
        "covered: sum of squared differences 0 <= [0-9]+ \\(sigma 0.25, class 7\\)"), least);
    long most = Long.parseLong(least.replaceFirst("(?s).*?<= ([0-9]+) .*", "$1"));
    assertTrue(most > 100, "a radius to speak of: " + least);
    int far = (int) Math.sqrt(most);
    Cli inside = Cli.run("attack", "check", run, changed(0, far), "--image", "0", "--sigma", "0.25");
    assertEquals(0, inside.code(), inside.err());
    assertTrue(inside.out().startsWith("covered: sum of squared differences " + far * far + " <= " + most + " "));
    int beyond = far + 1;
    Cli outside = Cli.run("attack", "check", run, changed(0, beyond), "--image", "0", "--sigma", "0.25");
    assertEquals(6, outside.code(), outside.err());
    assertTrue(outside.out().startsWith("not covered: sum of squared differences " + beyond * beyond + " > " + most));
  }

  @Test
  void aCoveredImageIsPredictedAsItsCertificateSays() throws IOException {
    Cli cli = Cli.ok("attack", "check", run, changed(0, 9), "--image", "0", "--predict", "40");
    assertTrue(cli.out().contains("predicted: class 7 at sigma 0.25, p-value "), cli.out());
    assertTrue(cli.out().contains("predicted: class 7 at sigma 0.5, p-value "), cli.out());
  }

  /**
   * Votes of both phases moved to another class: sound in itself, and false. Noise is fresh, so samples are not few.
   */
  @Test
  void aPredictionShowsACertificateOfAnotherClassToBeFalse() throws IOException {
    Path forged = Files.createDirectories(directory.resolve("forged"));
    List<String> log = new ArrayList<>(Files.readAllLines(run.resolve("run.jsonl")));
    String ten = "\\[" + "([0-9]+),".repeat(9) + "([0-9]+)\\]";
    String changed = log.get(1).replaceAll(ten, "[$1,$2,$3,$8,$5,$6,$7,$4,$9,$10]")
        .replaceAll("\"(candidate|predict)\":7", "\"$1\":3");
    log.set(1, LogLines.sealed(changed));
    Files.writeString(forged.resolve("run.jsonl"), String.join("\n", log) + "\n");
    assertTrue(Cli.ok("verify", forged).out().startsWith("OK: 4 certificates"));
    refused(6, "at sigma 0.25 says class 3 and the prediction is 7", Cli.run("attack", "check", forged, changed(0, 9),
        "--image", "0", "--sigma", "0.25", "--predict", "40"));
  }

  @Test
  void whatCannotBeHeldAgainstItIsRefused() throws IOException {
    Path x = changed(0, 0);
    refused(2, "--image", Cli.run("attack", "check", run, x));
    refused(2, "no row of image 2", Cli.run("attack", "check", run, x, "--image", "2"));
    refused(2, "0.75", Cli.run("attack", "check", run, x, "--image", "0", "--sigma", "0.75"));
    Path small = directory.resolve("small.npy");
    Files.write(small, npy("(27, 28)", new byte[27 * 28]));
    refused(3, "[27, 28]", Cli.run("attack", "check", run, small, "--image", "0"));
    refused(3, "nothing.png", Cli.run("attack", "check", run, directory.resolve("nothing.png"), "--image", "0"));
  }

  /** A digit with its first dark pixel changed, as numpy writes it. */
  private Path changed(int image, int by) throws IOException {
    try (ImageData set = ImageSource.open(Cli.DIGITS)) {
      byte[] pixels = set.image(image).toBytes();
      assertEquals(0, pixels[0], "the corner of a digit is dark");
      pixels[0] = (byte) by;
      return Files.write(directory.resolve("x" + by + ".npy"), npy("(28, 28)", pixels));
    }
  }

  static byte[] npy(String shape, byte[] pixels) {
    String header = "{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }";
    header += " ".repeat(117 - header.length()) + "\n";
    byte[] start = ("\u0093NUMPY\1\0" + (char) header.length() + "\0" + header).getBytes(StandardCharsets.ISO_8859_1);
    byte[] all = Arrays.copyOf(start, start.length + pixels.length);
    System.arraycopy(pixels, 0, all, start.length, pixels.length);
    return all;
  }

  private static void refused(int code, String names, Cli cli) {
    assertEquals(code, cli.code(), cli.err() + cli.out());
    assertEquals(1, cli.err().strip().lines().count(), cli.err());
    assertTrue(cli.err().contains(names), names + " is not in: " + cli.err());
  }
}
