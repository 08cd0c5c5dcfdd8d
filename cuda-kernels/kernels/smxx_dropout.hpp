// Dropout of features: parameters and grid. Any architecture.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// DropoutOp: out = load(in), each number set to zero where its draw is below `rate`, else times `scale`. A thread makes the eight numbers that one
// Philox block decides (ops/dropout.hpp), in one access where a sample has a multiple of eight.
struct DropoutParams {
  FeatureSpan in;            // n x [pixels][channels]
  Span<const float> affine;  // n x [2 * channels] or absent
  Span<const float> chance;  // n x [kChanceParts]
  FeatureSpan out;           // as in
  std::int64_t size;         // numbers of a sample
  std::int32_t channels, layer, rate;
  float scale;
  bool silu;
};
inline constexpr int kDropoutThreads = 256;

}  // namespace diffcert
