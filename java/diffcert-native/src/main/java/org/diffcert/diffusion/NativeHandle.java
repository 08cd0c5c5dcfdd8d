package org.diffcert.diffusion;

import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.bytedeco.javacpp.Pointer;

/**
 * One opaque native handle: it serialises the calls on it, frees it once, and raises the alarm when it was forgotten.
 *
 * <p>The owner (a model, a classifier) holds this object and this object never holds the owner, so the owner can become
 * unreachable. Another owner that needs the handle to stay (a classifier its model) takes a hold: a closed handle is
 * freed with its last hold.
 *
 * @param <P> the pointer type of the binding
 */
final class NativeHandle<P extends Pointer> {
  private static final System.Logger LOG = System.getLogger(NativeHandle.class.getName());
  private static final Cleaner CLEANER = Cleaner.create();
  private static final AtomicLong OPENED = new AtomicLong();

  private final String what;
  private final Consumer<P> free;
  private final Throwable opened;
  private final long order = OPENED.incrementAndGet();
  /** Serialises native calls; held for as long as one runs, so that closing waits for it. */
  private final ReentrantLock lock = new ReentrantLock();
  private P pointer;
  private int holds;
  private Throwable closed;

  /**
   * Takes over a native handle.
   *
   * @param what the name of the thing in messages, such as "diffusion model"
   * @param pointer the handle; not null
   * @param free frees it
   */
  NativeHandle(String what, P pointer, Consumer<P> free) {
    this.what = what;
    this.pointer = pointer;
    this.free = free;
    this.opened = new Throwable("the " + what + " was opened here");
  }

  /**
   * Frees this handle, with a warning that says where it was opened, if the owner becomes unreachable before it is
   * closed.
   *
   * @param owner the object whose death is watched
   * @return what {@link #close(Cleaner.Cleanable)} wants
   */
  Cleaner.Cleanable watch(Object owner) {
    return CLEANER.register(owner, this::dropped);
  }

  private void dropped() {
    if (end(null)) {
      LOG.log(Level.WARNING, "A " + what
          + " was dropped without close(); its memory was held until the garbage collector came by.",
          opened);
    }
  }

  /**
   * Runs one native call on the open handle; other calls on it, and its close, wait.
   *
   * @param body the call
   * @param <T> its result
   * @return its result
   * @throws IllegalStateException if the handle is closed
   */
  <T> T call(Function<P, T> body) {
    lock.lock();
    try {
      if (closed != null) {
        throw new IllegalStateException("The " + what + " is closed.", closed);
      }
      return body.apply(pointer);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a hold: the native object stays until {@link #release()}, even if its owner closes it. To be called inside
   * {@link #call(Function)} or on a handle that is known to be open.
   *
   * @throws IllegalStateException if the handle is closed
   */
  void hold() {
    call(p -> ++holds);
  }

  /** Gives back a hold; the last one of a closed handle frees it. */
  void release() {
    lock.lock();
    try {
      holds--;
      freeIfDone();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Runs one native call on a handle on which the caller has a hold, whether its owner has closed it or not.
   *
   * @param body the call
   * @param <T> its result
   * @return its result
   */
  <T> T callHeld(Function<P, T> body) {
    lock.lock();
    try {
      return body.apply(pointer);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Closes the handle: waits for a running call, then frees the native object, or leaves that to the last hold. A
   * second close does nothing.
   *
   * @param watch the result of {@link #watch(Object)}
   */
  void close(Cleaner.Cleanable watch) {
    end(new Throwable("the " + what + " was closed here"));
    watch.clean();
  }

  /** A number of this handle alone: who needs two of them at once takes the lower first. */
  long order() {
    return order;
  }

  /** Whether the owner has closed the handle. */
  boolean isClosed() {
    lock.lock();
    try {
      return closed != null;
    } finally {
      lock.unlock();
    }
  }

  /** Returns true if this call is the one that closed it. */
  private boolean end(Throwable where) {
    lock.lock();
    try {
      if (closed != null) {
        return false;
      }
      closed = where == null ? opened : where;
      freeIfDone();
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void freeIfDone() {
    if (closed != null && holds == 0 && pointer != null) {
      P last = pointer;
      pointer = null;
      free.accept(last);
    }
  }
}
