package org.diffcert.run;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.diffcert.image.ByteImage;

/**
 * What came of one image under one attack within one budget, or of the image as it is. Immutable, thread-safe.
 *
 * @param image index in the data set
 * @param label its label
 * @param attack the attack's name; {@link #CLEAN}, or a name of {@link AttackRun} for a check of the attack itself
 * @param budget its size as it was typed, 0 for the clean image
 * @param predict the class that the image handed in is given, or -1 for none
 * @param distance how far it is from the clean image, in the budget's integer units
 * @param scores how often the attack asked for scores
 * @param gradients how often it asked for a gradient
 * @param agreement mean cosine of gradients at the clean image, where it was measured
 * @param changed the image handed in, empty for the clean one
 * @param elapsed how long it took
 * @param finished when it was done, to the millisecond
 */
public record AttackRecord(int image, int label, String attack, String budget, int predict, long distance, long scores,
    long gradients, Optional<Double> agreement, Optional<ByteImage> changed, Duration elapsed, Instant finished) {
  /** The name of the clean image's record. */
  public static final String CLEAN = "clean";

  private static final String[] KEYS = {"image", "label", "attack", "budget", "predict", "distance", "scores",
      "gradients", "agreement", "pixels"};

  /**
   * Drops what the log does not hold of the instant.
   *
   * @param image index in the data set
   * @param label its label
   * @param attack the attack's name
   * @param budget its size
   * @param predict the class that the image handed in is given
   * @param distance how far it is from the clean image
   * @param scores how often the attack asked for scores
   * @param gradients how often it asked for a gradient
   * @param agreement mean cosine of gradients
   * @param changed the image handed in
   * @param elapsed how long it took
   * @param finished when it was done
   */
  public AttackRecord {
    finished = Instant.ofEpochMilli(finished.toEpochMilli());
  }

  /**
   * Whether the classifier is wrong.
   *
   * @return true if the image handed in is given another class than its label, or none
   */
  public boolean isWrong() {
    return predict != label;
  }

  /** What is attacked with what: the record's place in the plan. */
  String key() {
    return key(image, attack, budget);
  }

  static String key(int image, String attack, String budget) {
    return image + " " + attack + " " + budget;
  }

  LogLine encode() {
    Map<String, Object> body = new LinkedHashMap<>();
    Object[] values = {(long) image, (long) label, attack, budget, (long) predict, distance, scores, gradients,
        agreement.map(List::of).orElse(List.of()), changed.map(c -> Base64.getEncoder().encodeToString(c.toBytes()))
            .orElse("")};
    for (int i = 0; i < KEYS.length; i++) {
      body.put(KEYS[i], values[i]);
    }
    Map<String, Object> time = new LinkedHashMap<>();
    time.put("finished", finished.toString());
    time.put("nanos", elapsed.toNanos());
    return new LogLine(body, time);
  }

  static AttackRecord decode(LogLine line, AttackHeader header) {
    Fields fields = new Fields("the record", line.body(), KEYS);
    Fields time = new Fields("time", line.time(), "finished", "nanos");
    int image = fields.count("image", 0, Integer.MAX_VALUE);
    if (!header.images().contains(image)) {
      throw Fields.bad("image " + image + " is none of the run's");
    }
    int last = header.classNames().size() - 1;
    List<Double> agreement = fields.numbers("agreement");
    String pixels = fields.string("pixels");
    boolean clean = fields.string("attack").equals(CLEAN);
    if (agreement.size() > 1 || clean != pixels.isEmpty()) {
      throw Fields.bad("the record has " + agreement.size() + " agreements and " + pixels.length()
          + " digits of pixels");
    }
    return new AttackRecord(image, fields.count("label", 0, last), fields.string("attack"), fields.string("budget"),
        fields.count("predict", -1, last), fields.integer("distance", 0, Long.MAX_VALUE),
            fields.integer("scores", 0, Long.MAX_VALUE),
        fields.integer("gradients", 0, Long.MAX_VALUE), agreement.stream().findFirst(),
        clean ? Optional.empty() : Optional.of(image(pixels, header)),
            Duration.ofNanos(time.integer("nanos", 0, Long.MAX_VALUE)),
        RunRecord.instant(time.string("finished")));
  }

  private static ByteImage image(String pixels, AttackHeader header) {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(pixels);
    } catch (IllegalArgumentException e) {
      throw Fields.bad("the pixels are no base64");
    }
    if (bytes.length != header.shape().elements() || !Arrays.equals(Base64.getEncoder().encode(bytes), pixels.getBytes(
        java.nio.charset.StandardCharsets.ISO_8859_1))) {
      throw Fields.bad("the pixels are " + bytes.length + " bytes, an image of " + header.shape() + " has "
          + header.shape().elements());
    }
    return new ByteImage(header.shape(), bytes);
  }
}
