// The fused convolution on tensor cores, for sm_80 and later.
//
// Why this shape: a 3x3 convolution reads each input nine times. The halo of a 16x8 tile is brought into shared memory once for every 32
// channels, with norm and SiLU applied there (14 % of the special-function unit's time instead of nine times that), and the nine taps read it
// through ldmatrix, whose row addresses are free for each lane, so that a shift costs nothing. Weights stream behind the arithmetic in
// three stages of cp.async, one tap each.
#include "kernels/conv_parts.cuh"
#include "kernels/ptx.cuh"
#include "kernels/sm80_conv.hpp"

namespace diffcert {
namespace {

struct Tile {
  int y, x, output;  // the first of each
};

// The halo of a step: [rows + k - 1][columns + k - 1][32] of the sources, or [rows][columns][32] of the skips.
DC_DEVICE void load_halo(const ConvParams& p, const ConvSources& in, const Shared<Bf16>& halo, const Tile& tile, int channel, bool skip) {
  const int border = skip ? 0 : p.kernel - 1, wide = kTensorColumns + border;
  const int count = (kTensorRows + border) * wide * kTensorDepth;
  const int channels = skip ? p.skip_channels[0] + p.skip_channels[1] : p.src_channels[0] + p.src_channels[1];
  const int shift = skip ? 0 : p.padding;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kTensorThreads) {
    const int c = channel + i % kTensorDepth, pixel = i / kTensorDepth, y = tile.y + pixel / wide - shift, x = tile.x + pixel % wide - shift;
    float v = 0.0f;
    if (c < channels) {
      if (!skip) v = in.mapped(p, y, x, c);
      else if (y < p.out_height && x < p.out_width) v = in.skip(p, std::int64_t{1} * y * p.out_width + x, c);
    }
    halo[pixel * kTensorStride + i % kTensorDepth] = to_bf16(v);
  }
}

// One tap's weights, [32][128], on their way into a stage: 512 chunks of 16 bytes.
DC_DEVICE void copy_weights(const TensorConvParams& p, const Global<const Bf16>& weight, const Shared<Bf16>& stages, const Tile& tile, int unit, int units) {
  const std::int64_t width = tensor_width(p.conv.out_channels);
  if (unit < units) {
#pragma unroll
    for (int i = 0; i < kTensorDepth * kTensorOutputs / 8 / kTensorThreads; ++i) {
      const int chunk = static_cast<int>(threadIdx.x) + i * kTensorThreads, k = chunk / (kTensorOutputs / 8), n = chunk % (kTensorOutputs / 8) * 8;
      copy_async(stages, (unit % kTensorStages * kTensorDepth + k) * kTensorWeightStride + n, weight,
                 (std::int64_t{1} * unit * kTensorDepth + k) * width + tile.output + n, true);
    }
  }
  copy_commit();  // an empty group keeps the count
}

// One tap: 32 x 64 outputs of the warp += halo view x weights.
DC_DEVICE void multiply_tap(const Shared<Bf16>& halo, const Shared<Bf16>& stages, int view, int wide, int stage, int warp_row, int warp_column, int lane,
                            float (&sums)[2][8][4]) {
#pragma unroll
  for (int k = 0; k < kTensorDepth; k += 16) {
    std::uint32_t a[2][4];
#pragma unroll
    for (int m = 0; m < 2; ++m) {
      // Row lane mod 16 of the 16 pixels is tile row 2 (2 warp_row + m) + that / 8, column that mod 8.
      const int pixel = lane % 16, row = 2 * (2 * warp_row + m) + pixel / 8, column = pixel % 8;
      load_matrix(a[m], halo, (view + row * wide + column) * kTensorStride + k + lane / 16 * 8);
    }
#pragma unroll
    for (int n = 0; n < 8; n += 2) {
      std::uint32_t b[4];
      load_matrix_transposed(b, stages, (stage * kTensorDepth + k + lane % 16) * kTensorWeightStride + warp_column * 64 + n * 8 + lane / 16 * 8);
#pragma unroll
      for (int m = 0; m < 2; ++m) {
        multiply_bf16(sums[m][n], a[m], b[0], b[1]);
        multiply_bf16(sums[m][n + 1], a[m], b[2], b[3]);
      }
    }
  }
}

}  // namespace

DC_KERNEL(tensor_conv, TensorConvParams, kTensorThreads) {
  SharedPool pool;
  const Shared<Bf16> halo = pool.take<Bf16>("halo", kTensorHalo * kTensorStride);
  const Shared<Bf16> stages = pool.take<Bf16>("stages", kTensorStages * kTensorDepth * kTensorWeightStride);
  const ConvParams& conv = p.conv;
  const int across = (conv.out_width + kTensorColumns - 1) / kTensorColumns;
  const Tile tile{static_cast<int>(blockIdx.x) / across * kTensorRows, static_cast<int>(blockIdx.x) % across * kTensorColumns,
                  static_cast<int>(blockIdx.y) * kTensorOutputs};
  const std::int64_t sample = blockIdx.z;
  const ConvSources in(conv, sample);
  const Global<const Bf16> weight(p.weight);
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32, warp_row = warp % 4, warp_column = warp / 4;

  // A unit is one tap of one step; its weights come two units ahead.
  const int taps = conv.kernel * conv.kernel, units = p.steps * taps + p.skip_steps;
  copy_weights(p, weight, stages, tile, 0, units);
  copy_weights(p, weight, stages, tile, 1, units);
  float sums[2][8][4] = {};
  int unit = 0;
  for (int step = 0; step < p.steps + p.skip_steps; ++step) {
    const bool skip = step >= p.steps;
    const int wide = kTensorColumns + (skip ? 0 : conv.kernel - 1);
    load_halo(conv, in, halo, tile, (skip ? step - p.steps : step) * kTensorDepth, skip);
    for (int tap = 0; tap < (skip ? 1 : taps); ++tap, ++unit) {
      copy_wait<1>();
      sync_block();  // the halo and this unit's weights are there; the stage of the unit before is free
      copy_weights(p, weight, stages, tile, unit + 2, units);
      const int view = skip ? 0 : tap / conv.kernel * wide + tap % conv.kernel;
      multiply_tap(halo, stages, view, wide, unit % kTensorStages, warp_row, warp_column, lane, sums);
    }
    sync_block();  // before the next halo
  }

  const ConvFinish finish(conv, sample);
#pragma unroll
  for (int m = 0; m < 2; ++m) {
#pragma unroll
    for (int n = 0; n < 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int y = tile.y + 2 * (2 * warp_row + m) + i / 2, x = tile.x + lane / 4;
        const int o = tile.output + warp_column * 64 + n * 8 + lane % 4 * 2 + i % 2;
        if (y < conv.out_height && x < conv.out_width && o < conv.out_channels) finish.store(conv, y, x, o, sums[m][n][i]);
      }
    }
  }
}

}  // namespace diffcert
