package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code diffcert lipschitz} on the shipped network: labelled, repeatable, and silent where it knows too little. */
class LipschitzTest {
  private static Cli lipschitz(Object... more) {
    Object[] fixed = {"lipschitz", "--model", Cli.MODEL, "--data", Cli.DIGITS, "--levels", "2,2.5", "--device", "cpu",
      "--seed", "7"};
    Object[] all = Stream.of(fixed, more).flatMap(Arrays::stream).toArray();
    return Cli.ok(all);
  }

  @Test
  void saysWhatItIsAndIsNot() {
    Cli few = lipschitz("--images", "0:2", "--n0", "1", "--n", "3");
    assertTrue(few.out().contains("real-arithmetic, not float-sound"), few.out());
    assertTrue(few.out().contains("published form gives 0.809"), few.out());
    assertEquals(2, few.out().lines().filter(line -> line.startsWith("image") && line.endsWith("abstain")).count());
    assertEquals(few.out(), lipschitz("--images", "0:2", "--n0", "1", "--n", "3").out());
  }
}
