package org.diffcert.file;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.file.PickleValue.BigInt;
import org.diffcert.file.PickleValue.Bytes;
import org.diffcert.file.PickleValue.Dict;
import org.diffcert.file.PickleValue.Global;
import org.diffcert.file.PickleValue.Instance;
import org.diffcert.file.PickleValue.Items;
import org.diffcert.file.PickleValue.SetItems;
import org.diffcert.file.PickleValue.Tuple;

/**
 * A restricted interpreter of one pickle stream, protocols 2 to 4, within a range of a file. Names stay tokens; what
 * a name may be called with is decided by {@link PickleGlobals}, and any name that is not on its list ends the
 * reading. Bytes stay in the file.
 */
final class PickleReader {
  /** Resolves persistent ids, which PyTorch uses for storages. */
  interface PersistentIds {
    /**
     * The object of a persistent id.
     *
     * @param id the id
     * @return the object
     */
    Object load(Object id);
  }

  private static final int MOST_OPCODES = 4_000_000;
  private static final int MOST_STACK = 200_000;
  private static final int MOST_MEMO = 500_000;
  private static final int LONGEST_STRING = 1 << 22;
  private static final int LONGEST_INTEGER = 64;
  private static final Object MARK = new Object();

  private final PickleBytes in;
  private final PersistentIds ids;
  private final PickleGlobals globals;
  private final PickleBudget budget;
  private final ArrayList<Object> stack = new ArrayList<>();
  private final ArrayList<Object> memo = new ArrayList<>();

  PickleReader(FileBytes file, long begin, long end, PersistentIds ids, PickleGlobals globals, PickleBudget budget) {
    this.in = new PickleBytes(file, begin, end);
    this.ids = ids;
    this.globals = globals;
    this.budget = budget;
  }

  /* The first byte after the pickle. */
  long position() {
    return in.position();
  }

  Object read() {
    if (in.u8() != 0x80) {
      throw fail("a pickle of protocol 2 to 4 is expected");
    }
    int protocol = in.u8();
    if (protocol < 2 || protocol > 4) {
      throw fail("it is a pickle of protocol " + protocol + ", 2 to 4 are read");
    }
    for (int i = 0; i < MOST_OPCODES; i++) {
      int opcode = in.u8();
      if (opcode == '.') {
        Object result = pop();
        if (!stack.isEmpty()) {
          throw fail("it stops with values left on its stack");
        }
        return result;
      }
      step(opcode);
    }
    throw fail("it has more than " + MOST_OPCODES + " operations");
  }

  private void step(int opcode) {
    switch (opcode) {
      case '(' -> push(MARK);
      case '0' -> stack.remove(top());
      case '1' -> popMark();
      case '2' -> push(peek());
      case 'N' -> push(PickleValue.NONE);
      case 0x88 -> push(Boolean.TRUE);
      case 0x89 -> push(Boolean.FALSE);
      case 'K' -> push((long) in.u8());
      case 'M' -> push((long) in.u16());
      case 'J' -> push((long) in.s32());
      case 0x8a -> push(integer(in.u8()));
      case 0x8b -> push(integer(in.u32()));
      case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(in.s64())));
      case 'U' -> push(string(in.u8()));
      case 'T' -> push(string(in.u32()));
      case 'X' -> push(string(in.u32()));
      case 0x8c -> push(string(in.u8()));
      case 0x8d -> push(string(in.u64()));
      case 'C' -> push(bytes(in.u8()));
      case 'B' -> push(bytes(in.u32()));
      case 0x8e -> push(bytes(in.u64()));
      case 0x95 -> frame();
      default -> container(opcode);
    }
  }

  private void container(int opcode) {
    switch (opcode) {
      case ')' -> push(tuple(new ArrayList<>()));
      case 0x85 -> push(tuple(popMany(1)));
      case 0x86 -> push(tuple(popMany(2)));
      case 0x87 -> push(tuple(popMany(3)));
      case 't' -> push(tuple(popMark()));
      case ']' -> push(new Items());
      case '}' -> push(new Dict());
      case 0x8f -> push(new SetItems());
      case 'l' -> {
        Items list = new Items();
        list.items.addAll(popMark());
        push(list);
      }
      case 'a' -> append(popMany(1));
      case 'e' -> append(popMark());
      case 'd' -> {
        List<Object> items = popMark();
        push(new Dict());
        setItems(items);
      }
      case 's' -> setItems(popMany(2));
      case 'u' -> setItems(popMark());
      case 0x90 -> {
        List<Object> items = popMark();
        expect(SetItems.class, "a set").items.addAll(items);
      }
      case 0x91 -> {
        SetItems set = new SetItems();
        set.items.addAll(popMark());
        push(set);
      }
      default -> reference(opcode);
    }
  }

  private void reference(int opcode) {
    switch (opcode) {
      case 'q' -> put(in.u8());
      case 'r' -> put(in.u32());
      case 0x94 -> put(memo.size());
      case 'h' -> push(memoized(in.u8()));
      case 'j' -> push(memoized(in.u32()));
      case 'c' -> push(globals.find(in.line(), in.line()));
      case 0x93 -> {
        Object name = pop();
        Object module = pop();
        push(globals.find(text(module), text(name)));
      }
      case 'Q' -> push(ids.load(pop()));
      case 'R', 0x81 -> {
        // One type test a condition on purpose, here and wherever values of a pickle are tested: of two negated
        // patterns in one condition, C2 of JDK 17.0.15 makes a false refusal (after some 40 files in one process).
        Object arguments = pop();
        Object callee = pop();
        if (!(callee instanceof Global)) {
          throw fail("it calls something that is not a known name");
        }
        if (!(arguments instanceof Tuple)) {
          throw fail("it calls a name with something else than a tuple");
        }
        List<Object> items = ((Tuple) arguments).items();
        push(opcode == 'R' ? globals.call((Global) callee, items) : globals.make((Global) callee, items));
      }
      case 'b' -> {
        Object state = pop();
        globals.build(peek(), state);
      }
      default -> throw fail("it has the operation 0x" + Integer.toHexString(opcode) + ", which is not read");
    }
  }

  private void frame() {
    long length = in.u64();
    if (length > in.left()) {
      throw fail("it has a frame of " + length + " bytes where " + in.left() + " are left");
    }
  }

  private Tuple tuple(List<Object> items) {
    return new Tuple(items);
  }

  private void append(List<Object> items) {
    expect(Items.class, "a list").items.addAll(items);
  }

  private void setItems(List<Object> items) {
    if (items.size() % 2 != 0) {
      throw fail("it has a dictionary with a key and no value");
    }
    Dict dict = expect(Dict.class, "a dictionary");
    for (int i = 0; i < items.size(); i += 2) {
      Object key = items.get(i);
      if (!(key instanceof String || key instanceof Long || key instanceof Double || key instanceof Boolean)) {
        throw fail("it has a dictionary key that is no string and no number");
      }
      if (dict.map.put(key, items.get(i + 1)) != null) {
        throw fail("it has a dictionary with the key " + shorten(key.toString()) + " twice");
      }
    }
  }

  private <T> T expect(Class<T> type, String what) {
    Object value = peek();
    if (!type.isInstance(value)) {
      throw fail("it adds to something that is not " + what);
    }
    return type.cast(value);
  }

  private void push(Object value) {
    if (stack.size() >= MOST_STACK) {
      throw fail("its stack grows over " + MOST_STACK + " values");
    }
    budget.value(this::fail);
    stack.add(value);
  }

  private int top() {
    if (stack.isEmpty()) {
      throw fail("it takes from an empty stack");
    }
    return stack.size() - 1;
  }

  private Object peek() {
    Object value = stack.get(top());
    if (value == MARK) {
      throw fail("it takes a mark for a value");
    }
    return value;
  }

  private Object pop() {
    Object value = peek();
    stack.remove(top());
    return value;
  }

  private String text(Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw fail("it names a global by something else than strings");
  }

  private List<Object> popMany(int count) {
    List<Object> items = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      items.add(0, pop());
    }
    return items;
  }

  private List<Object> popMark() {
    int at = stack.size() - 1;
    while (at >= 0 && stack.get(at) != MARK) {
      at--;
    }
    if (at < 0) {
      throw fail("it looks for a mark that is not there");
    }
    List<Object> tail = stack.subList(at, stack.size());
    List<Object> items = new ArrayList<>(tail.subList(1, tail.size()));
    tail.clear();
    return items;
  }

  private void put(long index) {
    if (index >= MOST_MEMO || index > memo.size() + 1024L) {
      throw fail("it has the memo entry " + index + " after " + memo.size());
    }
    while (memo.size() <= index) {
      memo.add(null);
    }
    memo.set((int) index, peek());
  }

  private Object memoized(long index) {
    Object value = index < memo.size() ? memo.get((int) index) : null;
    if (value == null) {
      throw fail("it asks for the memo entry " + index + ", which is not there");
    }
    return value;
  }

  private Object integer(long length) {
    if (length > LONGEST_INTEGER) {
      throw fail("it has an integer of " + length + " bytes, at most " + LONGEST_INTEGER + " are read");
    }
    byte[] bytes = in.raw((int) length);
    if (length > 8) {
      return new BigInt(java.util.HexFormat.of().formatHex(bytes));
    }
    long value = length > 0 && bytes[(int) length - 1] < 0 ? -1 : 0;
    for (int i = (int) length - 1; i >= 0; i--) {
      value = value << 8 | bytes[i] & 0xFF;
    }
    return value;
  }

  private String string(long length) {
    if (length > LONGEST_STRING || length > in.left()) {
      throw fail("it has a string of " + Long.toUnsignedString(length) + " bytes where " + in.left()
          + " are left and at most "
          + LONGEST_STRING + " are read");
    }
    budget.text(length, this::fail);
    byte[] bytes = in.raw((int) length);
    try {
      CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return text.toString();
    } catch (CharacterCodingException e) {
      throw fail("it has a string that is not UTF-8");
    }
  }

  private Bytes bytes(long length) {
    if (length > in.left()) {
      throw fail("it has a bytes object of " + length + " bytes where " + in.left() + " are left");
    }
    Bytes bytes = new Bytes(position(), length);
    in.skip(length);
    return bytes;
  }

  static String shorten(String text) {
    return text.length() <= 80 ? text : text.substring(0, 80) + "...";
  }

  private DiffcertException fail(String why) {
    return in.fail(why);
  }
}
