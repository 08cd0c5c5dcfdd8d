package org.diffcert.file;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a pickle is read into: plain data, and tokens where a Python unpickler would look up or run something.
 * Nothing here is ever executed. Integers are Long, floats Double, truth values Boolean, strings String.
 */
final class PickleValue {
  private PickleValue() {}

  /** Python's None. */
  static final Object NONE = new Object() {
    @Override
    public String toString() {
      return "None";
    }
  };

  /** A name that Python would import; here only a name. */
  record Global(String module, String name) {
    String path() {
      return module + "." + name;
    }
  }

  /** A bytes object, left in the file. */
  record Bytes(long position, long length) {}

  /** An integer beyond 64 bits, as its little-endian bytes in hexadecimal. */
  record BigInt(String hex) {}

  /** A tuple. */
  record Tuple(List<Object> items) {}

  /** A list. */
  static final class Items {
    final List<Object> items = new ArrayList<>();
  }

  /** A set; its members do not matter here beyond strings. */
  static final class SetItems {
    final List<Object> items = new ArrayList<>();
  }

  /** A dict or OrderedDict; keys are strings, integers, floats or truth values. */
  static final class Dict {
    final Map<Object, Object> map = new LinkedHashMap<>();
  }

  /** An object whose class stays a name: a torch.nn module, a persistent object of the EDM code base, a numpy array. */
  static final class Instance {
    final Global type;
    final String className;
    Object state = NONE;

    Instance(Global type, String className) {
      this.type = type;
      this.className = className;
    }
  }

  /** A numpy dtype under construction or done. */
  static final class NumpyType {
    final String code;
    boolean littleEndian = true;

    NumpyType(String code) {
      this.code = code;
    }
  }

  /**
   * A storage: elements one after the other, at a place in the file that the legacy format tells only after the
   * pickle.
   */
  static final class Storage {
    final DType dtype;
    final long elements;
    long position = -1;

    Storage(DType dtype, long elements) {
      this.dtype = dtype;
      this.elements = elements;
    }

    long bytes() {
      return elements * dtype.bytes();
    }
  }

  /** A tensor over a storage. */
  record TensorValue(Storage storage, long offset, List<Long> shape, List<Long> strides) {}
}
