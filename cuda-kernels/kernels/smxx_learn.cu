// The gradients of weights.
//
// A convolution's is a product [(tap, channel) x pixels] by [pixels x outputs]: a tile of 64 x 64 brings 512 bytes for 4,096 multiply-adds, 8 a byte from
// the second-level cache, and each thread makes 16 of them for two reads of 16 bytes from shared memory, so arithmetic is what it waits for. The map
// lies activated in memory (loaded), so that no exponential is in the loop. The rest reads each number once: bound by memory.
#include "kernels/conv_parts.cuh"
#include "kernels/smxx_learn.hpp"

namespace diffcert {
namespace {

struct alignas(16) Four {
  float v[4];
};

}  // namespace

DC_KERNEL(loaded, LoadedParams, kLoadedThreads) {
  const int channels = p.conv.src_channels[0] + p.conv.src_channels[1];
  const std::int64_t size = std::int64_t{1} * p.height * p.width * channels, i = std::int64_t{1} * blockIdx.x * kLoadedThreads + threadIdx.x;
  if (i >= size) return;
  const ConvSources in(p.conv, blockIdx.y);
  const auto c = static_cast<int>(i % channels), x = static_cast<int>(i / channels % p.width), y = static_cast<int>(i / channels / p.width);
  FeatureOut(p.out).part(blockIdx.y * size, size).put(i, in.mapped(p.conv, y, x, c));
}

DC_KERNEL_RESIDENT(conv_gradient, ConvGradientParams, kLearnThreads, 2) {
  SharedPool pool;
  const Shared<float> maps = pool.take<float>("maps", kLearnDepth * kLearnInputs);
  const Shared<float> gradients = pool.take<float>("gradients", kLearnDepth * kLearnOutputs);
  const int thread = static_cast<int>(threadIdx.x), lane = thread % kLearnInputs;
  const int inputs = p.kernel * p.kernel * p.channels, pixels = p.height * p.width;
  const int first_input = static_cast<int>(blockIdx.x) * kLearnInputs, first_output = static_cast<int>(blockIdx.y) * kLearnOutputs;
  const std::int64_t in_size = std::int64_t{1} * p.in_height * p.in_width * p.channels, out_size = std::int64_t{1} * pixels * p.outputs;
  const std::int64_t size = std::int64_t{1} * inputs * p.outputs;
  // Thread t brings column t mod 64 of pixels t / 64 + 4 i of either side; on the left that is one (tap, channel).
  const int input = first_input + lane, tap = input / p.channels, channel = input % p.channels, output = first_output + lane;
  const int dy = tap / p.kernel - p.padding, dx = tap % p.kernel - p.padding;
  const int row = thread / 16 * 4, column = thread % 16 * 4;
  const bool alone = p.partials.data != nullptr;
  const Global<float> out = alone ? Global<float>(p.partials).part(blockIdx.z * size, size) : Global<float>(p.sums);

  float totals[4][4] = {};
  const auto each = [&](const auto& use) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const int m = first_input + row + i, o = first_output + column + j;
        if (m < inputs && o < p.outputs) use(i, j, std::int64_t{1} * m * p.outputs + o);
      }
    }
  };
  if (!alone) each([&](int i, int j, std::int64_t at) { totals[i][j] = out[at]; });
  const int from = alone ? static_cast<int>(blockIdx.z) : 0, to = alone ? from + 1 : p.n;
  for (int sample = from; sample < to; ++sample) {
    const FeatureIn map = FeatureIn(p.map).part(sample * in_size, in_size), gradient = FeatureIn(p.gradient).part(sample * out_size, out_size);
    float sums[4][4] = {};
    for (int k0 = 0; k0 < pixels; k0 += kLearnDepth) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int k = thread / kLearnInputs + 4 * i, pixel = k0 + k, y = pixel / p.width + dy, x = pixel % p.width + dx;
        const bool there = pixel < pixels, inside = y >= 0 && x >= 0 && y < p.in_height && x < p.in_width;
        maps[k * kLearnInputs + lane] =
            there && inside && input < inputs ? map[(std::int64_t{1} * y * p.in_width + x) * p.channels + channel] : 0.0f;
        gradients[k * kLearnOutputs + lane] = there && output < p.outputs ? gradient[std::int64_t{1} * pixel * p.outputs + output] : 0.0f;
      }
      sync_block();
#pragma unroll 4
      for (int k = 0; k < kLearnDepth; ++k) {
        const Four a = load_vector<Four>(maps, k * kLearnInputs + row), b = load_vector<Four>(gradients, k * kLearnOutputs + column);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
#pragma unroll
          for (int j = 0; j < 4; ++j) sums[i][j] = fma(a.v[i], b.v[j], sums[i][j]);
        }
      }
      sync_block();
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) totals[i][j] = alone ? sums[i][j] : totals[i][j] + sums[i][j];
    }
  }
  each([&](int i, int j, std::int64_t at) { out[at] = totals[i][j]; });
}

DC_KERNEL(linear_gradient, LinearGradientParams, kSumThreads) {
  const std::int64_t at = std::int64_t{1} * blockIdx.x * kSumThreads + threadIdx.x;
  if (at >= std::int64_t{1} * p.in_features * p.out_features) return;
  const Global<const float> in(p.in), gradient(p.gradient);
  const Global<float> sums(p.sums);
  const std::int64_t o = at / p.in_features, i = at % p.in_features;
  float sum = sums[at];
#pragma unroll 4
  for (int row = 0; row < p.n; ++row) {
    sum = fma(gradient[std::int64_t{1} * row * p.out_features + o], p.in_scale * in[std::int64_t{1} * row * p.in_features + i], sum);
  }
  sums[at] = sum;
}

DC_KERNEL(accumulate, AccumulateParams, kSumThreads) {
  const std::int64_t i = std::int64_t{1} * blockIdx.x * kSumThreads + threadIdx.x;
  if (i >= p.sums.count) return;
  const Global<const float> in(p.in);
  const Global<float> sums(p.sums);
  float sum = sums[i];
#pragma unroll 8
  for (int row = 0; row < p.n; ++row) sum = sum + in[row * p.row + p.first + i];
  sums[i] = sum;
}

DC_KERNEL(clear, ClearParams, kSumThreads) {
  const std::int64_t i = std::int64_t{1} * blockIdx.x * kSumThreads + threadIdx.x;
  if (i < p.out.count) Global<float>(p.out)[i] = 0.0f;
}

}  // namespace diffcert
