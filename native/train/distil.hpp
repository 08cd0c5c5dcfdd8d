// Distillation: which heads of a multi-head network an image teaches (docs/spec/training.md).
#pragma once

#include <cstdint>
#include <vector>

#include "core/noise.hpp"
#include "unet/network.hpp"

namespace diffcert {

struct HeadShare {
  std::int32_t head;
  double weight;
};

// The heads that an image teaches: that of its label with weight 1/2, and count - 1 of the others, drawn without replacement by the image's keys, with
// weights that sum to 1/2. So the expectation is half the own head's loss and half the mean of the others', whatever the count; the own head's alone where
// the count is 1. Votes compare every class with the true one: its error is in all of those differences, another's in one.
std::vector<HeadShare> choose_heads(const NetworkConfig& student, const NoiseKey& image, std::int32_t label, std::int32_t count);

// Throws DC_BAD_ARGUMENT where a student cannot learn from a teacher, or not so many heads an image.
void check_teacher(const Network& teacher, const NetworkConfig& student, std::int32_t heads);

}  // namespace diffcert
