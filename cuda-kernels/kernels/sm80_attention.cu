// Attention on tensor cores, for sm_80 and later, in the flash form: no score ever leaves a block.
//
// For 64 queries of a head the keys and values pass by in tiles; scores are products of bf16 summed in float32, the softmax is float32 and is kept
// up as keys come (a running maximum, a running sum, the output so far scaled to it), its weights are rounded to bf16 for the second product.
// Intensity: tokens / 2 FLOP a byte of q, k, v and output: 128 at 16x16, 512 at 32x32; the ridge of an A100 is 200, so that only 8x8 maps are
// bound by memory. Keys of the next tile travel while values of this one are multiplied, and the other way round, so one buffer of each
// is enough: 68 KB a block at 256 channels, 28 KB at 64. Accumulators are channels / 2 registers a thread, which is why 256 is the limit.
#include "kernels/flash.cuh"

namespace diffcert {
namespace {

template <int depth>
DC_DEVICE void attend(const AttentionParams& p) {
  constexpr int keys = flash_keys(depth), stride = flash_stride(depth);
  SharedPool pool;
  const Shared<Bf16> queries = pool.take<Bf16>("queries", kFlashQueries * stride);
  const Shared<Bf16> key_tile = pool.take<Bf16>("keys", keys * stride), value_tile = pool.take<Bf16>("values", keys * stride);
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int first_query = static_cast<int>(blockIdx.x) * kFlashQueries, deep = p.channels / p.heads;
  const int column = static_cast<int>(blockIdx.y) * deep;
  const std::int64_t size = std::int64_t{1} * p.tokens * p.channels;
  const HeadRows head{HalfIn(p.in).part(blockIdx.z * 3 * size, 3 * size).half, 3 * p.channels, p.tokens, deep};
  const float slope = p.scale * kLog2E;

  copy_rows<depth, kFlashQueries>(queries, head, column, first_query);
  copy_rows<depth, keys>(key_tile, head, column + p.channels, 0);
  copy_rows<depth, keys>(value_tile, head, column + 2 * p.channels, 0);
  float out[depth / 8][4] = {}, top[2] = {kMasked, kMasked}, sum[2] = {};
  for (int first = 0; first < p.tokens; first += keys) {
    copy_wait<1>();
    sync_block();  // queries and keys are there
    float scores[keys / 8][4] = {}, fade[2];
    multiply_rows<depth, keys>(scores, queries, 16 * warp, key_tile, lane);
    sync_block();  // the keys have been read
    if (first + keys < p.tokens) copy_rows<depth, keys>(key_tile, head, column + p.channels, first + keys);
    else copy_commit();  // an empty group keeps the count

    mask_tail<keys>(scores, first, p.tokens, lane);
    soften<keys>(scores, top, sum, fade, slope);
#pragma unroll
    for (int n = 0; n < depth / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) out[n][i] = out[n][i] * fade[i / 2];
    }

    copy_wait<1>();
    sync_block();  // the values are there
    weigh_rows<depth, keys>(out, scores, value_tile, lane);
    sync_block();  // the values have been read
    if (first + keys < p.tokens) copy_rows<depth, keys>(value_tile, head, column + 2 * p.channels, first + keys);
    else copy_commit();
  }

  const float share[2] = {1.0f / sum_of_quad(sum[0]), 1.0f / sum_of_quad(sum[1])};
  store_rows<depth>(HalfOut(p.out).part(blockIdx.z * size, size), out, share, first_query + 16 * warp, p.tokens, p.channels, column, deep, lane);
}

}  // namespace

DC_KERNEL_RESIDENT(tensor_attention_64, AttentionParams, kFlashThreads, 3) { attend<64>(p); }
DC_KERNEL(tensor_attention_128, AttentionParams, kFlashThreads) { attend<128>(p); }
DC_KERNEL(tensor_attention_256, AttentionParams, kFlashThreads) { attend<256>(p); }

}  // namespace diffcert
