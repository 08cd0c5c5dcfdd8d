// The gradient of a convolution's weight on tensor cores: [(tap, channel) x pixels] by [pixels x outputs], both sides as they lie in memory, a pixel a row;
// the matrix unit wants them the other way round, which ldmatrix does on its way.
//
// A step of 32 pixels brings 12 KB for 262,144 multiply-adds, 21 a byte from the second-level cache. A tap is a shift of the map: 16 bytes of a neighbouring
// pixel, or zeros. Copies run two steps ahead, over the ends of rows. 39 KB of shared memory.
#include "kernels/feature.cuh"
#include "kernels/ptx.cuh"
#include "kernels/sm80_learn.hpp"

namespace diffcert {
namespace {

// What a thread brings of each step: eight inputs of pixels t / 16 and t / 16 + 16, eight outputs of pixel t / 8.
struct Bringing {
  HalfIn map, gradient;
  Shared<Bf16> left, right;
  int dy, dx, channel, output;  // of the thread's eights
  bool input_there, output_there;

  DC_DEVICE Bringing(const ConvGradientParams& p, const Shared<Bf16>& l, const Shared<Bf16>& r)
      : map(p.map), gradient(p.gradient), left(l), right(r) {
    const int thread = static_cast<int>(threadIdx.x);
    const int input = static_cast<int>(blockIdx.x) * kTensorLearnInputs + thread % 16 * 8, tap = input / p.channels;
    dy = tap / p.kernel - p.padding;
    dx = tap % p.kernel - p.padding;
    channel = input % p.channels;
    input_there = tap < p.kernel * p.kernel;
    output = static_cast<int>(blockIdx.y) * kTensorLearnOutputs + thread % 8 * 8;
    output_there = output < p.outputs;
  }

  // Step `first` pixels into a row of the batch, to stage `stage`.
  DC_DEVICE void bring(const ConvGradientParams& p, int sample, int first, int stage) const {
    const int thread = static_cast<int>(threadIdx.x), pixels = p.height * p.width;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int k = thread / 16 + 16 * i, pixel = first + k, y = pixel / p.width + dy, x = pixel % p.width + dx;
      const bool there = pixel < pixels && input_there && y >= 0 && x >= 0 && y < p.in_height && x < p.in_width;
      const std::int64_t from = std::int64_t{1} * sample * p.in_height * p.in_width * p.channels + (y * p.in_width + x) * p.channels + channel;
      copy_async(left, (stage * kTensorLearnDepth + k) * kTensorLearnLeft + thread % 16 * 8, map.half, there ? from : 0, there);
    }
    const int k = thread / 8, pixel = first + k;
    const bool there = pixel < pixels && output_there;
    const std::int64_t from = std::int64_t{1} * sample * pixels * p.outputs + pixel * p.outputs + output;
    copy_async(right, (stage * kTensorLearnDepth + k) * kTensorLearnRight + thread % 8 * 8, gradient.half, there ? from : 0, there);
    copy_commit();
  }
};

}  // namespace

DC_KERNEL_RESIDENT(tensor_conv_gradient, ConvGradientParams, kTensorLearnThreads, 2) {
  SharedPool pool;
  const Shared<Bf16> left = pool.take<Bf16>("left", kTensorLearnStages * kTensorLearnDepth * kTensorLearnLeft);
  const Shared<Bf16> right = pool.take<Bf16>("right", kTensorLearnStages * kTensorLearnDepth * kTensorLearnRight);
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int inputs = p.kernel * p.kernel * p.channels, steps = (p.height * p.width + kTensorLearnDepth - 1) / kTensorLearnDepth;
  const int row = warp / 2 * 32, column = warp % 2 * 32;  // of the warp in the tile
  const std::int64_t size = std::int64_t{1} * inputs * p.outputs;
  const bool alone = p.partials.data != nullptr;
  const Global<float> out = alone ? Global<float>(p.partials).part(blockIdx.z * size, size) : Global<float>(p.sums);
  const Bringing bringing(p, left, right);
  const int from = alone ? static_cast<int>(blockIdx.z) : 0, all = (alone ? 1 : p.n) * steps;

  float totals[2][4][4] = {}, sums[2][4][4] = {};
  // Calls use(total, place in out) for each of the thread's numbers that there are.
  const auto each = [&](const auto& use) {
#pragma unroll
    for (int m = 0; m < 2; ++m) {
#pragma unroll
      for (int n = 0; n < 4; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const int input = static_cast<int>(blockIdx.x) * kTensorLearnInputs + row + 16 * m + lane / 4 + i / 2 * 8;
          const int output = static_cast<int>(blockIdx.y) * kTensorLearnOutputs + column + 8 * n + lane % 4 * 2 + i % 2;
          if (input < inputs && output < p.outputs) use(totals[m][n][i], std::int64_t{1} * input * p.outputs + output);
        }
      }
    }
  };
  if (!alone) each([&](float& total, std::int64_t at) { total = out[at]; });

  int brought = 0, sample = from, first = 0;  // the next step to be brought
  const auto bring_next = [&] {
    if (brought < all) bringing.bring(p, sample, first, brought % kTensorLearnStages);
    else copy_commit();  // an empty group keeps the count
    ++brought;
    first += kTensorLearnDepth;
    if (first >= steps * kTensorLearnDepth) first = 0, ++sample;
  };
  for (int i = 0; i < kTensorLearnStages - 1; ++i) bring_next();
  for (int step = 0; step < all; ++step) {
    copy_wait<kTensorLearnStages - 2>();
    sync_block();  // the step is there, and the one before it has been read by all
    bring_next();
    const int stage = step % kTensorLearnStages * kTensorLearnDepth;
#pragma unroll
    for (int k = 0; k < kTensorLearnDepth; k += 16) {
      std::uint32_t a[2][4], b[2][4];
#pragma unroll
      for (int m = 0; m < 2; ++m) {
        load_matrix_transposed(a[m], left, (stage + k + lane / 16 * 8 + lane % 8) * kTensorLearnLeft + row + 16 * m + lane / 8 % 2 * 8);
        load_matrix_transposed(b[m], right, (stage + k + lane % 16) * kTensorLearnRight + column + 16 * m + lane / 16 * 8);
      }
#pragma unroll
      for (int m = 0; m < 2; ++m) {
#pragma unroll
        for (int n = 0; n < 4; ++n) multiply_bf16(sums[m][n], a[m], b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]);
      }
    }
    if ((step + 1) % steps != 0) continue;
#pragma unroll
    for (int m = 0; m < 2; ++m) {
#pragma unroll
      for (int n = 0; n < 4; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          totals[m][n][i] = totals[m][n][i] + sums[m][n][i];
          sums[m][n][i] = 0;
        }
      }
    }
  }
  copy_wait<0>();
  each([&](float& total, std::int64_t at) { out[at] = total; });
}

}  // namespace diffcert
