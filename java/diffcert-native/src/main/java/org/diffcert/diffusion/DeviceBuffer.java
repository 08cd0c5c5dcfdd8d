package org.diffcert.diffusion;

import java.lang.ref.Cleaner;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.jni.DiffcertAbi;
import org.diffcert.diffusion.jni.dc_buffer;

/**
 * float32 values in a device's memory, for images that stay there:
 * {@link DiffusionModel#denoise(DeviceBuffer, double[], int[], DeviceBuffer)} reads and writes them without a copy. On
 * a GPU that is what cudaMalloc gives, of any CUDA runtime in the process; on {@code cpu} it is memory of the host
 * outside the Java heap.
 *
 * <p>A buffer is either {@linkplain #allocate allocated} here and freed by {@link #close}, or a {@linkplain #at view}
 * of memory that is the caller's, which closing leaves alone. After close every method but close throws
 * {@link IllegalStateException}. Reading, writing and closing wait for each other; a buffer must not be closed while a
 * model works on it.
 */
public final class DeviceBuffer implements AutoCloseable {
  private final Device device;
  private final long address;
  private final long values;
  /** Null for a view. */
  private final NativeHandle<dc_buffer> handle;
  private final Cleaner.Cleanable watch;

  private DeviceBuffer(Device device, long address, long values, NativeHandle<dc_buffer> handle) {
    this.device = device;
    this.address = address;
    this.values = values;
    this.handle = handle;
    this.watch = handle == null ? null : handle.watch(this);
  }

  /**
   * New memory on a device.
   *
   * @param device one device: {@code cpu}, {@code reference}, {@code cuda} or {@code cuda:i}
   * @param values how many float32 values, at least 1; their content is not defined
   * @return the buffer, to be closed
   * @throws DiffcertException of kind DEVICE if the device is not there, USAGE for another number or name, INTERNAL if
   *     memory runs out
   */
  public static DeviceBuffer allocate(Device device, long values) {
    NativeLibrary.load(device);
    dc_buffer pointer = new dc_buffer();
    NativeLibrary.check(DiffcertAbi.dc_buffer_create(device.name(), values, pointer), "dc_buffer_create");
    long[] address = new long[1];
    NativeLibrary.check(DiffcertAbi.dc_buffer_address(pointer, address), "dc_buffer_address");
    return new DeviceBuffer(device, address[0], values, new NativeHandle<>("device buffer", pointer,
        DiffcertAbi::dc_buffer_close));
  }

  /**
   * A view of memory that somebody else allocated and keeps.
   *
   * @param device the device whose memory it is
   * @param address as that device counts; a multiple of 4, not 0
   * @param values how many float32 values lie there, at least 1. A GPU's addresses are checked when they are used; on
   *     the CPU they cannot be
   * @return the view; closing it does nothing to the memory
   * @throws DiffcertException of kind USAGE if the address is 0 or not a multiple of 4, or values is not positive
   */
  public static DeviceBuffer at(Device device, long address, long values) {
    if (address == 0 || address % Float.BYTES != 0 || values < 1) {
      throw DiffcertException.usage("A buffer of " + values + " float32 values cannot lie at address "
          + Long.toUnsignedString(address)
          + ": it must have values, and its address be a multiple of 4, not 0.");
    }
    return new DeviceBuffer(device, address, values, null);
  }

  /**
   * Whose memory it is.
   *
   * @return the device
   */
  public Device device() {
    return device;
  }

  /**
   * Where it lies, as the device counts: what cudaMemcpy or a kernel of one's own takes.
   *
   * @return the address
   * @throws IllegalStateException if the buffer was allocated here and is closed
   */
  public long address() {
    if (handle != null && handle.isClosed()) {
      throw new IllegalStateException("The device buffer is closed.");
    }
    return address;
  }

  /**
   * How large it is.
   *
   * @return the number of float32 values
   */
  public long values() {
    return values;
  }

  /**
   * Copies values from the Java heap to the device; they are there when the call returns.
   *
   * @param from the first place in the buffer
   * @param source the values
   * @throws DiffcertException of kind USAGE if they do not fit, or the buffer is a view: its owner has means of its own
   * @throws IllegalStateException if the buffer is closed
   */
  public void write(long from, float[] source) {
    owned().call(p -> {
      NativeLibrary.check(DiffcertAbi.dc_buffer_write(p, from, source, source.length), "dc_buffer_write");
      return null;
    });
  }

  /**
   * Copies values from the device to the Java heap.
   *
   * @param from the first place in the buffer
   * @param target takes the values, as many as it is long
   * @throws DiffcertException of kind USAGE if there are not so many, or the buffer is a view: its owner has means of
   *     its own
   * @throws IllegalStateException if the buffer is closed
   */
  public void read(long from, float[] target) {
    owned().call(p -> {
      NativeLibrary.check(DiffcertAbi.dc_buffer_read(p, from, target, target.length), "dc_buffer_read");
      return null;
    });
  }

  private NativeHandle<dc_buffer> owned() {
    if (handle == null) {
      throw DiffcertException.usage("A view of somebody else's memory is neither read nor written here; use "
          + "what allocated it.");
    }
    return handle;
  }

  /** Frees what was allocated here; a view's memory is left alone. Closing twice is fine. */
  @Override
  public void close() {
    if (handle != null) {
      handle.close(watch);
    }
  }
}
