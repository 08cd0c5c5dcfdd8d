// Attention backwards on tensor cores, for sm_80 and later, in the flash form: neither scores nor weights ever leave a block.
//
// A block owns 64 rows of a head. Of its queries it makes D and the level, the score max + log(sum) / scale whose weight is 1, then dQ: keys and values
// pass by twice, since nothing of the forward direction is kept and D is needed before the first dS. Of its keys it makes dK and dV while queries and
// what comes back pass by; there sums of scores and dP begin at minus level and minus D, so that P is one exponential and dS a product of two registers.
// Nothing is added up by two blocks, so there are no atomics and the order of sums is the shape's.
// All products are bf16 summed in float32; P and dS are rounded to bf16 for their second product, as P is forwards; softmax and D are float32.
//
// The sums of dK and dV are `channels` registers a thread: both at once up to 128 channels, in a kernel each at 256, where the scores are made once more:
// ten products of tokens x tokens x channels instead of nine, against eleven if blocks of half the channels each made scores and dP.
// Intensity: nine products are 18 tokens^2 channels FLOP; what must be moved is 22 bytes a token and channel, so 0.8 tokens FLOP a byte: 210 at
// 16x16, 840 at 32x32, at and above the ridge of an A100. From the second-level cache a tile's row brings 4 bytes a channel to 64 rows and two to four
// products: 80 to 130 FLOP a byte. In shared memory every 16 bytes of a tile serve 16 rows, as forwards.
// One kind of rows travels while the other is multiplied, so one buffer of each is enough: 36, 51 and 99 KB for the queries of heads of up to 64, 128
// and 256 channels, 27, 51 and 99 KB for keys, 66 KB for the values of the widest. Registers: 127 to 156 a thread at 64 channels, three or four blocks a
// multiprocessor; at most 252. Any number of tokens; channels in multiples of 8 up to 256.
#include "kernels/flash.cuh"
#include "kernels/sm80_attention_backward.hpp"

namespace diffcert {
namespace {

constexpr int kTile = kFlashBackTile;

// What a warp works on: 16 rows of a head of a sample.
struct HeadBackwards {
  HeadRows in, gradient;
  HalfOut out;
  Global<float> levels, means;  // of each query: the score whose weight is 1; D
  int query, key, value;        // columns of `in` and `out`; `gradient` has the first
  int first, row, lane;         // of the block; of the warp in it
  float scale, slope;

  DC_DEVICE HeadBackwards(const AttentionBackwardParams& p, std::int64_t size, int deep)
      : in{HalfIn(p.in).part(blockIdx.z * 3 * size, 3 * size).half, 3 * p.channels, p.tokens, deep},
        gradient{HalfIn(p.gradient).part(blockIdx.z * size, size).half, p.channels, p.tokens, deep},
        out(HalfOut(p.out).part(blockIdx.z * 3 * size, 3 * size)),
        levels(Global<float>(p.rows).part((std::int64_t{1} * blockIdx.z * p.heads + blockIdx.y) * 3 * p.tokens, std::int64_t{3} * p.tokens)),
        means(levels.part(p.tokens, p.tokens)), query(static_cast<int>(blockIdx.y) * deep), key(query + p.channels), value(key + p.channels),
        first(static_cast<int>(blockIdx.x) * kFlashQueries), row(static_cast<int>(threadIdx.x) / 32 * 16), lane(static_cast<int>(threadIdx.x) % 32),
        scale(p.scale), slope(p.scale * kLog2E) {}
  DC_DEVICE explicit HeadBackwards(const AttentionBackwardParams& p)
      : HeadBackwards(p, std::int64_t{1} * p.tokens * p.channels, p.channels / p.heads) {}

  template <int depth>
  DC_DEVICE void store(const float (&rows)[depth / 8][4], int column, float factor) const {
    const float both[2] = {factor, factor};
    store_rows<depth>(out, rows, both, first + row, in.tokens, in.stride, column, in.deep, lane);
  }
  // Sums that begin at minus a number of their columns, a tile of queries. Beyond the last token they begin at 0, where all that is multiplied is 0.
  DC_DEVICE void begin_below(float (&sums)[kTile / 8][4], const Global<float>& numbers, int tile) const {
#pragma unroll
    for (int n = 0; n < kTile / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int token = tile + lane % 4 * 2 + n * 8 + i;
        sums[n][i] = sums[n][i + 2] = token < in.tokens ? -numbers[token] : 0.0f;
      }
    }
  }
};

template <int depth>
DC_DEVICE void back_to_queries(const AttentionBackwardParams& p) {
  constexpr int keys = flash_keys(depth), stride = flash_stride(depth);
  SharedPool pool;
  const Shared<Bf16> queries = pool.take<Bf16>("queries", kFlashQueries * stride), gradients = pool.take<Bf16>("gradients", kFlashQueries * stride);
  const Shared<Bf16> key_tile = pool.take<Bf16>("keys", keys * stride), value_tile = pool.take<Bf16>("values", keys * stride);
  const HeadBackwards head(p);
  copy_rows<depth, kFlashQueries>(queries, head.in, head.query, head.first);
  copy_rows<depth, kFlashQueries>(gradients, head.gradient, head.query, head.first);
  copy_rows<depth, keys>(value_tile, head.in, head.value, 0);
  float out[depth / 8][4] = {}, top[2] = {kMasked, kMasked}, sum[2] = {}, mean[2] = {};
  const int tiles = (p.tokens + keys - 1) / keys;
  for (int step = 0; step < 2 * tiles; ++step) {
    const bool again = step >= tiles;  // level and D are known, in top and mean
    const int first = (again ? step - tiles : step) * keys;
    copy_wait<0>();
    sync_block();  // the values are there, the keys before them have been read
    copy_rows<depth, keys>(key_tile, head.in, head.key, first);
    float slopes[keys / 8][4] = {}, scores[keys / 8][4] = {};
    multiply_rows<depth, keys>(slopes, gradients, head.row, value_tile, head.lane);
    copy_wait<0>();
    sync_block();  // the keys are there, the values have been read
    if (step + 1 < 2 * tiles) copy_rows<depth, keys>(value_tile, head.in, head.value, step + 1 == tiles ? 0 : first + keys);
    multiply_rows<depth, keys>(scores, queries, head.row, key_tile, head.lane);
    mask_tail<keys>(scores, first, p.tokens, head.lane);
    if (again) {
#pragma unroll
      for (int n = 0; n < keys / 8; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          slopes[n][i] = quick_exp2((scores[n][i] - top[i / 2]) * head.slope) * (slopes[n][i] - mean[i / 2]);
        }
      }
      weigh_rows<depth, keys>(out, slopes, key_tile, head.lane);
      continue;
    }
    float fade[2];
    soften<keys>(scores, top, sum, fade, head.slope);
#pragma unroll
    for (int r = 0; r < 2; ++r) mean[r] = mean[r] * fade[r];
#pragma unroll
    for (int n = 0; n < keys / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) mean[i / 2] = fma(scores[n][i], slopes[n][i], mean[i / 2]);
    }
    if (step + 1 < tiles) continue;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float whole = sum_of_quad(sum[r]);
      top[r] = top[r] + quick_log2(whole) / head.slope;
      mean[r] = sum_of_quad(mean[r]) / whole;
      const int token = head.first + head.row + head.lane / 4 + 8 * r;
      if (head.lane % 4 == 0 && token < p.tokens) {
        head.levels[token] = top[r];
        head.means[token] = mean[r];
      }
    }
  }
  head.store<depth>(out, head.query, head.scale);
}

// dK, and dV `with_values`.
template <int depth, bool with_values>
DC_DEVICE void back_to_keys(const AttentionBackwardParams& p) {
  constexpr int stride = flash_stride(depth);
  SharedPool pool;
  const Shared<Bf16> keys = pool.take<Bf16>("keys", kFlashQueries * stride), values = pool.take<Bf16>("values", kFlashQueries * stride);
  const Shared<Bf16> query_tile = pool.take<Bf16>("queries", kTile * stride), gradient_tile = pool.take<Bf16>("gradients", kTile * stride);
  const HeadBackwards head(p);
  copy_rows<depth, kFlashQueries>(keys, head.in, head.key, head.first);
  copy_rows<depth, kFlashQueries>(values, head.in, head.value, head.first);
  copy_rows<depth, kTile>(gradient_tile, head.gradient, head.query, 0);
  float by_key[depth / 8][4] = {}, by_value[with_values ? depth / 8 : 1][4] = {};
  for (int first = 0; first < p.tokens; first += kTile) {
    const auto bring_gradients = [&] {
      if (first + kTile < p.tokens) copy_rows<depth, kTile>(gradient_tile, head.gradient, head.query, first + kTile);
    };
    float slopes[kTile / 8][4], scores[kTile / 8][4];
    head.begin_below(slopes, head.means, first);
    head.begin_below(scores, head.levels, first);
    copy_wait<0>();
    sync_block();  // what comes back is there, the queries before it have been read
    copy_rows<depth, kTile>(query_tile, head.in, head.query, first);
    multiply_rows<depth, kTile>(slopes, values, head.row, gradient_tile, head.lane);
    copy_wait<0>();
    sync_block();  // the queries are there
    if constexpr (!with_values) bring_gradients();
    multiply_rows<depth, kTile>(scores, keys, head.row, query_tile, head.lane);
#pragma unroll
    for (int n = 0; n < kTile / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        scores[n][i] = quick_exp2(scores[n][i] * head.slope);
        slopes[n][i] = scores[n][i] * slopes[n][i];
      }
    }
    if constexpr (with_values) {
      weigh_rows<depth, kTile>(by_value, scores, gradient_tile, head.lane);
      sync_block();  // what came back has been read
      bring_gradients();
    }
    weigh_rows<depth, kTile>(by_key, slopes, query_tile, head.lane);
  }
  head.store<depth>(by_key, head.key, head.scale);
  if constexpr (with_values) head.store<depth>(by_value, head.value, 1.0f);
}

template <int depth>
DC_DEVICE void back_to_values(const AttentionBackwardParams& p) {
  constexpr int stride = flash_stride(depth);
  SharedPool pool;
  const Shared<Bf16> keys = pool.take<Bf16>("keys", kFlashQueries * stride);
  const Shared<Bf16> query_tile = pool.take<Bf16>("queries", kTile * stride), gradient_tile = pool.take<Bf16>("gradients", kTile * stride);
  const HeadBackwards head(p);
  copy_rows<depth, kFlashQueries>(keys, head.in, head.key, head.first);
  copy_rows<depth, kTile>(query_tile, head.in, head.query, 0);
  float out[depth / 8][4] = {};
  for (int first = 0; first < p.tokens; first += kTile) {
    float scores[kTile / 8][4];
    head.begin_below(scores, head.levels, first);
    copy_wait<0>();
    sync_block();  // the queries are there, what came back before has been read
    copy_rows<depth, kTile>(gradient_tile, head.gradient, head.query, first);
    multiply_rows<depth, kTile>(scores, keys, head.row, query_tile, head.lane);
#pragma unroll
    for (int n = 0; n < kTile / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) scores[n][i] = quick_exp2(scores[n][i] * head.slope);
    }
    copy_wait<0>();
    sync_block();  // what comes back is there, the queries have been read
    if (first + kTile < p.tokens) copy_rows<depth, kTile>(query_tile, head.in, head.query, first + kTile);
    weigh_rows<depth, kTile>(out, scores, gradient_tile, head.lane);
  }
  head.store<depth>(out, head.value, 1.0f);
}

}  // namespace

DC_KERNEL(tensor_attention_queries_64, AttentionBackwardParams, kFlashThreads) { back_to_queries<64>(p); }
DC_KERNEL(tensor_attention_queries_128, AttentionBackwardParams, kFlashThreads) { back_to_queries<128>(p); }
DC_KERNEL(tensor_attention_queries_256, AttentionBackwardParams, kFlashThreads) { back_to_queries<256>(p); }
DC_KERNEL(tensor_attention_keys_64, AttentionBackwardParams, kFlashThreads) { back_to_keys<64, true>(p); }
DC_KERNEL(tensor_attention_keys_128, AttentionBackwardParams, kFlashThreads) { back_to_keys<128, true>(p); }
DC_KERNEL(tensor_attention_keys_256, AttentionBackwardParams, kFlashThreads) { back_to_keys<256, false>(p); }
DC_KERNEL(tensor_attention_values_256, AttentionBackwardParams, kFlashThreads) { back_to_values<256>(p); }

}  // namespace diffcert
