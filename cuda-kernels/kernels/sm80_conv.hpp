// The fused convolution on tensor cores (ldmatrix, mma.sync, cp.async; sm_80 and later): bf16 products, float32 sums: parameters and grid.
#pragma once

#include "kernels/bf16.cuh"
#include "kernels/smxx_conv.hpp"

namespace diffcert {

// A block makes a tile of 16 x 8 pixels by 128 channels of one sample, in steps of 32 input channels: the halo of a step is loaded, normed,
// activated and rounded once, and the taps are shifted views of it. Eight warps, 4 along pixels by 2 along channels, 32 x 64 each.
inline constexpr int kTensorRows = 16, kTensorColumns = 8, kTensorOutputs = 128, kTensorDepth = 32, kTensorThreads = 256;
// Shared rows are padded so that the eight rows of an ldmatrix lie in different banks.
inline constexpr int kTensorStride = kTensorDepth + 8, kTensorWeightStride = kTensorOutputs + 8, kTensorStages = 3;
inline constexpr int kTensorHalo = (kTensorRows + 2) * (kTensorColumns + 2);
inline constexpr int kTensorShared = 2 * (kTensorHalo * kTensorStride + kTensorStages * kTensorDepth * kTensorWeightStride);

// The sum's order: steps of 32 channels of the sources, within a step the taps, then steps of the skips; a step is an mma.
struct TensorConvParams {
  ConvParams conv;  // weight and skip_weight unused
  // [step][tap][32][outputs rounded up to 128], zeros where there is no channel or output; the skips' steps (one tap) follow the sources'.
  Span<const Bf16> weight;
  std::int32_t steps, skip_steps;
};

constexpr std::int32_t tensor_steps(std::int32_t channels) { return (channels + kTensorDepth - 1) / kTensorDepth; }
DC_BOTH constexpr std::int64_t tensor_width(std::int32_t outputs) {
  return (std::int64_t{1} * outputs + kTensorOutputs - 1) / kTensorOutputs * kTensorOutputs;
}

}  // namespace diffcert
