// Attention, one warp a query: the portable float32 form, held to be right on every architecture.
#include "kernels/device.cuh"
#include "kernels/feature.cuh"
#include "kernels/math.cuh"
#include "kernels/smxx_attention.hpp"

namespace diffcert {

DC_KERNEL(attention, AttentionParams, kAttentionThreads) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int deep = p.channels / p.heads;
  SharedPool pool;
  // Every warp takes all the arrays, and uses its own.
  Shared<float> query = pool.take<float>("query", deep), scores = pool.take<float>("scores", p.tokens);
  for (int w = 1; w <= warp; ++w) {
    query = pool.take<float>("query", deep);
    scores = pool.take<float>("scores", p.tokens);
  }
  const int token = static_cast<int>(blockIdx.x) * kAttentionWarps + warp;
  if (token >= p.tokens) return;  // whole warps: no lane is missed below
  const std::int64_t size = std::int64_t{1} * p.tokens * p.channels;
  const int head = static_cast<int>(blockIdx.y) * deep, stride = 3 * p.channels;
  const FeatureIn in = FeatureIn(p.in).part(blockIdx.z * 3 * size, 3 * size);
  const FeatureOut out = FeatureOut(p.out).part(blockIdx.z * size, size);

  for (int c = lane; c < deep; c += 32) query[c] = in[std::int64_t{1} * token * stride + head + c];
  sync_warp();
  float top = -3.0e38f;
  for (int key = lane; key < p.tokens; key += 32) {
    const FeatureIn k = in.part(std::int64_t{1} * key * stride + p.channels + head, deep);
    float dot = 0;
    for (int c = 0; c < deep; ++c) dot = fma(query[c], k[c], dot);
    scores[key] = dot;
    top = dot > top ? dot : top;
  }
#pragma unroll
  for (int by = 16; by > 0; by /= 2) {
    const float other = shuffle_xor(top, by);
    top = other > top ? other : top;
  }
  float sum = 0;
  for (int key = lane; key < p.tokens; key += 32) {
    const float x = p.scale * (scores[key] - top);
    const float e = fma(0.0f, x, exponential(x));  // adds 0, or shows a NaN
    scores[key] = e;
    sum = sum + e;
  }
  // a + b = b + a: every lane gets the same bits.
#pragma unroll
  for (int by = 16; by > 0; by /= 2) sum = sum + shuffle_xor(sum, by);
  const float share = 1.0f / sum;
  sync_warp();
  for (int c = lane; c < deep; c += 32) {
    float v = 0;
    for (int key = 0; key < p.tokens; ++key) {
      v = fma(scores[key] * share, in[std::int64_t{1} * key * stride + 2 * p.channels + head + c], v);
    }
    out.put(std::int64_t{1} * token * p.channels + head + c, v);
  }
}

}  // namespace diffcert
