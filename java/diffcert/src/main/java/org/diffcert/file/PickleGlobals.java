package org.diffcert.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.diffcert.DiffcertException;
import org.diffcert.file.PickleValue.Bytes;
import org.diffcert.file.PickleValue.Dict;
import org.diffcert.file.PickleValue.Global;
import org.diffcert.file.PickleValue.Instance;
import org.diffcert.file.PickleValue.NumpyType;
import org.diffcert.file.PickleValue.Storage;
import org.diffcert.file.PickleValue.TensorValue;
import org.diffcert.file.PickleValue.Tuple;

/**
 * The names that a pickled model may use and what they mean as data. An allow-list: a name that is not here is
 * refused by name, and a name that is here cannot be called with anything but the arguments that such files have.
 * Python source in the file is hashed and otherwise ignored.
 */
final class PickleGlobals {
  private static final Map<String, DType> STORAGES = Map.of("FloatStorage", DType.F32, "DoubleStorage", DType.F64,
      "HalfStorage", DType.F16, "BFloat16Storage", DType.BF16, "LongStorage", DType.I64, "IntStorage", DType.I32,
      "ShortStorage", DType.I16, "CharStorage", DType.I8, "ByteStorage", DType.U8, "BoolStorage", DType.BOOL);
  private static final Set<String> NAMES = Set.of("torch_utils.persistence._reconstruct_persistent_obj",
      "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "torch.storage._load_from_bytes",
      "collections.OrderedDict", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
      "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.dtype", "numpy.ndarray");
  private static final int HIGHEST_RANK = 8;

  private final FileBytes file;
  private final Function<Bytes, Object> storages;
  private final MessageDigest sources = FileBytes.newSha256();
  private final Set<String> sourcesSeen = new HashSet<>();

  /* storages: reads a bytes object that is itself a saved storage. */
  PickleGlobals(FileBytes file, Function<Bytes, Object> storages) {
    this.file = file;
    this.storages = storages;
  }

  /* SHA-256 over the distinct Python sources met, each with its length before it; "" where there were none. */
  String sourceSha256() {
    return sourcesSeen.isEmpty() ? "" : HexFormat.of().formatHex(sources.digest());
  }

  Global find(String module, String name) {
    Global global = new Global(module, name);
    boolean known = NAMES.contains(global.path()) || module.equals("torch") && STORAGES.containsKey(name)
        || module.matches("torch\\.nn\\.modules\\.[a-z_0-9]{1,40}") && name.matches("[A-Za-z_0-9]{1,60}");
    if (!known) {
      throw fail("it names " + PickleReader.shorten(global.path())
          + ", which no model file needs; nothing of it was run");
    }
    return global;
  }

  Object call(Global global, List<Object> arguments) {
    return switch (global.path()) {
      case "collections.OrderedDict" -> {
        count(global, arguments, 0, 0);
        yield new Dict();
      }
      case "torch_utils.persistence._reconstruct_persistent_obj" -> persistent(global, arguments);
      case "torch._utils._rebuild_tensor_v2" -> tensor(global, arguments);
      case "torch._utils._rebuild_parameter" -> {
        count(global, arguments, 3, 3);
        yield as(global, TensorValue.class, arguments.get(0));
      }
      case "torch.storage._load_from_bytes" -> {
        count(global, arguments, 1, 1);
        yield storages.apply(as(global, Bytes.class, arguments.get(0)));
      }
      case "numpy.dtype" -> {
        count(global, arguments, 1, 3);
        yield new NumpyType(as(global, String.class, arguments.get(0)));
      }
      case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar" -> scalar(global, arguments);
      case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct" ->
          new Instance(global, "ndarray");
      default -> throw fail("it calls " + global.path() + ", which is not called in model files");
    };
  }

  Object make(Global global, List<Object> arguments) {
    if (!global.module().startsWith("torch.nn.modules.") || !arguments.isEmpty()) {
      throw fail("it makes an object of " + global.path() + ", which is not made in model files");
    }
    return new Instance(global, global.name());
  }

  void build(Object target, Object state) {
    boolean taken = false;
    if (target instanceof Instance instance) {
      taken = instance.state == PickleValue.NONE && !instance.type.module().equals("torch_utils.persistence");
      instance.state = taken ? state : instance.state;
    } else if (target instanceof NumpyType type) {
      taken = byteOrder(type, state);
    } else if (target instanceof Dict) {
      taken = state instanceof Dict;
    }
    if (!taken) {
      throw fail("it gives a state to something that takes none");
    }
  }

  private static boolean byteOrder(NumpyType type, Object state) {
    List<Object> fields = state instanceof Tuple tuple ? tuple.items() : List.of();
    if (fields.size() < 2) {
      return false;
    }
    type.littleEndian = !">".equals(fields.get(1));
    return fields.get(1) instanceof String;
  }

  private Object persistent(Global global, List<Object> arguments) {
    count(global, arguments, 1, 1);
    Map<Object, Object> meta = as(global, Dict.class, arguments.get(0)).map;
    if (!"class".equals(meta.get("type")) || !(meta.get("version") instanceof Long)) {
      throw fail("it has a persistent object that is not of the known form");
    }
    String source = as(global, String.class, meta.get("module_src"));
    if (!source.isEmpty() && sourcesSeen.add(source)) {
      byte[] text = source.getBytes(StandardCharsets.UTF_8);
      sources.update(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).flip());
      sources.update(text);
    }
    Instance instance = new Instance(global, as(global, String.class, meta.get("class_name")));
    instance.state = meta.containsKey("state") ? meta.get("state") : PickleValue.NONE;
    return instance;
  }

  private TensorValue tensor(Global global, List<Object> arguments) {
    count(global, arguments, 6, 7);
    Storage storage = as(global, Storage.class, arguments.get(0));
    long offset = as(global, Long.class, arguments.get(1));
    List<Long> shape = wholes(global, arguments.get(2));
    List<Long> strides = wholes(global, arguments.get(3));
    boolean fits = offset >= 0 && offset <= storage.elements && shape.size() == strides.size();
    try {
      long count = Tensor.count(shape);
      long last = offset;
      for (int d = 0; fits && d < shape.size() && count > 0; d++) {
        last = Math.addExact(last, Math.multiplyExact(shape.get(d) - 1, strides.get(d)));
      }
      fits &= count == 0 || last < storage.elements && count <= storage.elements - offset;
    } catch (ArithmeticException e) {
      fits = false;
    }
    if (!fits) {
      throw fail("it has a tensor of shape " + shape + " that does not fit its storage of " + storage.elements
          + " elements");
    }
    return new TensorValue(storage, offset, shape, strides);
  }

  private Object scalar(Global global, List<Object> arguments) {
    count(global, arguments, 2, 2);
    NumpyType type = as(global, NumpyType.class, arguments.get(0));
    Bytes bytes = as(global, Bytes.class, arguments.get(1));
    int size = switch (type.code) {
      case "f8", "i8" -> 8;
      case "f4", "i4" -> 4;
      default -> 0;
    };
    if (size == 0 || bytes.length() != size) {
      throw fail("it has a numpy scalar of type " + PickleReader.shorten(type.code) + " in " + bytes.length()
          + " bytes");
    }
    ByteBuffer value = file.copy(bytes.position(), size)
        .order(type.littleEndian ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    return switch (type.code) {
      case "f8" -> (Object) value.getDouble();
      case "f4" -> (Object) (double) value.getFloat();
      case "i8" -> (Object) value.getLong();
      default -> (Object) (long) value.getInt();
    };
  }

  /* The storage of a persistent id's fields: type, and number of elements that the file is large enough for. */
  Storage storage(Object type, Object elements) {
    String name = type instanceof Global global && global.module().equals("torch") ? global.name() : "";
    DType dtype = STORAGES.get(name);
    long count = elements instanceof Long number ? number : -1;
    if (dtype == null || count < 0 || count > file.size()) {
      throw fail("it has a storage that is not of the known form or larger than the file");
    }
    return new Storage(dtype, count);
  }

  private List<Long> wholes(Global global, Object value) {
    List<Object> items = as(global, Tuple.class, value).items();
    boolean good = items.size() <= HIGHEST_RANK;
    for (Object item : items) {
      good &= item instanceof Long number && number >= 0;
    }
    if (!good) {
      throw fail("it has a shape or strides that are not up to " + HIGHEST_RANK + " whole numbers");
    }
    return items.stream().map(item -> (Long) item).toList();
  }

  private void count(Global global, List<Object> arguments, int least, int most) {
    if (arguments.size() < least || arguments.size() > most) {
      throw fail("it calls " + global.path() + " with " + arguments.size() + " arguments");
    }
  }

  private <T> T as(Global global, Class<T> type, Object value) {
    if (!type.isInstance(value)) {
      throw fail("it calls " + global.path() + " with something else than a " + type.getSimpleName()
          .toLowerCase(java.util.Locale.ROOT));
    }
    return type.cast(value);
  }

  private DiffcertException fail(String why) {
    return DiffcertException.badInput(file.name() + " is not a model that can be read: " + why);
  }
}
