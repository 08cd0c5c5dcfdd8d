// What comes back through a load (norm, SiLU, doubling, halving, one of two sources): its sums a channel, and on to the source. Any architecture.
#pragma once

#include "kernels/smxx_norm.hpp"
#include "kernels/span.hpp"

namespace diffcert {

// dz = (scale * g) * silu'(a v + b): g the gradient where no resampling is, the sum of four where the load doubled, a quarter where it halved;
// v the source; without one dz = scale * g.
struct ComingBack {
  FeatureSpan gradient;      // n x [of the source, doubled or halved][channels]
  FeatureSpan source;        // n x [height][width][count] or absent
  Span<const float> affine;  // n x [2 * channels] or absent
  std::int32_t height, width;            // of the source
  std::int32_t channels, first, count;   // of the gradient; those of them that are the source's
  float scale;
  bool up2, down2, silu;
};

// Of each sample's `out`, row numbers long: out[centred_at + c] = sum of dz * (v - mean[c]), out[plain_at + c] = factor * sum of dz; the first only
// where there are means. Threads and order as StatsParams: thread r sums pixels r, r + kStatsRows, ...; the rows' sums in ascending order.
struct PullSumsParams {
  ComingBack in;
  Span<const float> stats;  // n x [2 * count], means first, or absent
  Span<float> out;          // n x [row]
  std::int32_t row, centred_at, plain_at;
  float factor;
};

// out = (a dz + (slope v + offset)), added to what is there or not. A thread makes eight channels of a pixel.
struct PullParams {
  ComingBack in;
  Span<const float> slopes;  // n x [2 * channels] or absent
  FeatureSpan out;           // n x [height][width][count]
  bool accumulate;
};
inline constexpr int kPullThreads = 256;

}  // namespace diffcert
