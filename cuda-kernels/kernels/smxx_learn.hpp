// The gradients of weights, summed over rows: parameters and grids. Any architecture, float32.
//
// A sum is that of its rows' shares, rows ascending, kept in float32 from call to call; so neither batches nor the blocks that share out the work
// show. There are no atomics.
#pragma once

#include "kernels/smxx_conv.hpp"
#include "kernels/span.hpp"

namespace diffcert {

// The map that a convolution sees (normed, activated, resampled, both sources side by side) written out, a thread an element: once, not once a tap.
struct LoadedParams {
  ConvParams conv;  // sources, affine, silu, up2, down2
  FeatureSpan out;  // n x [height][width][channels]
  std::int32_t height, width;  // of the map
};
inline constexpr int kLoadedThreads = 256;

// sums[(tap, c)][o] += sum over pixels (y, x), ascending, of gradient[y, x, o] * map[y + ky - padding, x + kx - padding, c], one chain of fma a row.
// A block makes kLearnInputs (tap, channel) x kLearnOutputs outputs in steps of kLearnDepth pixels, a thread 4 x 4 of them, over all rows; or,
// where these blocks are too few, block z takes row z alone and leaves its share in partials, for accumulate to add up.
struct ConvGradientParams {
  FeatureSpan map;        // n x [in_height][in_width][channels]
  FeatureSpan gradient;   // n x [height][width][outputs]
  Span<float> sums;       // [kernel * kernel * channels][outputs]
  Span<float> partials;   // n x [kernel * kernel * channels][outputs] or absent
  std::int32_t n, in_height, in_width, height, width, channels, outputs, kernel, padding;
};
inline constexpr int kLearnInputs = 64, kLearnOutputs = 64, kLearnDepth = 16, kLearnThreads = 256;
inline constexpr int kLearnShared = kLearnDepth * (kLearnInputs + kLearnOutputs) * 4;

// sums[o][i] += gradient[row][o] * (in_scale * in[row][i]): one chain of fma over rows. A thread an element.
struct LinearGradientParams {
  Span<const float> in;        // n x [in_features]
  Span<const float> gradient;  // n x [out_features]
  Span<float> sums;            // [out_features][in_features]
  std::int32_t n, in_features, out_features;
  float in_scale;
};

// sums[i] += in[row][first + i], rows ascending. A thread an element.
struct AccumulateParams {
  Span<const float> in;  // n x [row]
  Span<float> sums;
  std::int64_t row, first;
  std::int32_t n;
};

// out = 0.
struct ClearParams {
  Span<float> out;
};
inline constexpr int kSumThreads = 256;

}  // namespace diffcert
