// The fused convolution of Hopper (wgmma, bulk copies; sm_90a): bf16 features and products, float32 sums: parameters and grid.
#pragma once

#include "kernels/bf16.cuh"
#include "kernels/smxx_conv.hpp"

namespace diffcert {

// A block makes 256 pixels by 64, 96 or 128 channels, in steps of 64 input channels. The pixels are four patches of 8 x 8, which a product of a warpgroup takes one of:
// a square of 16 x 16 of one sample, or, where the map is not a multiple of that, four patches wherever they lie, of four samples if need be.
// Three warpgroups: one brings (three warps the halo, one the weights), two multiply, two patches each.
inline constexpr int kGroupThreads = 384, kGroupPatches = 4, kGroupPatch = 8, kGroupDepth = 64;
// The halo in shared memory is planes of eight channels, [c / 8][pixel][8], in two stages; 18 x 18 pixels or four times 10 x 10. An odd number of pixels a
// plane puts the eight planes of a pixel, which eight lanes store together, in different banks.
inline constexpr int kGroupPixels = 4 * 10 * 10, kGroupPlane = kGroupPixels + 1, kGroupHalos = 2;
inline constexpr int kGroupHalo = kGroupDepth / 8 * kGroupPlane * 8, kGroupStages = 6;
// Channels of a block for a layer of so many: the tile that wastes least, of two the wider. The order of no sum depends on it.
constexpr int group_outputs(int channels) {
  return channels <= 64 ? 64 : (channels + 95) / 96 * 96 < (channels + 127) / 128 * 128 ? 96 : 128;
}
DC_BOTH constexpr int group_weights(int outputs) { return kGroupDepth * outputs; }
// Halo, weights, statistics of two warpgroups' warps, where the halo's pixels lie (for sources and skips), two barriers a stage.
constexpr int group_shared(int outputs) {
  return 2 * (kGroupHalos * kGroupHalo + kGroupStages * group_weights(outputs)) + 2 * 4 * outputs * 8 + 2 * kGroupPixels * 4 + 2 * 8 * (kGroupHalos + kGroupStages);
}

// The sum's order: steps of 64 channels of the sources, within a step the taps, then steps of the skips; a step is four products of depth 16. up2 is done
// in its sub-pixel form, as in sm80_conv.
struct GroupConvParams {
  ConvParams conv;  // weight and skip_weight unused; every feature bf16, every channel count a multiple of 8; not down2
  // [phase][tile of outputs][step][tap][64 / 8][outputs][8], zeros where there is no channel or output; the skips' steps (one tap) follow the
  // sources': what a step's tap takes is one piece (16 KiB for 128 outputs), as the matrix unit reads it.
  Span<const Bf16> weight;
  Span<float> partials;  // n x [phase * patches + patch][2][out_channels]: mean and M2 of what a patch stored (smxx_norm, combine); or absent
  std::int32_t steps, skip_steps, side, height, width, samples;
  bool square;  // tiles are squares of one sample
};

constexpr std::int32_t group_steps(std::int32_t channels) { return (channels + kGroupDepth - 1) / kGroupDepth; }
DC_BOTH constexpr std::int32_t group_bands(std::int32_t channels, int outputs) { return (channels + outputs - 1) / outputs; }

}  // namespace diffcert
