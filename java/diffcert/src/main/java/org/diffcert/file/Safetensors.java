package org.diffcert.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.diffcert.DiffcertException;

/**
 * Strict reading and deterministic writing of safetensors files: every byte of the data belongs to exactly one
 * tensor, every size is checked before anything is allocated, and nothing but the header is read until a tensor is
 * asked for. The page {@code docs/spec/model-files.md} says what is accepted.
 */
public final class Safetensors implements AutoCloseable {
  /** The longest header that the format allows. */
  static final long LONGEST_HEADER = 100_000_000;
  private static final Json.Limits HEADER = new Json.Limits(LONGEST_HEADER, 8, 250_000, 8 << 20);
  private static final int LONGEST_NAME = 1024;
  private static final int HIGHEST_RANK = 8;
  private static final int CHUNK = 1 << 18;

  private final FileBytes file;
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  private record Range(String name, long begin, long end) {}

  private Safetensors(FileBytes file) {
    this.file = file;
  }

  /**
   * Opens a file and checks its header.
   *
   * @param path the file
   * @return the open file
   * @throws DiffcertException BAD_INPUT, one sentence, where the file is missing or not strictly a safetensors file
   */
  public static Safetensors open(Path path) {
    return of(FileBytes.open(path));
  }

  /**
   * Reads the header of an open file, which from now on belongs to the result and is closed with it, or at once on
   * failure.
   *
   * @param file the file
   * @return the file with its header checked
   * @throws DiffcertException BAD_INPUT, one sentence, where it is not strictly a safetensors file
   */
  public static Safetensors of(FileBytes file) {
    Safetensors safetensors = new Safetensors(file);
    try {
      safetensors.header();
      return safetensors;
    } catch (RuntimeException | OutOfMemoryError e) {
      file.close();
      throw e;
    }
  }

  private void header() {
    if (file.size() < 8) {
      throw fail("it has " + file.size() + " bytes, a header length needs 8");
    }
    long length = file.copy(0, 8).getLong();
    if (length < 0 || length > LONGEST_HEADER) {
      throw fail("its header would be " + Long.toUnsignedString(length) + " bytes long, at most " + LONGEST_HEADER
          + " are allowed");
    }
    if (length > file.size() - 8) {
      throw fail("its header would be " + length + " bytes long in a file of " + file.size());
    }
    Json json = Json.parse(headerText((int) length), file.name(), HEADER);
    if (!json.isObject()) {
      throw fail("its header is not a JSON object");
    }
    List<Range> ranges = new ArrayList<>();
    json.members().forEach((name, value) -> {
      if (name.equals("__metadata__")) {
        metadata(value);
      } else {
        ranges.add(tensor(name, value, 8 + length));
      }
    });
    cover(ranges, file.size() - 8 - length);
  }

  /* A large header is mapped, so that its bytes and its strings are not both on the heap. */
  private ByteBuffer headerText(int length) {
    return length <= 1 << 24 ? file.copy(8, length) : file.map(8, length);
  }

  private void metadata(Json value) {
    if (!value.isObject()) {
      throw fail("its __metadata__ is not an object");
    }
    value.members().forEach((key, text) -> {
      if (!text.isString()) {
        throw fail("its __metadata__ has something else than a string at \"" + shorten(key) + "\"");
      }
      metadata.put(key, text.asString());
    });
  }

  private Range tensor(String name, Json value, long dataStart) {
    if (name.length() > LONGEST_NAME) {
      throw fail("it has a tensor name of " + name.length() + " characters, at most " + LONGEST_NAME + " are taken");
    }
    if (!value.isObject() || value.members().size() != 3 || !value.has("dtype") || !value.has("shape")
        || !value.has("data_offsets")) {
      throw fail("its entry \"" + shorten(name) + "\" is not an object of dtype, shape and data_offsets");
    }
    DType dtype = dtype(name, value.get("dtype"));
    List<Long> shape = wholes(name, value.get("shape"), "shape");
    List<Long> offsets = wholes(name, value.get("data_offsets"), "data_offsets");
    if (shape.size() > HIGHEST_RANK) {
      throw fail("its tensor \"" + shorten(name) + "\" has rank " + shape.size() + ", at most " + HIGHEST_RANK
          + " is taken");
    }
    if (offsets.size() != 2) {
      throw fail("its tensor \"" + shorten(name) + "\" has " + offsets.size() + " data_offsets instead of 2");
    }
    long begin = offsets.get(0);
    long end = offsets.get(1);
    if (begin > end || end > file.size() - dataStart) {
      throw fail("its tensor \"" + shorten(name) + "\" has the range " + begin + " to " + end + " in "
          + (file.size() - dataStart) + " bytes of data");
    }
    long bytes;
    try {
      bytes = Math.multiplyExact(Tensor.count(shape), (long) dtype.bytes());
    } catch (ArithmeticException e) {
      throw fail("its tensor \"" + shorten(name) + "\" has a shape that overflows");
    }
    if (bytes != end - begin) {
      throw fail("its tensor \"" + shorten(name) + "\" has " + (end - begin)
          + " bytes of data where its shape and type ask for " + bytes);
    }
    tensors.put(name, Tensor.in(name, dtype, shape, null, file, dataStart + begin));
    return new Range(name, begin, end);
  }

  private DType dtype(String name, Json value) {
    if (value.isString()) {
      String text = value.asString();
      for (DType dtype : DType.values()) {
        if (dtype.name().equals(text)) {
          return dtype;
        }
      }
      if (text.equals("F4") || text.equals("F6_E2M3") || text.equals("F6_E3M2")) {
        throw fail("its tensor \"" + shorten(name) + "\" has " + text
            + " elements, which are smaller than a byte and not supported");
      }
    }
    throw fail("its tensor \"" + shorten(name) + "\" has the unknown dtype " + shorten(value.write()));
  }

  private List<Long> wholes(String name, Json value, String key) {
    List<Long> numbers = new ArrayList<>();
    boolean good = value.isArray();
    if (good) {
      for (Json item : value.elements()) {
        String text = item.isNumber() ? item.asLexical() : "";
        good &= text.matches("[0-9]{1,19}") && (text.length() < 19
            || text.compareTo(Long.toString(Long.MAX_VALUE)) <= 0);
        numbers.add(good ? Long.parseLong(text) : 0L);
      }
    }
    if (!good) {
      throw fail("its tensor \"" + shorten(name) + "\" has a " + key
          + " that is not a list of whole numbers from 0 up to 2^63-1");
    }
    return numbers;
  }

  /* The ranges must tile the data: a hole or a tail could hide another format, an overlap multiplies a small file. */
  private void cover(List<Range> ranges, long dataBytes) {
    ranges.sort(Comparator.comparingLong(Range::begin).thenComparingLong(Range::end));
    long at = 0;
    for (Range range : ranges) {
      if (range.begin() != at) {
        throw fail("its tensor \"" + shorten(range.name()) + "\" begins at byte " + range.begin()
            + " of the data where byte " + at
            + " is next: tensors may not overlap or leave holes");
      }
      at = range.end();
    }
    if (at != dataBytes) {
      throw fail((dataBytes - at) + " bytes follow its last tensor");
    }
  }

  /**
   * The metadata of the header.
   *
   * @return an unmodifiable map
   */
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  /**
   * The tensors in the order of the header; they can be read until this file is closed.
   *
   * @return an unmodifiable map by name
   */
  public Map<String, Tensor> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  /**
   * A tensor by name.
   *
   * @param name its name
   * @return the tensor
   * @throws DiffcertException BAD_INPUT where there is none
   */
  public Tensor tensor(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw DiffcertException.badInput(file.name() + " has no tensor \"" + shorten(name) + "\"");
    }
    return tensor;
  }

  @Override
  public void close() {
    file.close();
  }

  /**
   * Writes tensors as float32, those of float64 as such: sorted by name, header padded to a multiple of 8 bytes, so
   * that equal content is equal bytes. The file appears whole or not at all.
   *
   * @param path where; an existing file is replaced
   * @param metadata the header's metadata, written in sorted order
   * @param tensors the tensors, names all different
   * @throws DiffcertException BAD_INPUT where the file cannot be written
   */
  public static void write(Path path, Map<String, String> metadata, Collection<Tensor> tensors) {
    TreeMap<String, Tensor> sorted = new TreeMap<>();
    for (Tensor tensor : tensors) {
      if (sorted.put(tensor.name(), tensor) != null) {
        throw new IllegalArgumentException("two tensors are named " + tensor.name());
      }
    }
    Path whole = path.toAbsolutePath();
    Path partial = whole.resolveSibling(whole.getFileName() + ".partial-" + ProcessHandle.current().pid());
    try {
      try (FileChannel out = FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.WRITE)) {
        writeHeader(out, metadata, sorted);
        for (Tensor tensor : sorted.values()) {
          if (tensor.dtype() == DType.F64) {
            writeDoubles(out, tensor.doubles());
          } else {
            writeFloats(out, tensor.floats());
          }
        }
        out.force(true);
      }
      Files.move(partial, whole, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new DiffcertException(DiffcertException.Kind.BAD_INPUT, path + " cannot be written: " + e.getMessage(), e);
    } finally {
      try {
        Files.deleteIfExists(partial);
      } catch (IOException e) {
        partial.toFile().deleteOnExit();
      }
    }
  }

  private static void writeHeader(FileChannel out, Map<String, String> metadata, TreeMap<String, Tensor> tensors)
      throws IOException {
    Json header = Json.object();
    if (!metadata.isEmpty()) {
      header.put("__metadata__", new TreeMap<>(metadata));
    }
    long at = 0;
    for (Tensor tensor : tensors.values()) {
      DType dtype = tensor.dtype() == DType.F64 ? DType.F64 : DType.F32;
      long end = at + dtype.bytes() * tensor.count();
      header.put(tensor.name(), Json.object().put("dtype", dtype.name()).put("shape", tensor.shape())
          .put("data_offsets", List.of(at, end)));
      at = end;
    }
    byte[] json = header.write().getBytes(StandardCharsets.UTF_8);
    int length = (json.length + 7) / 8 * 8;
    ByteBuffer bytes = ByteBuffer.allocate(8 + length).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(json);
    while (bytes.hasRemaining()) {
      bytes.put((byte) ' ');
    }
    writeAll(out, bytes.flip());
  }

  private static void writeFloats(FileChannel out, float[] values) throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate(4 * CHUNK).order(ByteOrder.LITTLE_ENDIAN);
    for (int from = 0; from < values.length; from += CHUNK) {
      int count = Math.min(CHUNK, values.length - from);
      chunk.clear();
      chunk.asFloatBuffer().put(values, from, count);
      writeAll(out, chunk.limit(4 * count));
    }
  }

  private static void writeDoubles(FileChannel out, double[] values) throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate(8 * CHUNK).order(ByteOrder.LITTLE_ENDIAN);
    for (int from = 0; from < values.length; from += CHUNK) {
      int count = Math.min(CHUNK, values.length - from);
      chunk.clear();
      chunk.asDoubleBuffer().put(values, from, count);
      writeAll(out, chunk.limit(8 * count));
    }
  }

  private static void writeAll(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  private static String shorten(String text) {
    return text.length() <= 80 ? text : text.substring(0, 80) + "...";
  }

  private DiffcertException fail(String why) {
    return DiffcertException.badInput(file.name() + " is not a valid safetensors file: " + why);
  }
}
