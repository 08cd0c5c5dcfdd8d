package org.diffcert.file;

import java.nio.ByteBuffer;

/** Element types of tensors in files, with the names of the safetensors format. Sub-byte types are not among them. */
public enum DType {
  /** Truth values. */
  BOOL(1),
  /** Unsigned 8-bit integers. */
  U8(1),
  /** Signed 8-bit integers. */
  I8(1),
  /** 8-bit floats, 5 exponent bits. */
  F8_E5M2(1),
  /** 8-bit floats, 4 exponent bits. */
  F8_E4M3(1),
  /** 8-bit exponents. */
  F8_E8M0(1),
  /** Signed 16-bit integers. */
  I16(2),
  /** Unsigned 16-bit integers. */
  U16(2),
  /** IEEE half precision. */
  F16(2),
  /** The upper half of a float32. */
  BF16(2),
  /** Signed 32-bit integers. */
  I32(4),
  /** Unsigned 32-bit integers. */
  U32(4),
  /** IEEE single precision. */
  F32(4),
  /** Complex numbers of two float32. */
  C64(8),
  /** IEEE double precision. */
  F64(8),
  /** Signed 64-bit integers. */
  I64(8),
  /** Unsigned 64-bit integers. */
  U64(8);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /**
   * Size of an element.
   *
   * @return bytes
   */
  public int bytes() {
    return bytes;
  }

  /**
   * Whether elements are real floats that this library turns into float32.
   *
   * @return true for F16, BF16, F32 and F64
   */
  public boolean isFloat() {
    return this == F16 || this == BF16 || this == F32 || this == F64;
  }

  /**
   * One element as float32: exact from F16 and BF16, rounded to nearest from F64.
   *
   * @param bytes little-endian bytes
   * @param index index of the element, counted in elements
   * @return the value
   * @throws IllegalStateException where {@link #isFloat()} is false
   */
  public float get(ByteBuffer bytes, int index) {
    return switch (this) {
      case F32 -> bytes.getFloat(index * 4);
      case F64 -> (float) bytes.getDouble(index * 8);
      case BF16 -> Float.intBitsToFloat(bytes.getShort(index * 2) << 16);
      case F16 -> half(bytes.getShort(index * 2));
      default -> throw new IllegalStateException(this + " is no float type");
    };
  }

  private static float half(short bits) {
    int sign = (bits & 0x8000) << 16;
    int exponent = bits >> 10 & 0x1F;
    int mantissa = bits & 0x3FF;
    if (exponent == 0) {
      float magnitude = mantissa * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    int wide = exponent == 31 ? 0xFF : exponent + 112;
    return Float.intBitsToFloat(sign | wide << 23 | mantissa << 13);
  }
}
