// Adam and the average of the weights: some 20 operations in double a number, with two divisions and a root, over 36 bytes that are read or written once; bound
// by memory where double is a half of float's speed, by arithmetic elsewhere. Either is small beside a step's convolutions: 36 bytes a weight against
// 6 operations a weight, row and pixel.
#include "kernels/device.cuh"

#include "kernels/smxx_adam.hpp"

namespace diffcert {

DC_KERNEL(adam_step, AdamParams, kAdamThreads) {
  const std::int64_t i = std::int64_t{1} * blockIdx.x * kAdamThreads + threadIdx.x;
  if (i >= std::int64_t{1} * p.outputs * p.channels * p.taps) return;
  const Global<const float> sums(p.sums);
  double g = 0;
  if (sums) {
    const std::int64_t o = i / p.taps / p.channels, c = i / p.taps % p.channels, t = i % p.taps;
    g = static_cast<double>(p.scale) * static_cast<double>(sums[(t * p.channels + c) * p.outputs + o]);
  }
  float state[kTrainTensors];
#pragma unroll
  for (int k = 0; k < kTrainTensors; ++k) state[k] = Global<float>(p.state[k])[i];
  adam(p.step, g, state);
#pragma unroll
  for (int k = 0; k < kTrainTensors; ++k) Global<float>(p.state[k])[i] = state[k];
}

}  // namespace diffcert
