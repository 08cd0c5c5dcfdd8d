// What attention on tensor cores is made of, there and back: rows of a head on their way to shared memory, the two kinds of product, the softmax that is
// kept up as keys come, rows of results on their way out. A block has 64 rows, 16 a warp; of a warp's rows a lane has lane / 4 and that + 8.
#pragma once

#include "kernels/fragments.cuh"
#include "kernels/ptx.cuh"
#include "kernels/sm80_attention.hpp"

namespace diffcert {

constexpr float kMasked = -3.0e38f, kLog2E = 1.44269504f;

// One head of one sample: [tokens] rows of `stride` numbers, of which `deep` are the head's.
struct HeadRows {
  Global<const Bf16> in;
  int stride, tokens, deep;
};

// Rows `first` and on, from column `column`, on their way to shared memory; zeros beyond the last token and channel.
template <int depth, int rows>
DC_DEVICE void copy_rows(const Shared<Bf16>& to, const HeadRows& head, int column, int first) {
  constexpr int chunks = depth / 8, together = kFlashThreads / chunks;
  static_assert(kFlashThreads % chunks == 0 && rows % together == 0, "threads share out the chunks of 16 bytes evenly");
  const int row = static_cast<int>(threadIdx.x) / chunks, c = static_cast<int>(threadIdx.x) % chunks * 8;
#pragma unroll
  for (int i = 0; i < rows; i += together) {
    const int token = first + row + i;
    const bool there = token < head.tokens && c < head.deep;
    copy_async(to, (row + i) * flash_stride(depth) + c, head.in, there ? token * head.stride + column + c : 0, there);
  }
  copy_commit();
}

// out += left right^T: 16 rows of `left` from `row` on by `columns` rows of `right`, summed over channels in steps of 16.
template <int depth, int columns>
DC_DEVICE void multiply_rows(float (&out)[columns / 8][4], const Shared<Bf16>& left, int row, const Shared<Bf16>& right, int lane) {
  constexpr int stride = flash_stride(depth);
  static_assert(depth % 16 == 0 && columns % 16 == 0, "products of 16 by 16 by 16");
#pragma unroll
  for (int c = 0; c < depth; c += 16) {
    std::uint32_t a[4];
    load_matrix(a, left, (row + lane % 16) * stride + c + lane / 16 * 8);
#pragma unroll
    for (int n = 0; n < columns / 8; n += 2) {
      std::uint32_t b[4];
      load_matrix(b, right, (n * 8 + lane / 16 * 8 + lane % 8) * stride + c + lane / 8 % 2 * 8);
      multiply_bf16(out[n], a, b[0], b[1]);
      multiply_bf16(out[n + 1], a, b[2], b[3]);
    }
  }
}

// out += weights rows: what a product left in registers, rounded to bf16, by `inner` rows of channels.
template <int depth, int inner>
DC_DEVICE void weigh_rows(float (&out)[depth / 8][4], const float (&weights)[inner / 8][4], const Shared<Bf16>& rows, int lane) {
#pragma unroll
  for (int k = 0; k < inner; k += 16) {
    const auto& low = weights[k / 8];
    const auto& high = weights[k / 8 + 1];
    const std::uint32_t a[4] = {pack(low[0], low[1]), pack(low[2], low[3]), pack(high[0], high[1]), pack(high[2], high[3])};
#pragma unroll
    for (int n = 0; n < depth / 8; n += 2) {
      std::uint32_t b[4];
      load_matrix_transposed(b, rows, (k + lane % 16) * flash_stride(depth) + n * 8 + lane / 16 * 8);
      multiply_bf16(out[n], a, b[0], b[1]);
      multiply_bf16(out[n + 1], a, b[2], b[3]);
    }
  }
}

// A row's number from the four lanes that have a share of it: the largest, the sum. Every lane gets the same bits.
DC_DEVICE float largest_of_quad(float v) {
#pragma unroll
  for (int by = 1; by <= 2; by *= 2) {
    const float other = shuffle_xor(v, by);
    v = other > v ? other : v;
  }
  return v;
}
DC_DEVICE float sum_of_quad(float v) {
#pragma unroll
  for (int by = 1; by <= 2; by *= 2) v = v + shuffle_xor(v, by);
  return v;
}

// The scores of keys `first` and on; those beyond the last token never weigh anything.
template <int keys>
DC_DEVICE void mask_tail(float (&scores)[keys / 8][4], int first, int tokens, int lane) {
#pragma unroll
  for (int n = 0; n < keys / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (first + n * 8 + lane % 4 * 2 + i % 2 >= tokens) scores[n][i] = kMasked;
    }
  }
}

// A tile's scores become weights 2^(slope (score - top)); top is kept up, and what was summed with the old one is to be multiplied by `fade`. sum is a
// lane's own share.
template <int keys>
DC_DEVICE void soften(float (&scores)[keys / 8][4], float (&top)[2], float (&sum)[2], float (&fade)[2], float slope) {
  float most[2] = {top[0], top[1]};
#pragma unroll
  for (int n = 0; n < keys / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) most[i / 2] = scores[n][i] > most[i / 2] ? scores[n][i] : most[i / 2];
  }
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    most[r] = largest_of_quad(most[r]);
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
}

// The warp's rows, from token `first` on, each times its factor; rows lie `stride` apart, the head's `deep` channels from `column` on.
template <int depth>
DC_DEVICE void store_rows(const HalfOut& to, const float (&rows)[depth / 8][4], const float (&factor)[2], int first, int tokens, int stride, int column,
                          int deep, int lane) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const int token = first + lane / 4 + 8 * r;
#pragma unroll
    for (int n = 0; n < depth / 8; n += 4) {
      float pair[4][2];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
#pragma unroll
        for (int i = 0; i < 2; ++i) pair[j][i] = rows[n + j][2 * r + i] * factor[r];
      }
      const Eight channels = turned(pair, lane);
      const int c = (n + lane % 4) * 8;
      if (token < tokens && c < deep) to.put(token * stride + column + c, channels);
    }
  }
}

}  // namespace diffcert
