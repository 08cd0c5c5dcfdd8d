package org.diffcert.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.attack.AttackKind;
import org.diffcert.attack.AttackNorm;
import org.diffcert.attack.AttackPlan;
import org.diffcert.attack.AttackSettings;
import org.diffcert.attack.Budget;
import org.diffcert.attack.ToyTarget;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageData;
import org.diffcert.image.ImageShape;
import org.diffcert.image.ImageSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An attack's run: its records, the same bytes after any crash, its tables, images and checks. */
class AttackRunTest {
  private static final List<String> BUDGETS = List.of("0.3", "0.8", "1.4");

  @TempDir
  Path temp;

  /** The centres of a toy's classes; image 3 has a wrong label. */
  private record Centres(ToyTarget target) implements ImageData {
    @Override
    public int size() {
      return 4;
    }

    @Override
    public ImageShape shape() {
      return ToyTarget.SHAPE;
    }

    @Override
    public List<String> classNames() {
      return List.of("a", "b", "c", "d");
    }

    @Override
    public ByteImage image(int index) {
      return target.centre(index);
    }

    @Override
    public int label(int index) {
      return index == 3 ? 0 : index;
    }

    @Override
    public String name() {
      return "toy:centres";
    }

    @Override
    public String digest() {
      return "11".repeat(32);
    }

    @Override
    public void close() {}
  }

  private static AttackRun run(ToyTarget target, AttackKind... attacks) {
    List<Budget> budgets = attacks.length == 0 ? List.of() : BUDGETS.stream()
        .map(text -> Budget.of(AttackNorm.L2, text)).toList();
    AttackPlan plan = new AttackPlan(List.of(attacks), budgets, new AttackSettings(10, 1, 3, 2.5, 2, 300, 8), 2,
        target.isDifferentiable() ? 3 : 0);
    return new AttackRun(target, new Centres(target), new ImageRange(0, 4, 1), plan, "0.1.0", "", "toy", Toys.ORIGIN);
  }

  private static AttackLog go(Path directory, AttackRun run) {
    return run.run(directory, new AttackListener() {}, () -> false);
  }

  @Test
  void tornAtAnyByteIsCompletedToTheSame() throws Exception {
    AttackRun run = run(new ToyTarget(0.05, true), AttackKind.PGD, AttackKind.SQUARE);
    go(temp.resolve("whole"), run);
    byte[] whole = Files.readAllBytes(temp.resolve("whole").resolve(AttackLog.FILE));
    String wanted = Toys.withoutTimes(new String(whole, StandardCharsets.US_ASCII));
    byte[] table = Files.readAllBytes(temp.resolve("whole/attack.tsv"));
    Path torn = Files.createDirectories(temp.resolve("torn"));
    for (int length = 0; length <= whole.length; length += length < 20 ? 5 : 997) {
      Files.write(torn.resolve(AttackLog.FILE), Arrays.copyOf(whole, length));
      go(torn, run);
      assertEquals(wanted, Toys.withoutTimes(Files.readString(torn.resolve(AttackLog.FILE))), "cut at " + length);
      assertTrue(Arrays.equals(table, Files.readAllBytes(torn.resolve("attack.tsv"))));
    }
  }

  @Test
  void aStopIsASentenceAndGoesOn() {
    AttackRun run = run(new ToyTarget(0, true), AttackKind.PGD);
    int[] asked = {0};
    DiffcertException stopped = assertThrows(DiffcertException.class,
        () -> run.run(temp, new AttackListener() {}, () -> asked[0]++ > 60));
    assertEquals(DiffcertException.Kind.INTERRUPTED, stopped.kind());
    int before = AttackLog.read(temp).records().size();
    assertTrue(before > 0);
    assertTrue(go(temp, run).records().size() > before);
  }

  @Test
  void theTableCountsAndCarries() {
    AttackLog log = go(temp, run(new ToyTarget(0, true), AttackKind.PGD, AttackKind.SQUARE));
    AttackTable table = AttackTable.of(log);
    assertEquals(4, table.images());
    assertEquals(3, table.clean(), "image 3 is wrong as it is");
    assertTrue(log.record(3, "pgd", "0.3").isEmpty(), "what is wrong as it is need not be attacked");
    assertEquals(9, table.rows().size());
    for (int group = 0; group < 9; group += 3) {
      for (int b = 1; b < 3; b++) {
        assertTrue(table.rows().get(group + b).right() <= table.rows().get(group + b - 1).right());
      }
    }
    assertEquals(3, table.rows().get(0).right(), "nothing is that near");
    assertEquals(0, table.rows().get(2).right(), "everything is nearer");
    assertTrue(AttackCheck.of(log).stream().allMatch(AttackCheck::passed), AttackCheck.of(log).toString());
    assertEquals(5, AttackCheck.of(log).size());
  }

  /**
   * Gradients that point nowhere: the black box wins, and what is without a budget stays right, and the checks say so.
   */
  @Test
  void maskedGradientsFailTheChecks() {
    ToyTarget masked = new ToyTarget(0, true) {
      @Override
      public Pull pull(double[] x, int imageId, int draw, Cotangent cotangent) {
        Pull pull = super.pull(x, imageId, draw, cotangent);
        return new Pull(pull.logits(), Arrays.stream(pull.gradient()).map(value -> -value).toArray());
      }
    };
    AttackPlan plan = new AttackPlan(List.of(AttackKind.PGD, AttackKind.SQUARE),
        List.of(Budget.of(AttackNorm.L2, "2.5")),
        new AttackSettings(10, 1, 3, 2.5, 1, 300, 8), 3, 0);
    AttackLog log = go(temp, new AttackRun(masked, new Centres(masked), new ImageRange(0, 3, 1), plan, "0.1.0", "",
        "toy",
        Toys.ORIGIN));
    List<String> failed = AttackCheck.of(log).stream().filter(check -> !check.passed()).map(AttackCheck::name).toList();
    assertEquals(List.of("black box not stronger than white box", "no budget, no robustness"), failed);
  }

  @Test
  void imagesReadBackAndLieInside() {
    ToyTarget target = new ToyTarget(0, true);
    AttackLog log = go(temp, run(target, AttackKind.PGD));
    try (ImageData images = ImageSource.open("npz:" + temp.resolve("images/pgd-l2-0.8.npz") + "?classes=4")) {
      assertEquals(3, images.size());
      for (int i = 0; i < 3; i++) {
        assertEquals(log.record(i, "pgd", "0.8").orElseThrow().changed().orElseThrow(), images.image(i));
        assertEquals(i, images.label(i));
        Budget budget = Budget.of(AttackNorm.L2, "0.8");
        assertTrue(budget.distance(target.centre(i), images.image(i)) <= budget.bound());
      }
    }
  }

  @Test
  void cleanAccuracyAloneNeedsNoAttack() {
    AttackLog log = go(temp, run(new ToyTarget(0, false)));
    assertEquals(3, AttackTable.of(log).clean());
    assertTrue(AttackTable.of(log).rows().isEmpty());
    assertTrue(AttackCheck.of(log).isEmpty());
  }

  @Test
  void otherAttacksAndDamagedLogsAreRefused() throws Exception {
    go(temp, run(new ToyTarget(0, true), AttackKind.PGD));
    DiffcertException other = assertThrows(DiffcertException.class, () ->
        go(temp, run(new ToyTarget(0, true), AttackKind.SQUARE)));
    assertEquals(DiffcertException.Kind.USAGE, other.kind());
    assertTrue(other.getMessage().contains("plan.attacks"), other.getMessage());
    Path log = temp.resolve(AttackLog.FILE);
    String text = Files.readString(log);
    Files.writeString(log, text.replaceFirst("\"predict\":0", "\"predict\":1"));
    assertEquals(DiffcertException.Kind.BAD_INPUT, assertThrows(DiffcertException.class, () -> AttackLog.read(temp))
        .kind());
    assertFalse(text.isEmpty());
  }
}
