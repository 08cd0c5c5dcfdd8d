// Depthwise resampling and scaled sums: parameters and grids. Any architecture, float32, bound by memory.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// ResampleOp: out = sum over taps (ty, tx), ascending, of factor * load(in); taps outside the map are left out. One thread an output element.
struct ResampleParams {
  Span<const float> in;       // n x [height][width][channels]
  Span<const float> affine;   // n x [2 * channels] or absent
  Span<const float> factors;  // [taps][taps]
  Span<float> out;            // n x [out_height][out_width][channels]
  std::int32_t height, width, out_height, out_width, channels, taps, padding;
  bool up, silu;
};

// out = scale * (a + b).
struct AddParams {
  Span<const float> a, b;
  Span<float> out;
  float scale;
};
inline constexpr int kElementThreads = 256;

}  // namespace diffcert
