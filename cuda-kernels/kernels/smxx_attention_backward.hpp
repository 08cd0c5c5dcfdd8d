// Attention backwards in float32: parameters and grids. Any architecture; the softmax's weights are computed again.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// With s = q k^T, P = exp(scale (s - max)) / sum, dP = dO V^T, D = sum of P dP over keys: dS = scale (P (dP - D)), dQ = dS K, dK = dS^T Q, dV = P^T dO.
// attention_queries: a warp takes a query, makes dQ and leaves max, 1 / sum and D of its row. attention_keys: a warp takes a key, makes dK and dV.
// Dots run over channels, the products over keys or queries, ascending; sums over a row's keys as smxx_attention has them.
struct AttentionBackwardParams {
  FeatureSpan in;        // n x [tokens][3 * channels]: q, k, v
  FeatureSpan gradient;  // n x [tokens][channels]
  FeatureSpan out;       // n x [tokens][3 * channels]: of q, k, v
  Span<float> rows;      // n x [heads][3][tokens]: max, 1 / sum, D; on tensor cores max + log(sum) / scale, D
  std::int32_t tokens, channels, heads;
  float scale;           // 1 / sqrt(channels / heads)
};
inline constexpr int kBackWarps = 4, kBackThreads = 32 * kBackWarps;
inline std::int64_t attention_backward_shared(const AttentionBackwardParams& p) {
  const std::int64_t vector = (p.channels / p.heads * 4 + 15) / 16 * 16, row = (std::int64_t{1} * p.tokens * 4 + 15) / 16 * 16;
  return kBackWarps * (2 * vector + 2 * row);
}

}  // namespace diffcert
