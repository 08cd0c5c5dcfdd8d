// From residuals to votes: parameters and grid. Any architecture, float64.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// loss = sum over the levels of weight x residual, levels ascending, each product rounded before it is added, levels of weight 0 left out; vote = the class of
// the least loss, the lowest among equals, or -1 where the sample is not certain or a loss is not finite. A block a (sample, tau): thread t takes
// classes t, t + kVoteThreads, ...
// 8 bytes read for two operations: bound by memory, at 10 classes and 124 levels 10 KB a vote, after 1,240 calls of a network.
struct VoteParams {
  Span<const double> residuals;      // [samples][classes][levels][taus]
  Span<const double> weights;        // [taus][levels]
  Span<const std::uint8_t> certain;  // [samples]
  Span<std::int32_t> votes;          // [taus][samples]
  Span<double> losses;               // [taus][samples][classes], NaN where not finite
  std::int32_t samples, classes, levels, taus;
};
inline constexpr int kVoteThreads = 64;
inline constexpr int kVoteShared = kVoteThreads * (8 + 4);

static_assert((kVoteThreads & (kVoteThreads - 1)) == 0, "the threads' best are compared in halves");
static_assert(kVoteThreads * 4 % 16 == 0, "two arrays of shared memory, each on 16 bytes");

}  // namespace diffcert
