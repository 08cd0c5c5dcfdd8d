// Noise level embedding and linear maps: parameters and grids. Any architecture, float32.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// out[sample][i] = cos or sin of label[sample] * freqs[i mod channels/2], in double, rounded once. Frequencies are given, or are 2 pi times a weight.
// One block a sample.
struct EmbedParams {
  Span<const float> noise_label;
  Span<const double> freqs;  // [channels / 2], one of the two is absent
  Span<const float> turns;   // [channels / 2]
  Span<float> out;           // n x [channels]
  std::int32_t channels;
  bool swap_halves;
};
inline constexpr int kEmbedThreads = 128;

// out = act(W (in_scale * in) + bias + addend): one chain of fma over the inputs, ascending. A block makes kLinearThreads outputs of
// kLinearRows samples.
struct LinearParams {
  Span<const float> in;      // n x [in_features]
  Span<const float> weight;  // [in_features][out_features]
  Span<const float> bias;    // [out_features] or absent
  Span<const float> addend;  // n x [out_features] or absent
  Span<float> out;           // n x [out_features]
  std::int32_t n, in_features, out_features;
  float in_scale;
  bool silu;
};
inline constexpr int kLinearThreads = 128, kLinearRows = 4, kLinearChunk = 32;
inline constexpr int kLinearShared = kLinearRows * kLinearChunk * 4;

}  // namespace diffcert
