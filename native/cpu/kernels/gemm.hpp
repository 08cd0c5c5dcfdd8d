// The matrix product of every convolution and linear map: rows of a (as they lie, row stride free) by packed panels of b. Turned: a is given
// with its rows down, for sums over pixels.
//
// A register tile of kRows x 16 kWide outputs runs down k: per step kWide panel loads and kRows broadcasts feed kRows * kWide
// multiply-adds (AVX-512: 8 x 32, 16 fma to 10 loads; both fma units stay busy from 8 independent accumulators on). k is cut in
// blocks so that a block's panels stay in the first-level cache while all rows pass them; the sum of an output goes on from where
// the last block left it, so neither the blocks nor the tiles show in the bits. Panels come from the third-level cache or from
// memory, and the hardware's prefetch stops at page ends: each tile asks for a part of the next panels (171 -> 224 GFLOP/s of 250
// at 64 x 256 x 256 on a Zen 5 core).
#pragma once

#include "cpu/simd.hpp"

namespace diffcert::cpu {
namespace {

#if defined(__AVX512F__)
inline constexpr int kRows = 8, kWide = 2;
#elif defined(__AVX2__)
inline constexpr int kRows = 6, kWide = 1;
#else
inline constexpr int kRows = 4, kWide = 1;
#endif
inline constexpr std::int64_t kDepth = 256;

template <bool Turned, int Rows, int Wide>
DIFFCERT_INLINE void tile(std::int64_t k, const float* a, std::int64_t lda, const float* b, std::int64_t panel, float* c,
                          std::int64_t ldc, std::int64_t last, bool accumulate, const float* ahead) {
  F16 sum[Rows][Wide];
#pragma GCC unroll 32
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < Wide; ++j) {
      float* place = c + i * ldc + j * 16;
      if (!accumulate) {
        sum[i][j] = set1(0.0f);
      } else {
        sum[i][j] = load_some(place, j + 1 < Wide ? 16 : last);
      }
    }
  }
  const auto step = [&](std::int64_t s) __attribute__((always_inline)) {
    F16 right[Wide];
#pragma GCC unroll 4
    for (int j = 0; j < Wide; ++j) right[j] = load(b + j * panel + s * 16);
#pragma GCC unroll 32
    for (int i = 0; i < Rows; ++i) {
      const F16 left = set1(Turned ? a[s * lda + i] : a[i * lda + s]);
#pragma GCC unroll 4
      for (int j = 0; j < Wide; ++j) sum[i][j] = fma(left, right[j], sum[i][j]);
    }
  };
  std::int64_t s = 0;
  for (; s + 4 <= k; s += 4) {
    __builtin_prefetch(ahead + s * 4, 0, 2);
    step(s);
    step(s + 1);
    step(s + 2);
    step(s + 3);
  }
  for (; s < k; ++s) step(s);
#pragma GCC unroll 32
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < Wide; ++j) store_some(c + i * ldc + j * 16, sum[i][j], j + 1 < Wide ? 16 : last);
  }
}

// Fewer rows than a full tile: the same tile, instantiated for each count.
template <bool Turned, int Rows, int Wide>
void rows_left(std::int64_t rows, std::int64_t k, const float* a, std::int64_t lda, const float* b, std::int64_t panel, float* c,
               std::int64_t ldc, std::int64_t last, bool accumulate, const float* ahead) {
  if constexpr (Rows > 0) {
    if (rows == Rows) {
      tile<Turned, Rows, Wide>(k, a, lda, b, panel, c, ldc, last, accumulate, ahead);
    } else {
      rows_left<Turned, Rows - 1, Wide>(rows, k, a, lda, b, panel, c, ldc, last, accumulate, ahead);
    }
  }
}

template <bool Turned, int Wide>
void columns(std::int64_t m, std::int64_t k, const float* a, std::int64_t lda, const float* b, std::int64_t panel, float* c,
             std::int64_t ldc, std::int64_t last, bool accumulate) {
  // While this panel group is used, the next one is asked for: a quarter of a panel a tile.
  const auto ahead = [&](std::int64_t tile_index) {
    const std::int64_t quarter = tile_index < 4 * Wide ? tile_index : 4 * Wide - 1;
    return b + (Wide + quarter / 4) * panel + quarter % 4 * (k / 4) * 16;
  };
  const std::int64_t row = Turned ? 1 : lda;
  std::int64_t i = 0;
  for (; i + kRows <= m; i += kRows) {
    tile<Turned, kRows, Wide>(k, a + i * row, lda, b, panel, c + i * ldc, ldc, last, accumulate, ahead(i / kRows));
  }
  rows_left<Turned, kRows - 1, Wide>(m - i, k, a + i * row, lda, b, panel, c + i * ldc, ldc, last, accumulate, ahead(i / kRows));
}

template <bool Turned>
void gemm_as(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b, float* c,
          std::int64_t ldc, bool accumulate) {
  const std::int64_t panel = k * 16, count = panels(n);
  for (std::int64_t s = 0; s < k; s += kDepth) {
    const std::int64_t depth = k - s < kDepth ? k - s : kDepth;
    const bool onto = accumulate || s > 0;
    const float* left_side = a + (Turned ? s * lda : s);
    for (std::int64_t p = 0; p < count;) {
      const float* right = b + p * panel + s * 16;
      const std::int64_t left = n - p * 16;
      if (left > 16 && kWide == 2) {
        columns<Turned, kWide>(m, depth, left_side, lda, right, panel, c + p * 16, ldc, left < 32 ? left - 16 : 16, onto);
        p += 2;
      } else {
        columns<Turned, 1>(m, depth, left_side, lda, right, panel, c + p * 16, ldc, left < 16 ? left : 16, onto);
        p += 1;
      }
    }
  }
}

}  // namespace
}  // namespace diffcert::cpu
