package org.diffcert.noise;

/** FNV-1a, 64 bits, over little-endian numbers: the digest in which Java and C++ compare their noise. */
final class Fnv {
  private long state = 0xcbf29ce484222325L;

  Fnv add(long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      state = (state ^ ((value >>> (8 * i)) & 0xff)) * 0x100000001b3L;
    }
    return this;
  }

  String hex() {
    return String.format("%016x", state);
  }
}
