package org.diffcert.file;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.file.PickleValue.BigInt;
import org.diffcert.file.PickleValue.Bytes;
import org.diffcert.file.PickleValue.Dict;
import org.diffcert.file.PickleValue.Items;
import org.diffcert.file.PickleValue.Storage;
import org.diffcert.file.PickleValue.Tuple;

/**
 * The stream that torch.save wrote before PyTorch 1.6, and that each tensor of an EDM pickle still is: pickles of a
 * magic number, a version, the system's sizes, the object and the list of storage keys, then the storages' raw
 * elements.
 */
final class LegacyTorch {
  /** 119547037146038801333356, little-endian. */
  private static final String MAGIC = "6cfc9c46f9206aa85019";
  private static final long VERSION = 1001;

  private final FileBytes file;
  private final PickleBudget budget;
  private final PickleGlobals globals;
  private final Map<String, Storage> storages = new HashMap<>();
  private long at;
  private final long end;

  private LegacyTorch(FileBytes file, long begin, long end, PickleBudget budget) {
    this.file = file;
    this.at = begin;
    this.end = end;
    this.budget = budget;
    this.globals = new PickleGlobals(file, bytes -> {
      throw fail("it has a stream nested in a stream");
    });
  }

  /* The object of the stream in [begin, end), which must be the whole range. */
  static Object read(FileBytes file, long begin, long end, PickleBudget budget) {
    return new LegacyTorch(file, begin, end, budget).object();
  }

  /* A bytes object of an EDM pickle that must be a saved storage. */
  static Object storage(FileBytes file, Bytes bytes, PickleBudget budget) {
    Object object = read(file, bytes.position(), bytes.position() + bytes.length(), budget);
    if (!(object instanceof Storage)) {
      throw DiffcertException.badInput(file.name()
          + " is not a model that can be read: a tensor's bytes are no storage");
    }
    return object;
  }

  private Object object() {
    if (!(pickle() instanceof BigInt magic) || !magic.hex().equals(MAGIC)) {
      throw fail("its first number is not the one of torch.save");
    }
    if (!Long.valueOf(VERSION).equals(pickle())) {
      throw fail("it is of another version than " + VERSION);
    }
    if (!(pickle() instanceof Dict system) || !Boolean.TRUE.equals(system.map.get("little_endian"))) {
      throw fail("it was not written on a little-endian machine");
    }
    Object object = pickle();
    if (!(pickle() instanceof Items keys)) {
      throw fail("its list of storages is missing");
    }
    place(keys.items);
    return object;
  }

  private Object pickle() {
    PickleReader reader = new PickleReader(file, at, end, this::storage, globals, budget);
    Object value = reader.read();
    at = reader.position();
    return value;
  }

  private Object storage(Object id) {
    List<Object> fields = id instanceof Tuple tuple ? tuple.items() : List.of();
    boolean sound = fields.size() == 6 && "storage".equals(fields.get(0)) && fields.get(5) == PickleValue.NONE;
    Object name = sound ? fields.get(2) : null;
    if (!(name instanceof String)) {
      throw fail("it has a storage that is not of the known form");
    }
    String key = (String) name;
    Storage storage = globals.storage(fields.get(1), fields.get(4));
    Storage known = storages.putIfAbsent(key, storage);
    if (known != null && (known.dtype != storage.dtype || known.elements != storage.elements)) {
      throw fail("it has two storages with one key");
    }
    return known != null ? known : storage;
  }

  private void place(List<Object> keys) {
    for (Object key : keys) {
      Storage storage = key instanceof String ? storages.get(key) : null;
      if (storage == null || storage.position >= 0) {
        throw fail("its list of storages differs from the storages that it uses");
      }
      long count = file.copy(at, 8).getLong();
      if (count != storage.elements || storage.bytes() > end - at - 8) {
        throw fail("it has a storage of " + count + " elements where " + storage.elements + " are expected in "
            + Math.max(0, end - at - 8) + " bytes");
      }
      storage.position = at + 8;
      at += 8 + storage.bytes();
    }
    if (keys.size() != storages.size()) {
      throw fail("its list of storages differs from the storages that it uses");
    }
    if (at != end) {
      throw fail((end - at) + " bytes follow its last storage");
    }
  }

  private DiffcertException fail(String why) {
    return DiffcertException.badInput(file.name() + " is not a PyTorch stream that can be read: " + why);
  }
}
