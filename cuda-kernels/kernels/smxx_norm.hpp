// Per-channel statistics and GroupNorm as a per-channel affine: parameters and grids. Any architecture.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// out = mean [C], then M2 [C] of each sample. A block takes kStatsChannels channels of one sample: kStatsRows threads a channel, thread r
// sums pixels r, r + kStatsRows, ...; the rows' sums are added in ascending order.
struct StatsParams {
  FeatureSpan in;        // n x [pixels][channels]
  Span<float> out;       // n x [2 * channels]
  std::int32_t pixels, channels;
};
inline constexpr int kStatsChannels = 32, kStatsRows = 8, kStatsThreads = kStatsChannels * kStatsRows;
inline constexpr int kStatsShared = kStatsThreads * 4;

// The same from what a convolution's store left: for each tile of each sample, the mean [C] and M2 [C] of its pixels. Combined in double,
// tiles ascending: the mean of all, then the sum of M2 + pixels x (mean - mean of all)^2; rounded once. A thread takes one channel.
struct CombineParams {
  Span<const float> partials;  // n x [phases * tiles][2][channels], tiles row by row
  Span<float> out;             // n x [2 * channels]
  std::int32_t channels, height, width, tile_height, tile_width, phases;  // the map that is tiled
};
inline constexpr int kCombineThreads = 128;

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

// NormBackwardOp, likewise: in double, channels ascending within a group, rounded once.
struct NormBackwardParams {
  NormParams norm;              // without out
  Span<const float> sums;       // n x [2 * C]: of dz (v - mean of the channel), then of dz
  Span<float> slopes;           // n x [2 * C]: slope, then offset
  Span<float> adaptive, affine; // n x [2 * C] or absent
};

}  // namespace diffcert
