package org.diffcert.denoise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.diffcert.DiffcertException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Timesteps matched with smoothing noise: the published vectors, the rule itself, shortened chains. */
class DdpmScheduleTest {
  /** What the released programs of Carlini et al. and of Jeong and Shin choose, computed apart from this code. */
  @ParameterizedTest
  @CsvSource({"cosine,4000,0.12,573,0.240231", "cosine,4000,0.25,1158,0.500237", "cosine,4000,0.5,1984,1.000624",
      "cosine,4000,1.0,2809,2.000028", "linear,1000,0.12,70,0.241379", "linear,1000,0.25,145,0.503162",
      "linear,1000,0.5,259,1.004784", "linear,1000,1.0,396,2.000482"})
  void thePublishedMatches(String kind, int steps, double sigma, int t, double level) {
    DdpmSchedule schedule = kind.equals("linear") ? DdpmSchedule.linear(steps) : DdpmSchedule.cosine(steps);
    assertEquals(steps, schedule.steps());
    assertEquals(t, schedule.match(2 * sigma));
    assertEquals(level, schedule.level(t), 5e-7);
    assertEquals(t, schedule.timestep(schedule.level(t)));
  }

  @Test
  void levelsAscendAndTheMatchIsTheSmallestAtOrAbove() {
    for (DdpmSchedule schedule : new DdpmSchedule[] {DdpmSchedule.linear(1000), DdpmSchedule.cosine(1000)}) {
      for (int t = 1; t < schedule.steps(); t++) {
        assertTrue(schedule.level(t - 1) < schedule.level(t), "at " + t);
        assertEquals(t, schedule.match(schedule.level(t)));
        assertEquals(t, schedule.match(Math.nextUp(schedule.level(t - 1))));
      }
      assertEquals(0, schedule.match(1e-9));
      double last = schedule.level(schedule.steps() - 1);
      assertEquals(DiffcertException.Kind.USAGE,
          assertThrows(DiffcertException.class, () -> schedule.match(Math.nextUp(last))).kind());
      assertThrows(IllegalArgumentException.class, () -> schedule.timestep(1.2345));
    }
  }

  @Test
  void aChainBeginsAtTheMatchAndStepsEvenly() {
    DdpmSchedule schedule = DdpmSchedule.linear(1000);
    assertArrayEquals(new int[] {259, 207, 155, 104, 52}, schedule.chain(1, 5));
    assertArrayEquals(new int[] {259}, schedule.chain(1, 1));
    int[] all = schedule.chain(1, 259);
    for (int i = 0; i < all.length; i++) {
      assertEquals(259 - i, all[i]);
    }
    assertEquals(DiffcertException.Kind.USAGE,
        assertThrows(DiffcertException.class, () -> schedule.chain(1, 260)).kind());
    assertArrayEquals(new int[] {0}, schedule.chain(1e-9, 1));
  }
}
