// Sixteen floats, however many registers that takes: one AVX-512 register, two of AVX2, or an array. Only sources that are
// compiled once for each instruction set include it; DIFFCERT_ISA names the namespace, so that no inline function of one
// instruction set can stand in for another's.
//
// Every operation is one IEEE operation a lane, so the three forms agree to the bit; min and max return the second operand when
// they are unordered, as the instructions do.
#pragma once

#include <cstdint>
#include <cstring>

#include "cpu/kernels.hpp"

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#define DIFFCERT_INLINE static inline __attribute__((always_inline))

namespace diffcert::cpu {
namespace {

#if defined(__AVX512F__)

struct F16 {
  __m512 v;
};
DIFFCERT_INLINE F16 set1(float x) { return {_mm512_set1_ps(x)}; }
DIFFCERT_INLINE F16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
DIFFCERT_INLINE void store(float* p, F16 x) { _mm512_storeu_ps(p, x.v); }
DIFFCERT_INLINE F16 operator+(F16 a, F16 b) { return {_mm512_add_ps(a.v, b.v)}; }
DIFFCERT_INLINE F16 operator-(F16 a, F16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
DIFFCERT_INLINE F16 operator*(F16 a, F16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
DIFFCERT_INLINE F16 operator/(F16 a, F16 b) { return {_mm512_div_ps(a.v, b.v)}; }
DIFFCERT_INLINE F16 fma(F16 a, F16 b, F16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
DIFFCERT_INLINE F16 min(F16 a, F16 b) { return {_mm512_min_ps(a.v, b.v)}; }
DIFFCERT_INLINE F16 max(F16 a, F16 b) { return {_mm512_max_ps(a.v, b.v)}; }
// The bits of p plus the bits of t shifted left by 23: p times two to the integer in t's low bits.
DIFFCERT_INLINE F16 scale_by_exponent(F16 p, F16 t) {
  return {_mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_castps_si512(p.v), _mm512_slli_epi32(_mm512_castps_si512(t.v), 23)))};
}
DIFFCERT_INLINE F16 load_n(const float* p, std::int64_t n, float fill) {
  return {_mm512_mask_loadu_ps(_mm512_set1_ps(fill), static_cast<__mmask16>((1u << n) - 1u), p)};
}
DIFFCERT_INLINE void store_n(float* p, F16 x, std::int64_t n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1u), x.v);
}

#elif defined(__AVX2__)

struct F16 {
  __m256 lo, hi;
};
DIFFCERT_INLINE F16 set1(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
DIFFCERT_INLINE F16 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
DIFFCERT_INLINE void store(float* p, F16 x) {
  _mm256_storeu_ps(p, x.lo);
  _mm256_storeu_ps(p + 8, x.hi);
}
DIFFCERT_INLINE F16 operator+(F16 a, F16 b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
DIFFCERT_INLINE F16 operator-(F16 a, F16 b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
DIFFCERT_INLINE F16 operator*(F16 a, F16 b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
DIFFCERT_INLINE F16 operator/(F16 a, F16 b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
DIFFCERT_INLINE F16 fma(F16 a, F16 b, F16 c) {
  return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}
DIFFCERT_INLINE F16 min(F16 a, F16 b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
DIFFCERT_INLINE F16 max(F16 a, F16 b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
DIFFCERT_INLINE __m256 scale_half(__m256 p, __m256 t) {
  return _mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_castps_si256(p), _mm256_slli_epi32(_mm256_castps_si256(t), 23)));
}
DIFFCERT_INLINE F16 scale_by_exponent(F16 p, F16 t) { return {scale_half(p.lo, t.lo), scale_half(p.hi, t.hi)}; }

#else

struct F16 {
  float v[16];
};
#define DIFFCERT_LANES(expression)              \
  F16 r;                                        \
  for (int i = 0; i < 16; ++i) r.v[i] = (expression); \
  return r
DIFFCERT_INLINE F16 set1(float x) { DIFFCERT_LANES(x); }
DIFFCERT_INLINE F16 load(const float* p) { DIFFCERT_LANES(p[i]); }
DIFFCERT_INLINE void store(float* p, const F16& x) {
  for (int i = 0; i < 16; ++i) p[i] = x.v[i];
}
DIFFCERT_INLINE F16 operator+(const F16& a, const F16& b) { DIFFCERT_LANES(a.v[i] + b.v[i]); }
DIFFCERT_INLINE F16 operator-(const F16& a, const F16& b) { DIFFCERT_LANES(a.v[i] - b.v[i]); }
DIFFCERT_INLINE F16 operator*(const F16& a, const F16& b) { DIFFCERT_LANES(a.v[i] * b.v[i]); }
DIFFCERT_INLINE F16 operator/(const F16& a, const F16& b) { DIFFCERT_LANES(a.v[i] / b.v[i]); }
DIFFCERT_INLINE F16 fma(const F16& a, const F16& b, const F16& c) {
  DIFFCERT_LANES(__builtin_fmaf(a.v[i], b.v[i], c.v[i]));
}
DIFFCERT_INLINE F16 min(const F16& a, const F16& b) { DIFFCERT_LANES(a.v[i] < b.v[i] ? a.v[i] : b.v[i]); }
DIFFCERT_INLINE F16 max(const F16& a, const F16& b) { DIFFCERT_LANES(a.v[i] > b.v[i] ? a.v[i] : b.v[i]); }
DIFFCERT_INLINE F16 scale_by_exponent(const F16& p, const F16& t) {
  F16 r;
  for (int i = 0; i < 16; ++i) {
    std::uint32_t pb, tb;
    std::memcpy(&pb, &p.v[i], 4);
    std::memcpy(&tb, &t.v[i], 4);
    pb += tb << 23;
    std::memcpy(&r.v[i], &pb, 4);
  }
  return r;
}
#undef DIFFCERT_LANES

#endif

#if !defined(__AVX512F__)
DIFFCERT_INLINE F16 load_n(const float* p, std::int64_t n, float fill) {
  float lane[16];
  for (int i = 0; i < 16; ++i) lane[i] = i < n ? p[i] : fill;
  return load(lane);
}
DIFFCERT_INLINE void store_n(float* p, F16 x, std::int64_t n) {
  float lane[16];
  store(lane, x);
  for (std::int64_t i = 0; i < n; ++i) p[i] = lane[i];
}
#endif

// body(c, count) for each group of 16 channels; count < 16 only in the last.
#define DIFFCERT_FOR_LANES(c, count, channels)                                        \
  for (std::int64_t c = 0, count = 0; (count = (channels) - c < 16 ? (channels) - c : 16) > 0; c += 16)

DIFFCERT_INLINE F16 load_some(const float* p, std::int64_t n) { return n == 16 ? load(p) : load_n(p, n, 0.0f); }
DIFFCERT_INLINE void store_some(float* p, F16 x, std::int64_t n) {
  if (n == 16) {
    store(p, x);
  } else {
    store_n(p, x, n);
  }
}

// The 16 lanes summed by a fixed tree: i with i + 8, then + 4, + 2, + 1.
DIFFCERT_INLINE float sum_lanes(F16 x) {
  float v[16];
  store(v, x);
  for (int step = 8; step > 0; step /= 2) {
    for (int i = 0; i < step; ++i) v[i] = v[i] + v[i + step];
  }
  return v[0];
}

DIFFCERT_INLINE float max_lanes(F16 x) {
  float v[16];
  store(v, x);
  float most = v[0];
  for (int i = 1; i < 16; ++i) most = v[i] > most ? v[i] : most;
  return most;
}

// e^x for x clamped to [-87, 88]: x = n ln 2 + r, |r| <= ln 2 / 2, the Taylor polynomial of degree 6 in r (its first missing term is
// below 1.3e-7), times 2^n. tests/native/test_cpu_math.cpp measures it. A NaN comes out as e^88: callers show
// it by using the argument again.
DIFFCERT_INLINE F16 exponential(F16 x) {
  const F16 magic = set1(12582912.0f);  // 1.5 * 2^23: adding it leaves the rounded integer in the low bits
  x = max(min(x, set1(88.0f)), set1(-87.0f));
  const F16 t = fma(x, set1(1.44269504f), magic);
  const F16 n = t - magic;
  F16 r = fma(n, set1(-0.693359375f), x);
  r = fma(n, set1(2.12194440e-4f), r);
  F16 p = fma(set1(1.0f / 720.0f), r, set1(1.0f / 120.0f));
  p = fma(p, r, set1(1.0f / 24.0f));
  p = fma(p, r, set1(1.0f / 6.0f));
  p = fma(p, r, set1(0.5f));
  p = fma(p, r, set1(1.0f));
  p = fma(p, r, set1(1.0f));
  return scale_by_exponent(p, t);
}

// x / (1 + e^-x)
DIFFCERT_INLINE F16 swish(F16 x) { return x / (set1(1.0f) + exponential(set1(0.0f) - x)); }

}  // namespace
}  // namespace diffcert::cpu
