// The backward direction of a plan, as a pass from plan to plan: the forward ops, then the ops that carry a cotangent of the output
// back to the inputs and to the weights.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/ops.hpp"

namespace diffcert {

struct BackwardOptions {
  bool parameters = false;       // the weights' gradients, too
  // Blocks of the plan whose insides are computed again when the backward direction comes to them, rather than kept; by number.
  std::vector<bool> recompute;
};

// Appends the backward direction for cotangents of `output`. Returns the gradients of `inputs`, in their order; kNone where nothing
// comes back. Leaves the buffers to be placed, and sets none of the plan's own inputs and outputs.
std::vector<BufferId> append_backward(Plan& plan, const Feature& output, BufferId cotangent, const std::vector<BufferId>& inputs,
                                      const BackwardOptions& options);

// The plan with its backward direction, from plan.cotangent to plan.gradient and, where asked, to the weights. Of the blocks whose insides
// take most, as many are recomputed as it needs for the arena to have at most `elements` a sample (0: none); all where that does not do.
Plan differentiate(const Plan& forward, bool parameters, std::int64_t elements);

}  // namespace diffcert
