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
