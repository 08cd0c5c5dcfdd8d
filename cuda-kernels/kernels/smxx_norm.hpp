// Per-channel statistics and GroupNorm as a per-channel affine: parameters and grids. Any architecture, float32.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// out = mean [C], then M2 [C] of each sample. A block takes kStatsChannels channels of one sample: kStatsRows threads a channel, thread r
// sums pixels r, r + kStatsRows, ...; the rows' sums are added in ascending order.
struct StatsParams {
  Span<const float> in;  // n x [pixels][channels]
  Span<float> out;       // n x [2 * channels]
  std::int32_t pixels, channels;
};
inline constexpr int kStatsChannels = 32, kStatsRows = 8, kStatsThreads = kStatsChannels * kStatsRows;
inline constexpr int kStatsShared = kStatsThreads * 4;

// NormOp: in double, channels ascending within a group, rounded once. One block a sample, one thread a group.
struct NormParams {
  Span<const float> stats[2];  // n x [2 * channels[i]]
  std::int32_t channels[2];
  std::int32_t pixels, groups;
  double eps;
  Span<const float> gamma, beta;  // [C]
  Span<const float> adaptive;     // n x [2 * C] or absent
  Span<float> out;                // n x [2 * C]
};
inline constexpr int kNormThreads = 32;

}  // namespace diffcert
