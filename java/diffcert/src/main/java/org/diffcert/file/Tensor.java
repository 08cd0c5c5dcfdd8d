package org.diffcert.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Supplier;
import org.diffcert.DiffcertException;

/**
 * A tensor: its name, element type and shape, and its values on demand. A tensor of a file reads the file each time
 * it is asked, so that holding many large tensors costs nothing; its file must be open. Safe for use by several
 * threads.
 */
public final class Tensor {
  private static final int CHUNK = 1 << 16;

  private final String name;
  private final DType dtype;
  private final List<Long> shape;
  private final Supplier<float[]> values;
  private final Supplier<double[]> wide;

  private Tensor(String name, DType dtype, List<Long> shape, Supplier<float[]> values, Supplier<double[]> wide) {
    this.name = name;
    this.dtype = dtype;
    this.shape = List.copyOf(shape);
    this.values = values;
    this.wide = wide;
  }

  /**
   * A tensor in memory.
   *
   * @param name its name
   * @param shape its shape
   * @param values row-major values, not copied; their number is the product of the shape
   * @return the tensor
   */
  public static Tensor of(String name, List<Long> shape, float[] values) {
    Tensor tensor = new Tensor(name, DType.F32, shape, () -> values, () -> widen(values));
    if (tensor.count() != values.length) {
      throw new IllegalArgumentException(name + " has " + values.length + " values for shape " + shape);
    }
    return tensor;
  }

  /**
   * A tensor in memory whose values are made when they are asked for, the same each time.
   *
   * @param name its name
   * @param shape its shape
   * @param values makes the row-major values
   * @return the tensor
   */
  public static Tensor of(String name, List<Long> shape, Supplier<float[]> values) {
    return new Tensor(name, DType.F32, shape, values, () -> widen(values.get()));
  }

  /**
   * A tensor in a file.
   *
   * @param name its name
   * @param dtype its element type
   * @param shape its shape; the product has been checked to fit the file
   * @param strides steps in elements of each dimension, or null for row-major without gaps
   * @param file the file, open while values are read
   * @param position first byte of the first element
   * @return the tensor
   */
  static Tensor in(String name, DType dtype, List<Long> shape, List<Long> strides, FileBytes file, long position) {
    return new Tensor(name, dtype, shape, () -> read(name, dtype, shape, strides, file, position),
        () -> readWide(name, dtype, shape, strides, file, position));
  }

  /**
   * The same tensor under another name.
   *
   * @param other the name
   * @return the tensor
   */
  public Tensor named(String other) {
    return new Tensor(other, dtype, shape, values, wide);
  }

  /**
   * The name.
   *
   * @return the name
   */
  public String name() {
    return name;
  }

  /**
   * The element type in the file.
   *
   * @return the type
   */
  public DType dtype() {
    return dtype;
  }

  /**
   * The shape.
   *
   * @return an unmodifiable list, empty for a scalar
   */
  public List<Long> shape() {
    return shape;
  }

  /**
   * The number of elements.
   *
   * @return product of the shape
   */
  public long count() {
    return count(shape);
  }

  /**
   * The values as float32, row-major.
   *
   * @return an array not shared with other calls where the tensor is in a file
   * @throws DiffcertException BAD_INPUT where the type is no float type, there are 2^31 elements or more, or the
   *     file is cut off
   */
  public float[] floats() {
    return values.get();
  }

  /**
   * The elements as float64, row-major; integers are taken too.
   *
   * @return a new array where the tensor lies in a file
   * @throws DiffcertException BAD_INPUT where the elements are of another type, or there are 2^31 or more of them
   */
  public double[] doubles() {
    return wide.get();
  }

  /**
   * A tensor of float64 elements, for results.
   *
   * @param name the name
   * @param shape the extents
   * @param values the elements, row-major; not copied
   * @return the tensor
   */
  public static Tensor ofDoubles(String name, List<Long> shape, double[] values) {
    Tensor tensor = new Tensor(name, DType.F64, shape, () -> narrow(values), () -> values);
    if (tensor.count() != values.length) {
      throw new IllegalArgumentException(name + " has " + values.length + " values for shape " + shape);
    }
    return tensor;
  }

  private static double[] widen(float[] values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }

  private static float[] narrow(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  private static double[] readWide(String name, DType dtype, List<Long> shape, List<Long> strides, FileBytes file,
      long position) {
    if (dtype.isFloat() && dtype != DType.F64) {
      return widen(read(name, dtype, shape, strides, file, position));
    }
    long count = count(shape);
    boolean taken = dtype == DType.F64 || dtype == DType.U8 || dtype == DType.I32 || dtype == DType.I64;
    if (!taken || strides != null || count > Integer.MAX_VALUE - 8) {
      throw DiffcertException.badInput(file.name() + " has " + count + " elements of type " + dtype + " in " + name
          + "; float types, U8, I32 and I64 are taken, fewer than 2^31 of them");
    }
    double[] values = new double[(int) count];
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int from = 0; from < values.length; from += CHUNK) {
      int part = Math.min(CHUNK, values.length - from);
      file.read(position + (long) from * dtype.bytes(), chunk.clear().limit(part * dtype.bytes()));
      for (int i = 0; i < part; i++) {
        values[from + i] = switch (dtype) {
          case U8 -> chunk.get(i) & 0xFF;
          case I32 -> chunk.getInt(4 * i);
          case I64 -> chunk.getLong(8 * i);
          default -> chunk.getDouble(8 * i);
        };
      }
    }
    return values;
  }

  static long count(List<Long> shape) {
    long count = 1;
    for (long extent : shape) {
      count = Math.multiplyExact(count, extent);
    }
    return count;
  }

  private static float[] read(String name, DType dtype, List<Long> shape, List<Long> strides, FileBytes file,
      long position) {
    if (!dtype.isFloat()) {
      throw DiffcertException.badInput(file.name() + " has " + dtype + " elements in " + name
          + ", weights are F64, F32, F16 or BF16");
    }
    long count = count(shape);
    if (count > Integer.MAX_VALUE - 8) {
      throw DiffcertException.badInput(file.name() + " has " + count + " elements in " + name
          + ", fewer than 2^31 are taken");
    }
    float[] values = new float[(int) count];
    if (strides == null || count == 0) {
      file.floats(position, dtype, values);
    } else {
      gather(dtype, shape, strides, file, position, values);
    }
    return values;
  }

  /* A transposed tensor: its elements fill their range without gaps, in another order. */
  private static void gather(DType dtype, List<Long> shape, List<Long> strides, FileBytes file, long position,
      float[] values) {
    int rank = shape.size();
    long span = 1;
    for (int d = 0; d < rank; d++) {
      span += (shape.get(d) - 1) * strides.get(d);
    }
    if (span > values.length) {
      throw DiffcertException.badInput(file.name() + " has a tensor with gaps between its elements");
    }
    float[] storage = new float[(int) span];
    file.floats(position, dtype, storage);
    long[] index = new long[rank];
    long at = 0;
    for (int i = 0; i < values.length; i++) {
      values[i] = storage[(int) at];
      for (int d = rank - 1; d >= 0; d--) {
        at += strides.get(d);
        if (++index[d] < shape.get(d)) {
          break;
        }
        at -= strides.get(d) * shape.get(d);
        index[d] = 0;
      }
    }
  }
}
