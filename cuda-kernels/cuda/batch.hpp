// Which batch a device is given when the choice is left to it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace diffcert::cuda {

// Every grid has the same number of blocks for each sample, so with a multiple of the multiprocessors each of them gets the same number of
// blocks from every kernel of the plan: no last wave runs on a few of them. Eight such waves (1,056 rows on 132 multiprocessors) are enough to
// hide what a launch costs; beyond that a batch only takes memory. It may take three quarters of what is free once the weights are there: the
// rest is for a second model and for others on the device. Where not one wave fits, what fits.
inline constexpr std::int64_t kWaves = 8;

inline std::int64_t choose_batch(std::int64_t free_bytes, std::int64_t sample_bytes, std::int64_t processors) {
  const std::int64_t fits = free_bytes / 4 * 3 / std::max<std::int64_t>(1, sample_bytes);
  const std::int64_t waves = std::min(kWaves, fits / std::max<std::int64_t>(1, processors));
  return waves > 0 ? waves * processors : std::max<std::int64_t>(1, std::min(fits, processors));
}

}  // namespace diffcert::cuda
