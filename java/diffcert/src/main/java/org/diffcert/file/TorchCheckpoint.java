package org.diffcert.file;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.file.PickleValue.Dict;
import org.diffcert.file.PickleValue.Instance;
import org.diffcert.file.PickleValue.Items;
import org.diffcert.file.PickleValue.Storage;
import org.diffcert.file.PickleValue.TensorValue;
import org.diffcert.file.PickleValue.Tuple;

/**
 * The weights in a PyTorch file: an EDM snapshot (a plain pickle), a state dict in torch.save's zip, or one in its
 * legacy stream. No class is made, no name looked up, no source run; tensors stay in the file until they are asked for.
 */
public final class TorchCheckpoint {
  private static final int DEEPEST = 24;
  private static final int MOST_MODULES = 50_000;
  private static final int MOST_TENSORS = 50_000;

  private final FileBytes file;
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private String className = "";
  private Json options;
  private String sourceSha256 = "";
  private int modules;

  private TorchCheckpoint(FileBytes file) {
    this.file = file;
  }

  /**
   * Reads an EDM snapshot.
   *
   * @param file the open file; it stays open and belongs to the caller
   * @return its averaged network
   * @throws DiffcertException BAD_INPUT, one sentence, for anything that is not a plain snapshot
   */
  public static TorchCheckpoint pickle(FileBytes file) {
    PickleBudget budget = new PickleBudget();
    PickleGlobals globals = new PickleGlobals(file, bytes -> LegacyTorch.storage(file, bytes, budget));
    PickleReader reader = new PickleReader(file, 0, file.size(), id -> {
      throw DiffcertException.badInput(file.name()
          + " is not a model that can be read: it refers to objects outside the pickle");
    }, globals, budget);
    Object root = reader.read();
    if (reader.position() != file.size()) {
      throw DiffcertException.badInput(file.name() + " is not a model that can be read: something follows its pickle");
    }
    TorchCheckpoint checkpoint = new TorchCheckpoint(file).take(root);
    checkpoint.sourceSha256 = globals.sourceSha256();
    return checkpoint;
  }

  /**
   * Reads the zip archive of torch.save.
   *
   * @param file the open file; it stays open and belongs to the caller
   * @return its tensors
   * @throws DiffcertException BAD_INPUT, one sentence, for anything that is not a plain state dict
   */
  public static TorchCheckpoint zip(FileBytes file) {
    TorchZip zip = new TorchZip(file);
    TorchCheckpoint checkpoint = new TorchCheckpoint(file).take(zip.read());
    checkpoint.sourceSha256 = zip.sourceSha256();
    return checkpoint;
  }

  /**
   * Reads the legacy stream of torch.save.
   *
   * @param file the open file; it stays open and belongs to the caller
   * @return its tensors
   * @throws DiffcertException BAD_INPUT, one sentence, for anything that is not a plain state dict
   */
  public static TorchCheckpoint legacy(FileBytes file) {
    return new TorchCheckpoint(file).take(LegacyTorch.read(file, 0, file.size(), new PickleBudget()));
  }

  /**
   * The tensors by their names in the state dict.
   *
   * @return an unmodifiable map
   */
  public Map<String, Tensor> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  /**
   * The class name of the network, where the file holds a whole network and not a state dict.
   *
   * @return the name, or ""
   */
  public String className() {
    return className;
  }

  /**
   * The constructor's arguments of that network, by name or, under the empty key, by position.
   *
   * @return an object, or null for a state dict
   */
  public Json options() {
    return options;
  }

  /**
   * SHA-256 over the Python source in the file, which was not run.
   *
   * @return hexadecimal digits, or "" where there is none
   */
  public String sourceSha256() {
    return sourceSha256;
  }

  private TorchCheckpoint take(Object root) {
    if (!(root instanceof Dict dict)) {
      throw fail("its content is not a dictionary");
    }
    for (String key : List.of("ema", "net")) {
      if (dict.map.get(key) instanceof Instance network) {
        network(network);
        return this;
      }
    }
    Dict state = dict;
    for (String key : List.of("state_dict", "ema", "model")) {
      if (dict.map.get(key) instanceof Dict nested) {
        state = nested;
        break;
      }
    }
    state.map.forEach((name, value) -> {
      if (!(value instanceof TensorValue)) {
        throw fail("its entry \"" + PickleReader.shorten(String.valueOf(name)) + "\" is not a tensor");
      }
      if (!(name instanceof String)) {
        throw fail("its entry \"" + PickleReader.shorten(String.valueOf(name)) + "\" has a name that is not a string");
      }
      add((String) name, (TensorValue) value);
    });
    return this;
  }

  private void network(Instance network) {
    className = network.className;
    Dict state = state(network);
    options = Json.object();
    if (state.map.get("_init_args") instanceof Tuple args && !args.items().isEmpty()) {
      options.put("", json(args, 0));
    }
    if (state.map.get("_init_kwargs") instanceof Dict kwargs) {
      kwargs.map.forEach((key, value) -> options.put(String.valueOf(key), json(value, 0)));
    }
    module("", network, 0);
  }

  private Dict state(Instance instance) {
    if (instance.state instanceof Dict state) {
      return state;
    }
    throw fail("its module " + PickleReader.shorten(instance.className) + " has no state");
  }

  /* Parameters, then persistent buffers, then the modules inside, as a state dict orders them. */
  private void module(String prefix, Instance module, int depth) {
    if (depth > DEEPEST || ++modules > MOST_MODULES) {
      throw fail("its modules are nested deeper than " + DEEPEST + " or more than " + MOST_MODULES);
    }
    Dict state = state(module);
    for (String kind : List.of("_parameters", "_buffers")) {
      for (Map.Entry<Object, Object> entry : dict(state, kind).map.entrySet()) {
        boolean kept = !kind.equals("_buffers")
            || !(state.map.get("_non_persistent_buffers_set") instanceof PickleValue.SetItems set)
            || !set.items.contains(entry.getKey());
        if (entry.getValue() instanceof TensorValue tensor && kept) {
          add(prefix + entry.getKey(), tensor);
        } else if (kept && entry.getValue() != PickleValue.NONE) {
          throw fail("its " + kind + " of " + PickleReader.shorten(prefix) + " hold something that is not a tensor");
        }
      }
    }
    dict(state, "_modules").map.forEach((name, value) -> {
      if (value instanceof Instance inner) {
        module(prefix + name + ".", inner, depth + 1);
      } else if (value != PickleValue.NONE) {
        throw fail("its modules hold something that is not a module");
      }
    });
  }

  private Dict dict(Dict state, String key) {
    if (state.map.get(key) instanceof Dict dict) {
      return dict;
    }
    throw fail("one of its modules has no " + key);
  }

  private void add(String name, TensorValue value) {
    if (name.length() > 1024 || tensors.size() >= MOST_TENSORS) {
      throw fail("it has more than " + MOST_TENSORS + " tensors or a name longer than 1024 characters");
    }
    Storage storage = value.storage();
    List<Long> strides = contiguous(value) ? null : value.strides();
    long position = storage.position + value.offset() * storage.dtype.bytes();
    tensors.put(name, Tensor.in(name, storage.dtype, value.shape(), strides, file, position));
  }

  private static boolean contiguous(TensorValue value) {
    long step = 1;
    for (int d = value.shape().size() - 1; d >= 0; d--) {
      if (value.shape().get(d) != 1 && value.strides().get(d) != step) {
        return false;
      }
      step *= value.shape().get(d);
    }
    return true;
  }

  /* A constructor argument as JSON; an infinity, which JSON cannot say, becomes the string "inf". */
  private Json json(Object value, int depth) {
    if (depth > DEEPEST) {
      throw fail("its options are nested deeper than " + DEEPEST);
    }
    if (value instanceof Double number && number.isInfinite()) {
      return Json.of(number > 0 ? "inf" : "-inf");
    }
    if (value instanceof Long || value instanceof Boolean || value instanceof String
        || value instanceof Double number && !number.isNaN()) {
      return Json.of(value);
    }
    if (value == PickleValue.NONE) {
      return Json.NULL;
    }
    List<Object> items;
    if (value instanceof Items list) {
      items = list.items;
    } else if (value instanceof Tuple tuple) {
      items = tuple.items();
    } else {
      throw fail("its options hold something that is no number, string or list");
    }
    if (items.size() > 64) {
      throw fail("its options hold a list of " + items.size() + " values");
    }
    Json array = Json.array();
    items.forEach(item -> array.add(json(item, depth + 1)));
    return array;
  }

  private DiffcertException fail(String why) {
    return DiffcertException.badInput(file.name() + " is not a model that can be read: " + why);
  }
}
