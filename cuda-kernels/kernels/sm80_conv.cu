// The fused convolution on tensor cores, for sm_80 and later.
//
// Why this shape: a 3x3 convolution reads each input nine times. The halo of a 16x8 tile is brought into shared memory once for every 32
// channels, with norm and SiLU applied there (five instructions an element instead of nine times that), and the nine taps read it through
// ldmatrix, whose row addresses are free for each lane, so that a shift costs nothing. The next halo travels to registers, 16 bytes a
// thread and access, while the taps of this one are multiplied; weights stream behind the arithmetic in three stages of cp.async, one
// tap each. A warp's 32 x 64 outputs take 6 reads of 512 bytes for 16 products, 85 multiply-adds a byte of shared memory.
//
// Intensity: a 256 -> 256 layer at 32x32 is 1.2 GFLOP over 1 MB, 1,150 FLOP/byte; the ridge of an A100 is 200. A 1x1 has no border: 128
// pixels a step, two steps in turn, so one barrier a step; 512 -> 256 is 170 FLOP/byte. Sub-pixel doubling: 4 taps instead of 9.
//
// The store turns fragments round within four lanes, so that a lane has eight channels of a pixel: residual and output go in accesses of
// 16 bytes, and a channel's statistics are sums over a thread's rows and eight lanes.
#include "kernels/conv_parts.cuh"
#include "kernels/conv_store.cuh"
#include "kernels/fragments.cuh"
#include "kernels/sm80_conv.hpp"

namespace diffcert {
namespace {

constexpr int kChunks = kTensorDepth / 8;  // of eight channels, in a step
// Of a block of `outputs` channels: the most vectors that a thread brings of a halo, and the pixels between them.
DC_BOTH constexpr int most_vectors(int outputs) { return (2 * 10 * 10 * kChunks + tensor_threads(outputs) - 1) / tensor_threads(outputs); }
DC_BOTH constexpr int line(int outputs) { return tensor_threads(outputs) / kChunks; }

// What a block makes: the first pixel, output and sample, and the phase of doubling.
struct Tile {
  int y, x, output, sample, phase, rows;  // rows: of one sample
};

// Which pixels a thread brings to the halo of every step: vector j is chunk `thread mod 4` of halo pixel `thread / 4 + j line`.
template <int outputs>
struct HaloPlan {
  int pixel[most_vectors(outputs)];  // within the samples of the tile; -1: zeros

  DC_DEVICE HaloPlan(const TensorConvParams& p, const Tile& tile, bool skip) {
    const ConvParams& conv = p.conv;
    const int border = skip ? 0 : p.side - 1, wide = kTensorColumns + border, count = (tile.rows + border) * wide;
    const int first_y = skip ? 0 : p.side == 2 ? tile.phase / 2 - 1 : -conv.padding, first_x = skip ? 0 : p.side == 2 ? tile.phase % 2 - 1 : -conv.padding;
    const int high = skip ? conv.out_height : conv.height, across = skip ? conv.out_width : conv.width;
#pragma unroll
    for (int j = 0; j < most_vectors(outputs); ++j) {
      const int at = static_cast<int>(threadIdx.x) / kChunks + j * line(outputs), image = at / count, local = at % count;
      const int y = tile.y + local / wide + first_y, x = tile.x + local % wide + first_x;
      const bool there = image < p.images && tile.sample + image < p.samples && y >= 0 && x >= 0 && y < high && x < across;
      pixel[j] = there ? (image * high + y) * across + x : -1;
    }
  }
};

// The halo of a step in flight: eight channels, as they lie, of each of a thread's pixels.
template <int outputs>
DC_DEVICE void fetch(const TensorConvParams& p, const ConvVectors& in, const HaloPlan<outputs>& plan, const Tile& tile, int c, bool skip,
                     Halves (&raw)[most_vectors(outputs)]) {
  const Column column(p.conv, in, skip, c);
#pragma unroll
  for (int j = 0; j < most_vectors(outputs); ++j) {
    raw[j] = {};
    if (column.there && plan.pixel[j] >= 0) raw[j] = load_vector<Halves>(column.map, (tile.sample * column.pixels + plan.pixel[j]) * column.channels + column.c);
  }
}

// Eight channels of a source, normed, activated and rounded; four at a time, for want of registers.
DC_DEVICE Halves loaded(const ConvParams& p, const ConvVectors& in, std::int64_t sample, int c, const Halves& raw) {
  const int channels = p.src_channels[0] + p.src_channels[1];
  Halves out;
#pragma unroll
  for (int part = 0; part < 2; ++part) {
    float v[4] = {as_float(raw.word[2 * part] << 16), as_float(raw.word[2 * part] & 0xffff0000u), as_float(raw.word[2 * part + 1] << 16),
                  as_float(raw.word[2 * part + 1] & 0xffff0000u)};
    if (in.affine) {
      const Quad a = load_vector<Quad>(in.affine, sample * 2 * channels + c + 4 * part);
      const Quad b = load_vector<Quad>(in.affine, sample * 2 * channels + channels + c + 4 * part);
#pragma unroll
      for (int i = 0; i < 4; ++i) v[i] = fma(a.v[i], v[i], b.v[i]);
    }
    if (p.silu) {
#pragma unroll
      for (int i = 0; i < 4; ++i) v[i] = quick_swish(v[i]);
    }
    out.word[2 * part] = pack(v[0], v[1]);
    out.word[2 * part + 1] = pack(v[2], v[3]);
  }
  return out;
}

// From flight to shared memory: normed and activated; skips as they are. area: a sample's halo pixels.
template <int outputs>
DC_DEVICE void settle(const TensorConvParams& p, const ConvVectors& in, const HaloPlan<outputs>& plan, const Tile& tile, int c, bool skip,
                      const Halves (&raw)[most_vectors(outputs)], const Shared<Bf16>& halo, int base, int area) {
  const ConvParams& conv = p.conv;
  const int chunk = static_cast<int>(threadIdx.x) % kChunks;
  const bool real = c < conv.src_channels[0] + conv.src_channels[1] && !skip;
#pragma unroll
  for (int j = 0; j < most_vectors(outputs); ++j) {
    const int at = static_cast<int>(threadIdx.x) / kChunks + j * line(outputs);
    if (at >= area * p.images) continue;
    Halves v = raw[j];
    if (real && plan.pixel[j] >= 0) v = loaded(conv, in, tile.sample + (at >= area ? 1 : 0), c, v);
    store_vector(halo, (base + at) * kTensorStride + chunk * 8, v);
  }
}

// One unit's weights, [32][outputs], on their way into a stage: two chunks of 16 bytes a thread.
template <int outputs>
DC_DEVICE void copy_weights(const TensorConvParams& p, const Global<const Bf16>& weight, const Shared<Bf16>& stages, const Tile& tile, int unit, int units,
                            int stage) {
  const std::int64_t width = tensor_width(p.conv.out_channels, outputs);
  if (unit < units) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int chunk = static_cast<int>(threadIdx.x) + i * tensor_threads(outputs), k = chunk / (outputs / 8), n = chunk % (outputs / 8) * 8;
      copy_async(stages, (stage * kTensorDepth + k) * tensor_weight_stride(outputs) + n, weight,
                 ((std::int64_t{1} * tile.phase * units + unit) * kTensorDepth + k) * width + tile.output + n, true);
    }
  }
  copy_commit();  // an empty group keeps the count
}

// One tap: 32 x 64 outputs of the warp += halo view x weights. row[m]: where this lane's row of the m-th 16 pixels lies in the view.
template <int outputs>
DC_DEVICE void multiply_tap(const Shared<Bf16>& halo, const Shared<Bf16>& stages, int view, const int (&row)[2], int stage, int warp_column, int lane,
                            float (&sums)[2][8][4]) {
#pragma unroll
  for (int k = 0; k < kTensorDepth; k += 16) {
    std::uint32_t a[2][4];
#pragma unroll
    for (int m = 0; m < 2; ++m) load_matrix(a[m], halo, (view + row[m]) * kTensorStride + k + lane / 16 * 8);
#pragma unroll
    for (int n = 0; n < 8; n += 2) {
      std::uint32_t b[4];
      load_matrix_transposed(b, stages, (stage * kTensorDepth + k + lane % 16) * tensor_weight_stride(outputs) + warp_column * 64 + n * 8 + lane / 16 * 8);
#pragma unroll
      for (int m = 0; m < 2; ++m) {
        multiply_bf16(sums[m][n], a[m], b[0], b[1]);
        multiply_bf16(sums[m][n + 1], a[m], b[2], b[3]);
      }
    }
  }
}

template <int outputs>
DC_DEVICE void convolve(const TensorConvParams& p) {
  SharedPool pool;
  const Shared<Bf16> halo = pool.take<Bf16>("halo", kTensorHalo * kTensorStride);
  const Shared<Bf16> stages = pool.take<Bf16>("stages", kTensorStages * kTensorDepth * tensor_weight_stride(outputs));
  const ConvParams& conv = p.conv;
  const int across = (p.width + kTensorColumns - 1) / kTensorColumns, bands = (conv.out_channels + outputs - 1) / outputs;
  const int rows = kTensorRows / p.images;
  const Tile tile{static_cast<int>(blockIdx.x) / across * rows, static_cast<int>(blockIdx.x) % across * kTensorColumns,
                  static_cast<int>(blockIdx.y) % bands * outputs, static_cast<int>(blockIdx.z) * p.images, static_cast<int>(blockIdx.y) / bands, rows};
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32, warp_row = warp % 4, warp_column = warp / 4;
  const ConvVectors in(conv);
  const Global<const Bf16> weight(p.weight);

  // A unit is one tap of one step; its weights come two units ahead.
  const int taps = p.side * p.side, units = p.steps * taps + p.skip_steps, last = p.steps + p.skip_steps;
  copy_weights<outputs>(p, weight, stages, tile, 0, units, 0);
  copy_weights<outputs>(p, weight, stages, tile, 1, units, 1);
  float sums[2][8][4] = {};
  HaloPlan<outputs> plan(p, tile, false);
  Halves raw[most_vectors(outputs)];
  const int chunk = thread % kChunks * 8;
  fetch(p, in, plan, tile, chunk, false, raw);
  int unit = 0, stage = 0;
  for (int step = 0; step < last; ++step) {
    const bool skip = step >= p.steps;
    const int side = skip ? 1 : p.side, wide = kTensorColumns + side - 1, area = (rows + side - 1) * wide;
    const int base = side == 1 ? step % 2 * kTensorTile : 0;
    settle(p, in, plan, tile, (skip ? step - p.steps : step) * kTensorDepth + chunk, skip, raw, halo, base, area);
    if (step + 1 < last) {
      if (step + 1 == p.steps) plan = HaloPlan<outputs>(p, tile, true);
      const bool next = step + 1 >= p.steps;
      fetch(p, in, plan, tile, (next ? step + 1 - p.steps : step + 1) * kTensorDepth + chunk, next, raw);
    }
    // This lane's row of the m-th 16 pixels is tile row 4 warp_row + 2 m + (lane / 8 mod 2), column lane mod 8.
    int row[2];
#pragma unroll
    for (int m = 0; m < 2; ++m) {
      const int r = 4 * warp_row + 2 * m + lane % 16 / 8;
      row[m] = r / rows * area + r % rows * wide + lane % 8;
    }
    for (int dy = 0; dy < side; ++dy) {
      for (int dx = 0; dx < side; ++dx, ++unit) {
        copy_wait<1>();
        sync_block();  // the halo and this unit's weights are there; the stage of the unit before is free
        copy_weights<outputs>(p, weight, stages, tile, unit + 2, units, stage == 0 ? 2 : stage - 1);
        multiply_tap<outputs>(halo, stages, base + dy * wide + dx, row, stage, warp_column, lane, sums);
        stage = stage == 2 ? 0 : stage + 1;
      }
    }
    if (side > 1) sync_block();  // before the next halo
  }

  // Lane 4 x + q has channels 8 q to 8 q + 7 of each half of the warp's 64, at column x of the warp's four rows.
  const int image = 4 * warp_row / rows, top = tile.y + 4 * warp_row % rows, x = tile.x + lane / 4;
  const bool mine = tile.sample + image < p.samples;
  const int high = p.height - top < 0 ? 0 : p.height - top < 4 ? p.height - top : 4, columns = p.width - tile.x < 8 ? p.width - tile.x : 8;
  const ConvFinishVectors finish(conv, tile.sample + (mine ? image : 0));
  const int scale = conv.up2 ? 2 : 1;
  if (p.partials.data != nullptr) sync_block();  // the halo's memory takes the warps' statistics
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int o = tile.output + warp_column * 64 + half * 32 + lane % 4 * 8;
    Eight kept[4], total{};
#pragma unroll
    for (int r = 0; r < 4; ++r) {
      float pair[4][2];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
#pragma unroll
        for (int i = 0; i < 2; ++i) pair[j][i] = sums[r / 2][half * 4 + j][r % 2 * 2 + i];
      }
      const Eight sum = turned(pair, lane);
      kept[r] = {};
      if (mine && r < high && x < p.width && o < conv.out_channels) {
        const int out_y = (top + r) * scale + tile.phase / 2, out_x = x * scale + tile.phase % 2;
        const Halves stored = finish.finished(conv, out_y, out_x, o, sum);
        finish.store(conv, out_y, out_x, o, stored);
        kept[r] = unpacked(stored);
      }
#pragma unroll
      for (int i = 0; i < 8; ++i) total.v[i] = total.v[i] + kept[r].v[i];
    }
    if (p.partials.data == nullptr) continue;
    store_moments(halo, warp_row * outputs + warp_column * 64 + half * 32, total, kept, high, columns, x < p.width, lane);
  }
  if (p.partials.data == nullptr) return;
  sync_block();
  const int channel = thread % outputs, of = thread / outputs, o = tile.output + channel, sample = tile.sample + of;
  if (of >= p.images || sample >= p.samples || o >= conv.out_channels) return;
  const Moments all = combined<outputs>(halo, of * 4 / p.images, 4 / p.images, channel, p.height - tile.y, 4, columns);
  const std::int64_t tiles = gridDim.x, size = tiles * (conv.up2 ? 4 : 1) * 2 * conv.out_channels;
  const Global<float> partials = Global<float>(p.partials).part(sample * size, size);
  const std::int64_t at = (tile.phase * tiles + blockIdx.x) * 2 * conv.out_channels + o;
  partials[at] = all.mean;
  partials[at + conv.out_channels] = all.m2;
}

}  // namespace

// Two blocks a multiprocessor where registers allow: one loads and activates while the other multiplies.
DC_KERNEL_RESIDENT(tensor_conv_64, TensorConvParams, tensor_threads(64), 2) { convolve<64>(p); }
DC_KERNEL_RESIDENT(tensor_conv_128, TensorConvParams, tensor_threads(128), 2) { convolve<128>(p); }
DC_KERNEL_RESIDENT(tensor_conv_192, TensorConvParams, tensor_threads(192), 1) { convolve<192>(p); }

}  // namespace diffcert
