// Adam on the device: parameters and grid. Any architecture.
#pragma once

#include "kernels/span.hpp"
#include "ops/adam.hpp"

namespace diffcert {

// One step (ops/adam.hpp) of a weight [outputs][channels][taps], whose gradient is scale * sums.
struct AdamParams {
  Span<float> state[kTrainTensors];  // by TrainTensor
  Span<const float> sums;            // [taps][channels][outputs]; absent: no gradient
  AdamStep step;
  std::int32_t outputs, channels, taps;
  float scale;
};
inline constexpr int kAdamThreads = 256;

}  // namespace diffcert
