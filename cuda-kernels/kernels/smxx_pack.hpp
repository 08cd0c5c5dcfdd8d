// Weights from the order of files to those of kernels: parameters and grids. Any architecture.
#pragma once

#include "kernels/bf16.cuh"
#include "kernels/span.hpp"

namespace diffcert {

// A weight W[outputs][channels][taps] as an op applies it: as it is published or, for an adjoint, published [channels][outputs][taps], turned round and
// flipped.
struct PublishedWeight {
  Span<const float> values;
  std::int32_t outputs, channels, taps;
  bool transposed;
};

// out[t][c][o] = W[o][c][t] + plus[o][c][t]. A thread a number.
struct PackParams {
  PublishedWeight weight;
  Span<const float> plus;  // as the weight's values, or absent
  Span<float> out;
};

// The orders of TensorConvParams::weight (one band, grains of 1) and of GroupConvParams::weight (grains of 8), in bf16: for each phase, band of outputs
// and unit a block [depth / grain][band][grain]. Units are `depth` channels of a tap: the sources' steps, tap by tap, then those of the skips, whose
// kernel is 1x1. Of four phases each sums those taps that fall on one pixel of the map before doubling. What is beyond the channels or outputs is zero.
struct TensorPackParams {
  PublishedWeight weight;
  PublishedWeight skip;  // no channels: absent
  Span<Bf16> out;
  std::int32_t kernel, side;  // of the weight, of what is applied
  std::int32_t phases, bands, units, depth, band, grain;
};
inline constexpr int kPackThreads = 256;

}  // namespace diffcert
