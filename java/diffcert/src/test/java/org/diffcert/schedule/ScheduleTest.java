package org.diffcert.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.diffcert.DiffcertException;
import org.diffcert.noise.Sigma;
import org.junit.jupiter.api.Test;

/**
 * The schedules against the golden file to 1e-12 relative, their counts, and what the exact weights must satisfy by
 * theory.
 */
class ScheduleTest {
  private static final double TOLERANCE = 1e-12;

  /** The float64 tensors of the golden file, by name: a reader of the few bytes that this test needs. */
  private static final class Golden {
    private final String header;
    private final ByteBuffer data;

    Golden() throws IOException {
      Path directory = Path.of("").toAbsolutePath();
      while (!Files.exists(directory.resolve("native/include/diffcert"))) {
        directory = directory.getParent();
      }
      Path golden = directory.resolveSibling("shared").resolve("golden/elbo/ddpmpp-edm.safetensors");
      byte[] bytes = Files.readAllBytes(golden);
      ByteBuffer all = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      int length = Math.toIntExact(all.getLong(0));
      header = new String(bytes, 8, length, StandardCharsets.UTF_8);
      data = all.slice(8 + length, bytes.length - 8 - length).order(ByteOrder.LITTLE_ENDIAN);
    }

    double[] get(String name) {
      Matcher m = Pattern.compile('"' + Pattern.quote(name)
          + "\":\\s*\\{[^}]*\"data_offsets\":\\s*\\[(\\d+),\\s*(\\d+)\\]").matcher(header);
      if (!m.find()) {
        return null;
      }
      int from = Integer.parseInt(m.group(1));
      double[] values = new double[(Integer.parseInt(m.group(2)) - from) / 8];
      for (int i = 0; i < values.length; i++) {
        values[i] = data.getDouble(from + 8 * i);
      }
      return values;
    }
  }

  private static void assertClose(String what, double[] expected, double[] actual) {
    assertEquals(expected.length, actual.length, what);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], Math.abs(expected[i]) * TOLERANCE, what + "[" + i + "]");
    }
  }

  @Test
  void equalsTheGoldenFile() throws IOException {
    Golden golden = new Golden();
    int tensors = 0;
    for (String sigma : List.of("0.25", "0.5", "1.0")) {
      for (ClassifierKind kind : ClassifierKind.values()) {
        for (Weighting weighting : Weighting.values()) {
          String key = "sigma" + sigma + "." + kind.cliName() + "." + weighting.cliName();
          if (golden.get(key + ".levels") == null) {
            continue;
          }
          Schedule schedule = Schedule.of(kind, new Sigma(Double.parseDouble(sigma)), 126, GridKind.LINEAR, weighting);
          assertClose(key + ".levels", golden.get(key + ".levels"), schedule.upper());
          assertClose(key + ".weights", golden.get(key + ".weights"), schedule.weights());
          tensors += 2;
          if (golden.get(key + ".lower") != null) {
            assertClose(key + ".lower", golden.get(key + ".lower"), schedule.lower());
            tensors++;
          }
        }
      }
    }
    assertEquals(3 * (2 * 5 + 1), tensors, "tensors of the golden file that were compared");
  }

  @Test
  void countsAreThePublishedOnes() {
    Sigma sigma = new Sigma(0.25);
    int[][] expected = {{124, 124, 124}, {119, 119, 124}, {124, 123, 124}, {124, 123, 124}, {124, 124, 124}};
    for (ClassifierKind kind : ClassifierKind.values()) {
      for (Weighting weighting : Weighting.values()) {
        int size = Schedule.of(kind, sigma, 126, GridKind.LINEAR, weighting).size();
        assertEquals(expected[kind.ordinal()][weighting.ordinal()], size, kind + " " + weighting);
      }
      for (Weighting weighting : List.of(Weighting.EDM, Weighting.ELBO)) {
        Schedule log = Schedule.of(kind, sigma, 9, GridKind.LOG, weighting);
        assertEquals(kind == ClassifierKind.EPNDC ? 7 : 8, log.size(), kind + " log");
        assertEquals(Schedule.TOP, log.upper()[log.size() - 1], 0);
      }
    }
  }

  @Test
  void levelsAscendAndWeightsArePositiveWhateverTheArguments() {
    for (ClassifierKind kind : ClassifierKind.values()) {
      for (double sigma : new double[] {0.05, 0.12, 0.25, 0.5, 1, 1.49}) {
        for (GridKind grid : GridKind.values()) {
          for (Weighting weighting : Weighting.values()) {
            if (grid == GridKind.LOG && weighting == Weighting.PUBLISHED) {
              continue;
            }
            Schedule schedule = Schedule.of(kind, new Sigma(sigma), 11, grid, weighting);
            for (int i = 0; i < schedule.size(); i++) {
              assertTrue(schedule.lower()[i] < schedule.upper()[i]);
              assertTrue(i == 0 || schedule.lower()[i] == schedule.upper()[i - 1]);
              assertTrue(schedule.weights()[i] > 0 && schedule.weights()[i] < 1e12);
            }
            assertTrue(kind == ClassifierKind.DC || schedule.upper()[0] > 2 * sigma);
          }
        }
      }
    }
  }

  @Test
  void apndcPublishedIsTheReleasedOffByOne() {
    Schedule schedule = Schedule.of(ClassifierKind.APNDC, new Sigma(0.25), 126, GridKind.LINEAR, Weighting.PUBLISHED);
    double s = 0.54;
    double deviation = Math.log(0.5) + 1.2;
    double expected = (s * s + 0.25) / (s * 0.5 * s * 0.5) * Math.exp(-deviation * deviation / 2 * 1.44)
        / (0.5 * 1.2 * Math.sqrt(2 * Math.PI)) * 0.02;
    assertEquals(0.54, schedule.upper()[0], 1e-15);
    assertEquals(expected, schedule.weights()[0], expected * 1e-12);
  }

  @Test
  void elboOfDcTelescopes() {
    Schedule schedule = Schedule.of(ClassifierKind.DC, new Sigma(0.25), 40, GridKind.LOG, Weighting.ELBO);
    double sum = 0;
    for (double weight : schedule.weights()) {
      sum += weight;
    }
    double bottom = schedule.lower()[0];
    assertEquals(0.5 * (1 / (bottom * bottom) - 1.0 / 9), sum, 1e-9);
  }

  @Test
  void elboOfEpndcTendsToThatOfDcAsTauVanishes() {
    // The difference of the means is (1 - lower^2/upper^2)(x - h) at tau = 0, so the weights agree up to its square.
    for (double lower : new double[] {0.3, 1, 2.5}) {
      double upper = lower * 1.07;
      double factor = 1 - lower * lower / (upper * upper);
      double noised = WeightFormulas.elboNoised(lower, upper, 1e-9);
      assertEquals(WeightFormulas.elboClean(lower, upper), noised * factor * factor, 1e-12);
      assertEquals(1, WeightFormulas.ratioExact(lower, upper, 1e-9) * factor * factor, 1e-12);
    }
  }

  @Test
  void theReleasedRatioTendsToTheExactOne() {
    assertEquals(1, WeightFormulas.ratioReleased(1, 1.0001, 0.5) / WeightFormulas.ratioExact(1, 1.0001, 0.5), 1e-3);
    // The vectors of the notes: 0.60/0.62 at tau 0.5, released 15.662037, exact ratio 15.152737.
    double base = WeightFormulas.lambda(0.6) * WeightFormulas.density(0.6, true) * 0.02;
    assertEquals(15.662037, base * WeightFormulas.ratioReleased(0.6, 0.62, 0.5), 1e-6);
    assertEquals(15.152737, base * WeightFormulas.ratioExact(0.6, 0.62, 0.5), 1e-6);
  }

  @Test
  void sharedSchedulesHaveOneListAndWeightsAboveTheirOwnTau() {
    List<Sigma> sigmas = List.of(new Sigma(0.25), new Sigma(0.5), new Sigma(1));
    for (GridKind grid : GridKind.values()) {
      for (Weighting weighting : List.of(Weighting.EDM, Weighting.ELBO)) {
        List<Schedule> shared = Schedule.shared(sigmas, 12, grid, weighting);
        assertEquals(3, shared.size());
        for (Schedule schedule : shared) {
          assertEquals(10, schedule.size());
          assertArrayEquals(shared.get(0).upper(), schedule.upper());
          assertArrayEquals(shared.get(0).lower(), schedule.lower());
          double tau = schedule.sigma().edm();
          int used = 0;
          for (int i = 0; i < schedule.size(); i++) {
            boolean above = schedule.lower()[i] > tau;
            assertEquals(above, schedule.weights()[i] > 0);
            used += above ? 1 : 0;
          }
          assertTrue(used >= 1);
          assertTrue(schedule.sigma().unit() == 0.25 || contains(schedule.lower(), tau), "the grid holds 2 sigma");
        }
      }
    }
    Schedule alone = Schedule.of(ClassifierKind.EPNDC, sigmas.get(0), 126, GridKind.LINEAR, Weighting.ELBO);
    Schedule one = Schedule.shared(sigmas.subList(0, 1), 126, GridKind.LINEAR, Weighting.ELBO).get(0);
    assertArrayEquals(alone.weights(), one.weights());
    assertArrayEquals(alone.upper(), one.upper());
  }

  private static boolean contains(double[] values, double value) {
    for (double v : values) {
      if (v == value) {
        return true;
      }
    }
    return false;
  }

  private static void refused(Runnable call) {
    DiffcertException e = assertThrows(DiffcertException.class, call::run);
    assertEquals(DiffcertException.Kind.USAGE, e.kind());
  }

  @Test
  void refusesWhatHasNoSchedule() {
    Sigma quarter = new Sigma(0.25);
    refused(() -> Schedule.of(ClassifierKind.EPNDC, new Sigma(1.5), 126, GridKind.LINEAR, Weighting.ELBO));
    refused(() -> Schedule.of(ClassifierKind.APNDC, new Sigma(2), 126, GridKind.LOG, Weighting.EDM));
    refused(() -> Schedule.of(ClassifierKind.EPNDC, quarter, 7, GridKind.LINEAR, Weighting.EDM));
    refused(() -> Schedule.of(ClassifierKind.EPNDC, quarter, 2, GridKind.LOG, Weighting.EDM));
    refused(() -> Schedule.of(ClassifierKind.DC, quarter, 2, GridKind.LINEAR, Weighting.EDM));
    refused(() -> Schedule.of(ClassifierKind.DC, quarter, 10_001, GridKind.LINEAR, Weighting.EDM));
    refused(() -> Schedule.of(ClassifierKind.DC, quarter, Integer.MIN_VALUE, GridKind.LINEAR, Weighting.EDM));
    refused(() -> Schedule.of(ClassifierKind.DC, quarter, 10, GridKind.LOG, Weighting.PUBLISHED));
    refused(() -> Schedule.shared(List.of(), 10, GridKind.LOG, Weighting.ELBO));
    refused(() -> Schedule.shared(List.of(new Sigma(0.5), quarter), 10, GridKind.LOG, Weighting.ELBO));
    refused(() -> Schedule.shared(List.of(quarter, new Sigma(0.26)), 10, GridKind.LOG, Weighting.ELBO));
    refused(() -> Schedule.shared(List.of(quarter, new Sigma(1.45)), 10, GridKind.LOG, Weighting.ELBO));
    refused(() -> Schedule.shared(List.of(quarter), 10, GridKind.LINEAR, Weighting.PUBLISHED));
    refused(() -> Weighting.of("EDM"));
    refused(() -> GridKind.of(""));
    assertEquals(1, Schedule.of(ClassifierKind.EPNDC, quarter, 8, GridKind.LINEAR, Weighting.EDM).size());
    assertEquals(1, Schedule.of(ClassifierKind.DC, quarter, 3, GridKind.LINEAR, Weighting.EDM).size());
  }
}
