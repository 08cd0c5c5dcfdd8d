// Weights of convolutions in the orders that kernels want.
#pragma once

#include "cuda/step.hpp"

namespace diffcert::cuda {

// The weight as the op applies it, [out][in][taps]: as published, or turned round and flipped.
std::vector<float> weight_of(const ConvOp& op, const Builder& builder);

// [out][in][taps] as [taps][in][out].
std::vector<float> outputs_last(const std::vector<float>& weight, std::int64_t out, std::int64_t in, std::int64_t taps);

// The orders of TensorConvParams::weight and of GroupConvParams::weight; side: of the kernel that is applied, up2 done.
std::vector<Bf16> tensor_packed(const ConvOp& op, int side, const Builder& builder);
std::vector<Bf16> group_packed(const ConvOp& op, int side, const Builder& builder);

}  // namespace diffcert::cuda
