// One step of Adam (Kingma and Ba 2015, bias-corrected) and of the average, for one number: in double, stored as float. The same source for the host and
// for GPUs, in operations of IEEE alone, so that they move a weight to the same bits.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/philox.hpp"

namespace diffcert {

// What training keeps of every number of a weight.
enum class TrainTensor : std::uint8_t { weight, first_moment, second_moment, average };
inline constexpr int kTrainTensors = 4;

inline constexpr double kLargestGradient = 1e5;  // of what is not finite

// What a step's numbers have in common: rate, decays of the moments and their corrections, the share that the average keeps.
struct AdamStep {
  double rate, beta_1, beta_2, correct_1, correct_2, epsilon, keep;
};

// state: by TrainTensor. A gradient that is no number counts as 0, an infinite one as kLargestGradient of its sign.
DIFFCERT_BOTH void adam(const AdamStep& by, double g, float state[kTrainTensors]) {
  if (!(g - g == 0)) g = g > 0 ? kLargestGradient : g < 0 ? -kLargestGradient : 0;
  const double first = by.beta_1 * static_cast<double>(state[1]) + (1 - by.beta_1) * g;
  const double second = by.beta_2 * static_cast<double>(state[2]) + (1 - by.beta_2) * g * g;
  const double moved = static_cast<double>(state[0]) - by.rate * (first / by.correct_1) / (sqrt(second / by.correct_2) + by.epsilon);
  state[0] = static_cast<float>(moved);
  state[1] = static_cast<float>(first);
  state[2] = static_cast<float>(second);
  state[3] = static_cast<float>(moved + by.keep * (static_cast<double>(state[3]) - moved));
}

}  // namespace diffcert
