package org.diffcert.file;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.file.PickleValue.Storage;
import org.diffcert.file.PickleValue.Tuple;

/**
 * The zip archive that torch.save writes since PyTorch 1.6: one pickle and one uncompressed entry a storage. The
 * archive is read as strictly as a file from a stranger deserves: no compression, so no bomb; no name twice; no
 * entry over another; names are compared and never used as paths.
 */
final class TorchZip {
  private static final int END = 0x06054b50;
  private static final int CENTRAL = 0x02014b50;
  private static final int LOCAL = 0x04034b50;
  private static final int END_BYTES = 22;
  private static final int MOST_ENTRIES = 20_000;

  private record Entry(String name, long position, long size) {}

  private final FileBytes file;
  private final Map<String, Entry> entries = new HashMap<>();
  private final Map<String, Storage> storages = new HashMap<>();
  private final PickleGlobals globals;
  private String folder;

  TorchZip(FileBytes file) {
    this.file = file;
    this.globals = new PickleGlobals(file, bytes -> {
      throw fail("it has a stream nested in its pickle");
    });
  }

  Object read() {
    directory();
    Entry pickle = null;
    for (Entry entry : entries.values()) {
      if (entry.name().endsWith("/data.pkl")) {
        if (pickle != null) {
          throw fail("it has two entries named data.pkl");
        }
        pickle = entry;
      }
    }
    if (pickle == null) {
      throw fail("it has no entry data.pkl");
    }
    folder = pickle.name().substring(0, pickle.name().length() - "data.pkl".length());
    Entry order = entries.get(folder + "byteorder");
    if (order != null && !"little".equals(text(file.copy(order.position(), (int) Math.min(16, order.size()))))) {
      throw fail("it was not written on a little-endian machine");
    }
    PickleReader reader = new PickleReader(file, pickle.position(), pickle.position() + pickle.size(), this::storage,
        globals, new PickleBudget());
    Object object = reader.read();
    if (reader.position() != pickle.position() + pickle.size()) {
      throw fail("something follows its pickle");
    }
    return object;
  }

  String sourceSha256() {
    return globals.sourceSha256();
  }

  private Object storage(Object id) {
    List<Object> fields = id instanceof Tuple tuple ? tuple.items() : List.of();
    boolean sound = fields.size() == 5 && "storage".equals(fields.get(0));
    Object name = sound ? fields.get(2) : null;
    if (!(name instanceof String)) {
      throw fail("it has a storage that is not of the known form");
    }
    String key = (String) name;
    Storage storage = globals.storage(fields.get(1), fields.get(4));
    Entry entry = entries.get(folder + "data/" + key);
    if (entry == null || entry.size() != storage.bytes()) {
      throw fail("its storage \"" + PickleReader.shorten(key) + "\" of " + storage.bytes() + " bytes is "
          + (entry == null ? "missing" : entry.size() + " bytes long"));
    }
    storage.position = entry.position();
    Storage known = storages.putIfAbsent(key, storage);
    if (known != null && known.dtype != storage.dtype) {
      throw fail("it has two storages with one key");
    }
    return known != null ? known : storage;
  }

  private void directory() {
    ByteBuffer end = end();
    int count = end.getShort(10) & 0xFFFF;
    long size = end.getInt(12) & 0xFFFFFFFFL;
    long offset = end.getInt(16) & 0xFFFFFFFFL;
    if (count == 0xFFFF || size == 0xFFFFFFFFL || offset == 0xFFFFFFFFL) {
      throw fail("it is a zip64 archive over 4 GiB; convert it with the safetensors package first");
    }
    if (count != (end.getShort(8) & 0xFFFF) || end.getShort(4) != 0 || end.getShort(6) != 0 || count > MOST_ENTRIES
        || offset + size > file.size() - END_BYTES || size > (1L << 26)) {
      throw fail("its zip directory is damaged");
    }
    ByteBuffer directory = file.copy(offset, (int) size);
    List<Entry> order = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if (directory.remaining() < 46 || directory.getInt(directory.position()) != CENTRAL) {
        throw fail("its zip directory is damaged");
      }
      order.add(entry(directory, offset));
    }
    order.sort(Comparator.comparingLong(Entry::position));
    long last = 0;
    for (Entry entry : order) {
      if (entry.position() < last) {
        throw fail("its entry \"" + PickleReader.shorten(entry.name()) + "\" lies over another");
      }
      last = entry.position() + entry.size();
    }
  }

  /* The end record; a comment after it, in which another archive could hide, is refused except where it is empty. */
  private ByteBuffer end() {
    if (file.size() < END_BYTES) {
      throw fail("it is cut off");
    }
    ByteBuffer end = file.copy(file.size() - END_BYTES, END_BYTES);
    if (end.getInt(0) != END || end.getShort(20) != 0) {
      throw fail("it does not end with a zip directory");
    }
    return end;
  }

  private Entry entry(ByteBuffer directory, long dataEnd) {
    int at = directory.position();
    int flags = directory.getShort(at + 8) & 0xFFFF;
    int method = directory.getShort(at + 10) & 0xFFFF;
    long packed = directory.getInt(at + 20) & 0xFFFFFFFFL;
    long size = directory.getInt(at + 24) & 0xFFFFFFFFL;
    int nameBytes = directory.getShort(at + 28) & 0xFFFF;
    int more = (directory.getShort(at + 30) & 0xFFFF) + (directory.getShort(at + 32) & 0xFFFF);
    long local = directory.getInt(at + 42) & 0xFFFFFFFFL;
    if (directory.remaining() < 46 + nameBytes + more) {
      throw fail("its zip directory is damaged");
    }
    String name = text(directory.slice(at + 46, nameBytes));
    directory.position(at + 46 + nameBytes + more);
    checkName(name);
    if ((flags & 1) != 0 || method != 0 || packed != size) {
      throw fail("its entry \"" + PickleReader.shorten(name)
          + "\" is compressed or encrypted, torch.save stores entries as they are");
    }
    ByteBuffer head = file.copy(local, 30);
    int localName = head.getShort(26) & 0xFFFF;
    long position = local + 30 + localName + (head.getShort(28) & 0xFFFF);
    boolean sizesLater = (head.getShort(6) & 8) != 0;
    long localSize = head.getInt(22) & 0xFFFFFFFFL;
    if (head.getInt(0) != LOCAL || localName != nameBytes || !name.equals(text(file.copy(local + 30, localName)))
        || head.getShort(8) != 0 || localSize != size && !sizesLater || position + size > dataEnd) {
      throw fail("its entry \"" + PickleReader.shorten(name)
          + "\" differs between the zip directory and its own header");
    }
    Entry entry = new Entry(name, position, size);
    if (entries.put(name, entry) != null) {
      throw fail("it has two entries named \"" + PickleReader.shorten(name) + "\"");
    }
    return entry;
  }

  private void checkName(String name) {
    boolean good = !name.isEmpty() && name.length() <= 512 && !name.startsWith("/") && !name.contains("\\");
    for (String part : name.split("/", -1)) {
      good &= !part.isEmpty() && !part.equals(".") && !part.equals("..");
    }
    for (int i = 0; i < name.length(); i++) {
      good &= name.charAt(i) >= 0x20 && name.charAt(i) < 0x7f;
    }
    if (!good) {
      throw fail("it has an entry whose name is not a plain relative path");
    }
  }

  private static String text(ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    return new String(copy, StandardCharsets.ISO_8859_1);
  }

  private DiffcertException fail(String why) {
    return DiffcertException.badInput(file.name() + " is not a PyTorch archive that can be read: " + why);
  }
}
