// The gradient of a convolution's weight on tensor cores: parameters and grid. sm_80 and later, bf16.
#pragma once

#include "kernels/smxx_learn.hpp"

namespace diffcert {

// As ConvGradientParams, whose struct it takes, with map and gradient in bf16 and channels and outputs in multiples of 8; a row's share is a sum of
// mma of 16 pixels, ascending, in float32. A block makes kTensorLearnInputs (tap, channel) x kTensorLearnOutputs outputs in steps of kTensorLearnDepth
// pixels, eight warps 32 x 32 of it each.
inline constexpr int kTensorLearnInputs = 128, kTensorLearnOutputs = 64, kTensorLearnDepth = 32, kTensorLearnStages = 3, kTensorLearnThreads = 256;
// Of one pixel in shared memory, in bf16; 8 more than there are, so that eight pixels lie in eight different groups of banks.
inline constexpr int kTensorLearnLeft = kTensorLearnInputs + 8, kTensorLearnRight = kTensorLearnOutputs + 8;
inline constexpr int kTensorLearnShared = kTensorLearnStages * kTensorLearnDepth * (kTensorLearnLeft + kTensorLearnRight) * 2;

}  // namespace diffcert
