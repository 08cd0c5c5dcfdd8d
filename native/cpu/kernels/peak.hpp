// What the fma units can do at most: independent chains in registers, no memory. The benchmarks' 100 %.
#pragma once

#include "cpu/simd.hpp"

namespace diffcert::cpu {
namespace {

#if defined(__AVX512F__)
inline constexpr int kChains = 24;
#elif defined(__AVX2__)
inline constexpr int kChains = 6;  // of two registers each
#else
inline constexpr int kChains = 1;
#endif

// Returns the FLOPs done; *sink keeps the compiler from leaving them out.
double peak(std::int64_t rounds, float* sink) {
  F16 chain[kChains];
#pragma GCC unroll 32
  for (int i = 0; i < kChains; ++i) chain[i] = set1(static_cast<float>(i));
  const F16 factor = set1(sink[0]), term = set1(sink[1]);
  for (std::int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 32
    for (int i = 0; i < kChains; ++i) chain[i] = fma(chain[i], factor, term);
  }
  F16 sum = chain[0];
#pragma GCC unroll 32
  for (int i = 1; i < kChains; ++i) sum = sum + chain[i];
  *sink = sum_lanes(sum);
  return static_cast<double>(rounds) * kChains * 16 * 2;
}

}  // namespace
}  // namespace diffcert::cpu
