// The fused convolution on tensor cores (ldmatrix, mma.sync, cp.async; sm_80 and later): bf16 features and products, float32 sums:
// parameters and grid.
#pragma once

#include "kernels/bf16.cuh"
#include "kernels/smxx_conv.hpp"

namespace diffcert {

// A block makes a tile of 16 x 8 pixels by 64, 128 or 192 channels, in steps of 32 input channels: the halo of a step is loaded, normed, activated and
// rounded once, and the taps are shifted views of it. On maps of at most 8 rows a tile is two samples of 8 x 8 pixels. Warps: 4 along
// pixels (4 rows each), one for every 64 channels, 32 x 64 each.
inline constexpr int kTensorRows = 16, kTensorColumns = 8, kTensorDepth = 32;
// Shared rows are padded so that the eight rows of an ldmatrix lie in different banks.
inline constexpr int kTensorStride = kTensorDepth + 8, kTensorStages = 3;
// Pixels: 18 x 10, or two of 10 x 10; a step of one tap needs no border, and two such steps take turns.
inline constexpr int kTensorTile = kTensorRows * kTensorColumns, kTensorHalo = 2 * kTensorTile;
// Channels of a tile for a layer of so many: narrow layers waste none, and 192's multiples (ADM) no half tile. The order of no sum depends on it.
constexpr int tensor_outputs(int channels) { return channels <= 64 ? 64 : channels % 192 == 0 && channels % 128 != 0 ? 192 : 128; }
DC_BOTH constexpr int tensor_threads(int outputs) { return 2 * outputs; }
DC_BOTH constexpr int tensor_weight_stride(int outputs) { return outputs + 8; }
constexpr int tensor_shared(int outputs) { return 2 * (kTensorHalo * kTensorStride + kTensorStages * kTensorDepth * tensor_weight_stride(outputs)); }

// The sum's order: steps of 32 channels of the sources, within a step the taps, then steps of the skips; a step is two mma.
//
// up2 is done in its sub-pixel form: output (2 y + i, 2 x + j) is a convolution of the small map with `side` x `side` taps of its own, the sums of
// those that fall on one input pixel. Each of the four phases (i, j) is a set of blocks; tiles, and height and width below, are the small map's.
struct TensorConvParams {
  ConvParams conv;  // weight and skip_weight unused; every feature bf16, every channel count a multiple of 8; not down2
  // [phase][step][tap][32][outputs rounded up to whole tiles], zeros where there is no channel or output; the skips' steps (one tap) follow the sources'.
  Span<const Bf16> weight;
  Span<float> partials;  // n x [phase * tiles + tile][2][out_channels]: mean and M2 of what a tile stored (smxx_norm, combine); or absent
  std::int32_t steps, skip_steps, side, height, width, samples, images;  // images: samples a block, 1 or 2
};

constexpr std::int32_t tensor_steps(std::int32_t channels) { return (channels + kTensorDepth - 1) / kTensorDepth; }
DC_BOTH constexpr std::int64_t tensor_width(std::int32_t channels, int outputs) { return (std::int64_t{1} * channels + outputs - 1) / outputs * outputs; }

}  // namespace diffcert
