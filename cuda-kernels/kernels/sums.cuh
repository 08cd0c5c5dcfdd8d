// Sums a channel, in an order of their own: a block has kStatsChannels channels, kStatsRows threads to each.
#pragma once

#include "kernels/device.cuh"
#include "kernels/smxx_norm.hpp"

namespace diffcert {

// The sum of one value a thread over the rows of a channel, rows ascending; every row gets it.
DC_DEVICE float over_rows(const Shared<float>& partial, int row, int lane, float value) {
  partial[row * kStatsChannels + lane] = value;
  sync_block();
  float sum = partial[lane];
#pragma unroll
  for (int r = 1; r < kStatsRows; ++r) sum = sum + partial[r * kStatsChannels + lane];
  sync_block();
  return sum;
}

}  // namespace diffcert
