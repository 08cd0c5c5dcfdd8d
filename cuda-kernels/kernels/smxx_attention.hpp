// Attention with a float32 softmax: parameters and grids. Any architecture, float32.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// A warp takes one query of one head: scores over channels ascending, softmax, then the values over keys ascending.
struct AttentionParams {
  FeatureSpan in;   // n x [tokens][3 * channels]: q, k, v
  FeatureSpan out;  // n x [tokens][channels]
  std::int32_t tokens, channels, heads;
  float scale;      // 1 / sqrt(channels / heads)
};
inline constexpr int kAttentionWarps = 4, kAttentionThreads = 32 * kAttentionWarps;
inline std::int64_t attention_shared(const AttentionParams& p) {
  const std::int64_t query = (p.channels / p.heads * 4 + 15) / 16 * 16, scores = (std::int64_t{1} * p.tokens * 4 + 15) / 16 * 16;
  return kAttentionWarps * (query + scores);
}

}  // namespace diffcert
