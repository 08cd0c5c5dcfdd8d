// The fused convolution of Hopper (wgmma, bulk copies; sm_90a): bf16 features and products, float32 sums: parameters and grid.
#pragma once

#include "kernels/bf16.cuh"
#include "kernels/smxx_conv.hpp"

namespace diffcert {

// A block makes 256 pixels by 128 channels, in steps of 64 input channels. The pixels are four patches of 8 x 8, which a product of a warpgroup takes one of:
// a square of 16 x 16 of one sample, or, where the map is not a multiple of that, four patches wherever they lie, of four samples if need be.
// Three warpgroups: one brings (three warps the halo, one the weights), two multiply, two patches each.
inline constexpr int kGroupThreads = 384, kGroupPatches = 4, kGroupPatch = 8, kGroupOutputs = 128, kGroupDepth = 64;
// The halo in shared memory is planes of eight channels, [c / 8][pixel][8], in two stages; 18 x 18 pixels or four times 10 x 10. An odd number of pixels a
// plane puts the eight planes of a pixel, which eight lanes store together, in different banks.
inline constexpr int kGroupPixels = 4 * 10 * 10, kGroupPlane = kGroupPixels + 1, kGroupHalos = 2;
inline constexpr int kGroupHalo = kGroupDepth / 8 * kGroupPlane * 8, kGroupWeights = kGroupDepth * kGroupOutputs, kGroupStages = 6;
// Halo, weights, statistics of two warpgroups' warps, where the halo's pixels lie (for sources and skips), two barriers a stage.
inline constexpr int kGroupShared = 2 * (kGroupHalos * kGroupHalo + kGroupStages * kGroupWeights) + 2 * 4 * kGroupOutputs * 8 + 2 * kGroupPixels * 4 +
                                    2 * 8 * (kGroupHalos + kGroupStages);

// The sum's order: steps of 64 channels of the sources, within a step the taps, then steps of the skips; a step is four products of depth 16. up2 is done
// in its sub-pixel form, as in sm80_conv.
struct GroupConvParams {
  ConvParams conv;  // weight and skip_weight unused; every feature bf16, every channel count a multiple of 8; not down2
  // [phase][outputs / 128][step][tap][64 / 8][128][8], zeros where there is no channel or output; the skips' steps (one tap) follow the sources': what a
  // step's tap takes is 16 KiB in one piece, as the matrix unit reads it.
  Span<const Bf16> weight;
  Span<float> partials;  // n x [phase * patches + patch][2][out_channels]: mean and M2 of what a patch stored (smxx_norm, combine); or absent
  std::int32_t steps, skip_steps, side, height, width, samples;
  bool square;  // tiles are squares of one sample
};

constexpr std::int32_t group_steps(std::int32_t channels) { return (channels + kGroupDepth - 1) / kGroupDepth; }
DC_BOTH constexpr std::int32_t group_bands(std::int32_t outputs) { return (outputs + kGroupOutputs - 1) / kGroupOutputs; }

}  // namespace diffcert
