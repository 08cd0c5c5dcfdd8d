// Attention backwards, one warp a query, then one warp a key: the portable float32 form, held to be right on every architecture.
//
// Ten multiply-adds for each pair of tokens and channel, seven of them products and three scores made again; every warp reads keys and values (or
// queries and what comes back) for itself, a quarter to half a multiply-add a byte out of the first-level cache. In bf16 heads of at
// most 256 channels in eights, which is all of the published networks', take the form in tiles (sm80_attention_backward) instead.
#include "kernels/device.cuh"
#include "kernels/feature.cuh"
#include "kernels/math.cuh"
#include "kernels/smxx_attention_backward.hpp"

namespace diffcert {
namespace {

// A warp's own part of shared memory: two vectors of a head's channels, two rows over the tokens. Every warp takes all the arrays, and uses its own.
struct WarpRows {
  Shared<float> left, right, weights, slopes;

  DC_DEVICE WarpRows(SharedPool& pool, int warp, int deep, int tokens)
      : left(pool.take<float>("left", deep)), right(pool.take<float>("right", deep)), weights(pool.take<float>("weights", tokens)),
        slopes(pool.take<float>("slopes", tokens)) {
    for (int w = 1; w <= warp; ++w) {
      left = pool.take<float>("left", deep);
      right = pool.take<float>("right", deep);
      weights = pool.take<float>("weights", tokens);
      slopes = pool.take<float>("slopes", tokens);
    }
  }
};

DC_DEVICE float dot(const Shared<float>& a, const FeatureIn& b, int deep) {
  float sum = 0;
  for (int c = 0; c < deep; ++c) sum = fma(a[c], b[c], sum);
  return sum;
}

// a + b = b + a: every lane gets the same bits.
DC_DEVICE float over_lanes(float sum) {
#pragma unroll
  for (int by = 16; by > 0; by /= 2) sum = sum + shuffle_xor(sum, by);
  return sum;
}

DC_DEVICE float weight_of(float scale, float score, float top) {
  const float x = scale * (score - top);
  return fma(0.0f, x, exponential(x));  // adds 0, or shows a NaN
}

}  // namespace

DC_KERNEL(attention_queries, AttentionBackwardParams, kBackThreads) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32, deep = p.channels / p.heads;
  SharedPool pool;
  const WarpRows mine(pool, warp, deep, p.tokens);
  const int token = static_cast<int>(blockIdx.x) * kBackWarps + warp;
  if (token >= p.tokens) return;  // whole warps: no lane is missed below
  const std::int64_t size = std::int64_t{1} * p.tokens * p.channels, own = std::int64_t{1} * token;
  const int head = static_cast<int>(blockIdx.y) * deep, stride = 3 * p.channels;
  const FeatureIn in = FeatureIn(p.in).part(blockIdx.z * 3 * size, 3 * size), gradient = FeatureIn(p.gradient).part(blockIdx.z * size, size);
  const FeatureOut out = FeatureOut(p.out).part(blockIdx.z * 3 * size, 3 * size);
  const Global<float> rows = Global<float>(p.rows).part((std::int64_t{1} * blockIdx.z * p.heads + blockIdx.y) * 3 * p.tokens, 3 * p.tokens);

  for (int c = lane; c < deep; c += 32) {
    mine.left[c] = in[own * stride + head + c];
    mine.right[c] = gradient[own * p.channels + head + c];
  }
  sync_warp();
  float top = -3.0e38f;
  for (int key = lane; key < p.tokens; key += 32) {
    const float score = dot(mine.left, in.part(std::int64_t{1} * key * stride + p.channels + head, deep), deep);
    mine.weights[key] = score;
    mine.slopes[key] = dot(mine.right, in.part(std::int64_t{1} * key * stride + 2 * p.channels + head, deep), deep);
    top = score > top ? score : top;
  }
#pragma unroll
  for (int by = 16; by > 0; by /= 2) {
    const float other = shuffle_xor(top, by);
    top = other > top ? other : top;
  }
  float sum = 0;
  for (int key = lane; key < p.tokens; key += 32) {
    const float e = weight_of(p.scale, mine.weights[key], top);
    mine.weights[key] = e;
    sum = sum + e;
  }
  const float share = 1.0f / over_lanes(sum);
  float mean = 0;
  for (int key = lane; key < p.tokens; key += 32) mean = fma(mine.weights[key] * share, mine.slopes[key], mean);
  mean = over_lanes(mean);
  for (int key = lane; key < p.tokens; key += 32) mine.slopes[key] = p.scale * (mine.weights[key] * share * (mine.slopes[key] - mean));
  sync_warp();
  for (int c = lane; c < deep; c += 32) {
    float v = 0;
    for (int key = 0; key < p.tokens; ++key) v = fma(mine.slopes[key], in[std::int64_t{1} * key * stride + p.channels + head + c], v);
    out.put(own * stride + head + c, v);
  }
  if (lane == 0) {
    rows[token] = top;
    rows[p.tokens + token] = share;
    rows[2 * p.tokens + token] = mean;
  }
}

DC_KERNEL(attention_keys, AttentionBackwardParams, kBackThreads) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32, deep = p.channels / p.heads;
  SharedPool pool;
  const WarpRows mine(pool, warp, deep, p.tokens);
  const int token = static_cast<int>(blockIdx.x) * kBackWarps + warp;
  if (token >= p.tokens) return;  // whole warps
  const std::int64_t size = std::int64_t{1} * p.tokens * p.channels, own = std::int64_t{1} * token;
  const int head = static_cast<int>(blockIdx.y) * deep, stride = 3 * p.channels;
  const FeatureIn in = FeatureIn(p.in).part(blockIdx.z * 3 * size, 3 * size), gradient = FeatureIn(p.gradient).part(blockIdx.z * size, size);
  const FeatureOut out = FeatureOut(p.out).part(blockIdx.z * 3 * size, 3 * size);
  const Global<float> rows = Global<float>(p.rows).part((std::int64_t{1} * blockIdx.z * p.heads + blockIdx.y) * 3 * p.tokens, 3 * p.tokens);

  for (int c = lane; c < deep; c += 32) {
    mine.left[c] = in[own * stride + p.channels + head + c];
    mine.right[c] = in[own * stride + 2 * p.channels + head + c];
  }
  sync_warp();
  for (int query = lane; query < p.tokens; query += 32) {
    const float score = dot(mine.left, in.part(std::int64_t{1} * query * stride + head, deep), deep);
    const float slope = dot(mine.right, gradient.part(std::int64_t{1} * query * p.channels + head, deep), deep);
    const float weight = weight_of(p.scale, score, rows[query]) * rows[p.tokens + query];
    mine.weights[query] = weight;
    mine.slopes[query] = p.scale * (weight * (slope - rows[2 * p.tokens + query]));
  }
  sync_warp();
  for (int c = lane; c < deep; c += 32) {
    float by_key = 0, by_value = 0;
    for (int query = 0; query < p.tokens; ++query) {
      by_key = fma(mine.slopes[query], in[std::int64_t{1} * query * stride + head + c], by_key);
      by_value = fma(mine.weights[query], gradient[std::int64_t{1} * query * p.channels + head + c], by_value);
    }
    out.put(own * stride + p.channels + head + c, by_key);
    out.put(own * stride + 2 * p.channels + head + c, by_value);
  }
}

}  // namespace diffcert
