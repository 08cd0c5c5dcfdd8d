// bfloat16: float32's upper half, rounded to nearest, ties to even; a NaN stays one. Our own type, so that neither the emulator nor a
// launcher needs CUDA's headers; on a GPU the conversion is one instruction, and tests compare the two bit for bit.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#define DC_BOTH __host__ __device__ __forceinline__
#else
#define DC_BOTH inline
#endif

namespace diffcert {

struct Bf16 {
  std::uint16_t bits;
};

DC_BOTH float to_float(Bf16 value) {
  const std::uint32_t bits = static_cast<std::uint32_t>(value.bits) << 16;
  float out;
  memcpy(&out, &bits, sizeof out);
  return out;
}

DC_BOTH Bf16 to_bf16(float value) {
#if defined(__CUDA_ARCH__)
  return {__bfloat16_as_ushort(__float2bfloat16_rn(value))};
#else
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return {0x7fff};
  return {static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16)};
#endif
}

// Two of them in a register, the first in the low half: what mma takes.
DC_BOTH std::uint32_t pack(float first, float second) {
  return static_cast<std::uint32_t>(to_bf16(first).bits) | static_cast<std::uint32_t>(to_bf16(second).bits) << 16;
}

// tf32: float32 with 10 bits of mantissa, rounded to nearest, ties away from zero (cvt.rna.tf32.f32).
DC_BOTH std::uint32_t to_tf32(float value) {
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7f800000u) == 0x7f800000u) return bits;
  return (bits + 0x1000u) & 0xffffe000u;
}

}  // namespace diffcert
