package org.diffcert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Several things are closed, all of them, whatever fails. */
class ClosingTest {
  private final List<Integer> closed = new ArrayList<>();

  private AutoCloseable part(int number, Exception failure) {
    return () -> {
      closed.add(number);
      if (failure != null) {
        throw failure;
      }
    };
  }

  @Test
  void allAreClosedAndTheFirstFailureIsThrown() {
    IllegalStateException first = new IllegalStateException("first");
    IOException second = new IOException("second");
    List<AutoCloseable> parts = List.of(part(1, null), part(2, first), part(3, second), part(4, null));
    assertSame(first, assertThrows(IllegalStateException.class, () -> Closing.all(parts)));
    assertEquals(List.of(1, 2, 3, 4), closed);
    assertSame(second, first.getSuppressed()[0].getCause());
    Closing.all(List.of(part(5, null)));
    assertEquals(5, closed.get(4));
  }
}
