// Depthwise resampling and scaled sums: parameters and grids. Any architecture, bound by memory.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// ResampleOp: out = sum over taps (ty, tx), ascending, of factor * load(in); taps outside the map are left out. A thread makes
// eight channels of a pixel, in one access where the channels are a multiple of eight.
struct ResampleParams {
  FeatureSpan in;             // n x [height][width][channels]
  Span<const float> affine;   // n x [2 * channels] or absent
  Span<const float> factors;  // [taps][taps]
  FeatureSpan out;            // n x [out_height][out_width][channels]
  std::int32_t height, width, out_height, out_width, channels, taps, padding;
  bool up, silu;
};

// out = scale * (a + b). A thread makes eight numbers.
struct AddParams {
  FeatureSpan a, b, out;
  float scale;
};
inline constexpr int kElementThreads = 256;

}  // namespace diffcert
