// Statistics of what convolutions on tensor cores store. Lane 4 x + q of a warp holds eight channels of column x of a tile eight wide.
#pragma once

#include "kernels/fragments.cuh"

namespace diffcert {

// Each number's sum over the eight columns of a tile, which are lanes 4 apart; every lane gets it.
DC_DEVICE void over_columns(Eight& e) {
#pragma unroll
  for (int by = 4; by <= 16; by *= 2) {
#pragma unroll
    for (int i = 0; i < 8; ++i) e.v[i] = e.v[i] + shuffle_xor(e.v[i], by);
  }
}

struct alignas(8) Moments {
  float mean, m2;
};

// Statistics of a lane's eight channels over the first `high` of `rows` rows of the tile, `columns` wide: sums are the lane's own over its column, `inside`
// says that its column is in the map. They go to `memory` from channel `at` of the warp on, a channel a lane.
template <int rows>
DC_DEVICE void store_moments(const Shared<Bf16>& memory, int at, Eight sums, const Eight (&kept)[rows], int high, int columns, bool inside, int lane) {
  over_columns(sums);
  const auto pixels = static_cast<float>(high > 0 ? high * columns : 1);
  Eight m2{};
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    sums.v[i] = sums.v[i] / pixels;
#pragma unroll
    for (int r = 0; r < rows; ++r) {
      const float off = r < high && inside ? kept[r].v[i] - sums.v[i] : 0.0f;
      m2.v[i] = fma(off, off, m2.v[i]);
    }
  }
  over_columns(m2);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    // Lane 4 x + q writes channel x of its eight.
    if (lane / 4 == i) store_vector(memory, (at + lane % 4 * 8 + i) * 4, Moments{sums.v[i], m2.v[i]});
  }
}

// Mean and M2 of one of a tile's channels, which lie in shared memory as [warp][outputs], over the pixels of some warps, ascending: each has the next `each` of the rows that are left, `columns` wide.
template <int outputs>
DC_DEVICE Moments combined(const Shared<Bf16>& memory, int first, int count, int channel, int left, int each, int columns) {
  const auto rows = [&](int w) { return left - each * w < 0 ? 0 : left - each * w < each ? left - each * w : each; };
  const auto at = [&](int w) { return load_vector<Moments>(memory, ((first + w) * outputs + channel) * 4); };
  float sum = 0, pixels = 0, m2 = 0;
  for (int w = 0; w < count; ++w) {
    const auto n = static_cast<float>(rows(w) * columns);
    sum = fma(n, at(w).mean, sum);
    pixels = pixels + n;
  }
  const float mean = sum / pixels;
  for (int w = 0; w < count; ++w) {
    const float off = at(w).mean - mean;
    m2 = m2 + fma(static_cast<float>(rows(w) * columns), off * off, at(w).m2);
  }
  return {mean, m2};
}

}  // namespace diffcert
