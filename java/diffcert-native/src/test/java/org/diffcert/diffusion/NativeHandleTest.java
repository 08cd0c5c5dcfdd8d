package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.Cleaner;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The life of a handle, on a counter in place of native memory. */
@Timeout(60)
class NativeHandleTest {
  private final AtomicInteger freed = new AtomicInteger();

  /** An owner as a model is one. */
  private static final class Owner {
    final NativeHandle<Pointer> handle;
    final Cleaner.Cleanable watch;

    Owner(AtomicInteger freed) {
      handle = new NativeHandle<>("thing", new Pointer(), p -> freed.incrementAndGet());
      watch = handle.watch(this);
    }

    void close() {
      handle.close(watch);
    }
  }

  @Test
  void closesOnceHoweverOften() {
    Owner owner = new Owner(freed);
    assertEquals(42, owner.handle.<Integer>call(p -> 42));
    assertFalse(owner.handle.isClosed());
    owner.close();
    owner.close();
    owner.watch.clean();
    assertTrue(owner.handle.isClosed());
    assertEquals(1, freed.get());
  }

  @Test
  void useAfterCloseSaysWhereItWasClosed() {
    Owner owner = new Owner(freed);
    owner.close();
    IllegalStateException e = assertThrows(IllegalStateException.class, () -> owner.handle.call(p -> p));
    assertEquals("The thing is closed.", e.getMessage());
    assertTrue(List.of(e.getCause().getStackTrace()).stream().anyMatch(f ->
        f.getMethodName().equals("useAfterCloseSaysWhereItWasClosed")));
    assertThrows(IllegalStateException.class, owner.handle::hold);
  }

  @Test
  void closeWaitsForTheCallThatRuns() throws Exception {
    Owner owner = new Owner(freed);
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    AtomicInteger freedWhileInside = new AtomicInteger(-1);
    Thread call = new Thread(() -> owner.handle.call(p -> {
      inside.countDown();
      await(goOn);
      freedWhileInside.set(freed.get());
      return null;
    }));
    call.start();
    inside.await();
    Thread close = new Thread(owner::close);
    close.start();
    while (close.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    assertEquals(0, freed.get());
    goOn.countDown();
    call.join();
    close.join();
    assertEquals(0, freedWhileInside.get());
    assertEquals(1, freed.get());
  }

  @Test
  void aHoldOutlivesTheClose() {
    Owner owner = new Owner(freed);
    owner.handle.hold();
    owner.handle.hold();
    owner.close();
    assertEquals(0, freed.get());
    assertThrows(IllegalStateException.class, () -> owner.handle.call(p -> p));
    assertEquals(7, owner.handle.<Integer>callHeld(p -> 7));
    owner.handle.release();
    assertEquals(0, freed.get());
    owner.handle.release();
    assertEquals(1, freed.get());
  }

  @Test
  void aFailureInsideACallLeavesTheHandleUsable() {
    Owner owner = new Owner(freed);
    RuntimeException thrown = new RuntimeException("inside");
    assertSame(thrown, assertThrows(RuntimeException.class, () -> owner.handle.call(p -> {
      throw thrown;
    })));
    assertEquals(1, owner.handle.<Integer>call(p -> 1));
    owner.close();
    assertEquals(1, freed.get());
  }

  @Test
  void aForgottenHandleIsFreedAndTold() throws Exception {
    List<LogRecord> records = new CopyOnWriteArrayList<>();
    Logger logger = Logger.getLogger(NativeHandle.class.getName());
    Handler listener = new Handler() {
      @Override
      public void publish(LogRecord entry) {
        records.add(entry);
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
    logger.addHandler(listener);
    logger.setUseParentHandlers(false);
    try {
      forget();
      for (int i = 0; i < 500 && freed.get() == 0; i++) {
        System.gc();
        TimeUnit.MILLISECONDS.sleep(10);
      }
      assertEquals(1, freed.get());
      while (records.isEmpty()) {
        TimeUnit.MILLISECONDS.sleep(1);
      }
    } finally {
      logger.removeHandler(listener);
      logger.setUseParentHandlers(true);
    }
    assertEquals(1, records.size());
    assertTrue(records.get(0).getMessage().contains("thing was dropped without close()"));
    assertTrue(List.of(records.get(0).getThrown().getStackTrace()).stream().anyMatch(f ->
        f.getMethodName().equals("forget")));
  }

  private void forget() {
    new Owner(freed);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
