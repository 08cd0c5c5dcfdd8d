// Attention on tensor cores, for sm_80 and later, in the flash form: no score ever leaves a block.
//
// For 64 queries of a head the keys and values pass by in tiles; scores are products of bf16 summed in float32, the softmax is float32 and is kept
// up as keys come (a running maximum, a running sum, the output so far scaled to it), its weights are rounded to bf16 for the second product.
// Intensity: tokens / 2 FLOP a byte of q, k, v and output: 128 at 16x16, 512 at 32x32; the ridge of an A100 is 200, so that only 8x8 maps are
// bound by memory. Keys of the next tile travel while values of this one are multiplied, and the other way round, so one buffer of each
// is enough: 68 KB a block at 256 channels, 28 KB at 64. Accumulators are channels / 2 registers a thread, which is why 256 is the limit.
#include "kernels/fragments.cuh"
#include "kernels/ptx.cuh"
#include "kernels/sm80_attention.hpp"

namespace diffcert {
namespace {

constexpr float kMasked = -3.0e38f, kLog2E = 1.44269504f;

// One head of one sample: [tokens] rows of 3 x channels, of which `deep` are read.
struct Head {
  Global<const Bf16> in;
  std::int64_t stride;
  int tokens, deep;
};

// Rows `first` and on, from column `column`, on their way to shared memory; zeros beyond the last token and channel.
template <int depth, int rows>
DC_DEVICE void copy_rows(const Shared<Bf16>& to, const Head& head, std::int64_t column, int first) {
  constexpr int chunks = depth / 8;
#pragma unroll
  for (int i = 0; i < rows * chunks / kFlashThreads; ++i) {
    const int chunk = static_cast<int>(threadIdx.x) + i * kFlashThreads, row = chunk / chunks, c = chunk % chunks * 8;
    const bool there = first + row < head.tokens && c < head.deep;
    copy_async(to, row * flash_stride(depth) + c, head.in, there ? (first + row) * head.stride + column + c : 0, there);
  }
  copy_commit();
}

// The largest of a row, which lies in four lanes.
DC_DEVICE float over_quad(float v) {
#pragma unroll
  for (int by = 1; by <= 2; by *= 2) {
    const float other = shuffle_xor(v, by);
    v = other > v ? other : v;
  }
  return v;
}

template <int depth>
DC_DEVICE void attend(const AttentionParams& p) {
  constexpr int keys = flash_keys(depth), stride = flash_stride(depth);
  SharedPool pool;
  const Shared<Bf16> queries = pool.take<Bf16>("queries", kFlashQueries * stride);
  const Shared<Bf16> key_tile = pool.take<Bf16>("keys", keys * stride), value_tile = pool.take<Bf16>("values", keys * stride);
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int first_query = static_cast<int>(blockIdx.x) * kFlashQueries, deep = p.channels / p.heads;
  const std::int64_t column = std::int64_t{1} * blockIdx.y * deep, size = std::int64_t{1} * p.tokens * p.channels;
  const Head head{HalfIn(p.in).part(blockIdx.z * 3 * size, 3 * size).half, std::int64_t{3} * p.channels, p.tokens, deep};
  const float slope = p.scale * kLog2E;

  copy_rows<depth, kFlashQueries>(queries, head, column, first_query);
  copy_rows<depth, keys>(key_tile, head, column + p.channels, 0);
  copy_rows<depth, keys>(value_tile, head, column + 2 * p.channels, 0);
  // This lane's rows of the warp's 16 queries are lane / 4 and that + 8.
  float out[depth / 8][4] = {}, top[2] = {kMasked, kMasked}, sum[2] = {};
  for (int first = 0; first < p.tokens; first += keys) {
    copy_wait<1>();
    sync_block();  // queries and keys are there
    float scores[keys / 8][4] = {};
#pragma unroll
    for (int c = 0; c < depth; c += 16) {
      std::uint32_t a[4];
      load_matrix(a, queries, (16 * warp + lane % 16) * stride + c + lane / 16 * 8);
#pragma unroll
      for (int n = 0; n < keys / 8; n += 2) {
        std::uint32_t b[4];
        load_matrix(b, key_tile, (n * 8 + lane / 16 * 8 + lane % 8) * stride + c + lane / 8 % 2 * 8);
        multiply_bf16(scores[n], a, b[0], b[1]);
        multiply_bf16(scores[n + 1], a, b[2], b[3]);
      }
    }
    sync_block();  // the keys have been read
    if (first + keys < p.tokens) copy_rows<depth, keys>(key_tile, head, column + p.channels, first + keys);
    else copy_commit();  // an empty group keeps the count

    float most[2] = {top[0], top[1]};
#pragma unroll
    for (int n = 0; n < keys / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        if (first + n * 8 + lane % 4 * 2 + i % 2 >= p.tokens) scores[n][i] = kMasked;
        most[i / 2] = scores[n][i] > most[i / 2] ? scores[n][i] : most[i / 2];
      }
    }
    float fade[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      most[r] = over_quad(most[r]);
      fade[r] = quick_exp2((top[r] - most[r]) * slope);
      top[r] = most[r];
      sum[r] = sum[r] * fade[r];
    }
#pragma unroll
    for (int n = 0; n < keys / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        scores[n][i] = quick_exp2((scores[n][i] - top[i / 2]) * slope);
        sum[i / 2] = sum[i / 2] + scores[n][i];
      }
    }
#pragma unroll
    for (int n = 0; n < depth / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) out[n][i] = out[n][i] * fade[i / 2];
    }

    copy_wait<1>();
    sync_block();  // the values are there
#pragma unroll
    for (int k = 0; k < keys; k += 16) {
      const auto& low = scores[k / 8];
      const auto& high = scores[k / 8 + 1];
      const std::uint32_t a[4] = {pack(low[0], low[1]), pack(low[2], low[3]), pack(high[0], high[1]), pack(high[2], high[3])};
#pragma unroll
      for (int n = 0; n < depth / 8; n += 2) {
        std::uint32_t b[4];
        load_matrix_transposed(b, value_tile, (k + lane % 16) * stride + n * 8 + lane / 16 * 8);
        multiply_bf16(out[n], a, b[0], b[1]);
        multiply_bf16(out[n + 1], a, b[2], b[3]);
      }
    }
    sync_block();  // the values have been read
    if (first + keys < p.tokens) copy_rows<depth, keys>(value_tile, head, column + 2 * p.channels, first + keys);
    else copy_commit();
  }

  const HalfOut result = HalfOut(p.out).part(blockIdx.z * size, size);
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float whole = sum[r];
#pragma unroll
    for (int by = 1; by <= 2; by *= 2) whole = whole + shuffle_xor(whole, by);
    const float share = 1.0f / whole;
    const int token = first_query + 16 * warp + lane / 4 + 8 * r;
#pragma unroll
    for (int n = 0; n < depth / 8; n += 4) {
      float pair[4][2];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
#pragma unroll
        for (int i = 0; i < 2; ++i) pair[j][i] = out[n + j][2 * r + i] * share;
      }
      const Eight channels = turned(pair, lane);
      const int c = (n + lane % 4) * 8;
      if (token < p.tokens && c < deep) result.put(std::int64_t{1} * token * p.channels + column + c, channels);
    }
  }
}

}  // namespace

DC_KERNEL_RESIDENT(tensor_attention_64, AttentionParams, kFlashThreads, 3) { attend<64>(p); }
DC_KERNEL(tensor_attention_128, AttentionParams, kFlashThreads) { attend<128>(p); }
DC_KERNEL(tensor_attention_256, AttentionParams, kFlashThreads) { attend<256>(p); }

}  // namespace diffcert
