// A plan in two parts: what depends on the noise level and the label alone, and the rest.
//
// The first part is the same for every row of a (noise level, class), so that a device may compute it once and hand it to rows (embedding and affine
// tables). What belongs to it follows from the ops' operands, whatever the architecture.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/ops.hpp"

namespace diffcert {

struct SplitPlan {
  std::vector<std::uint8_t> of_table;  // for each op of the plan: whether it is of the first part
  std::vector<BufferId> handed;        // written by the first part, read by the rest
  // The parts, with the plan's numbers of buffers and weights, each placed in an arena of its own. table: noise_label and label in, `handed` alive to
  // the end; no image, no output. rows: image and `handed` in; no noise_label, no label.
  Plan table, rows;
};

SplitPlan split_plan(const Plan& plan);

}  // namespace diffcert
