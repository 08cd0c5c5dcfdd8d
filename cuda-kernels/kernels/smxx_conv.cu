// The fused convolution as an implicit matrix product in float32: pixels x (tap, channel) times (tap, channel) x outputs.
//
// The activation is applied as elements come into shared memory, once a tap (the halo plan of the tensor-core kernels applies it once):
// this form is for parity and for architectures without the others, so it keeps one loop and one order.
#include "kernels/conv_parts.cuh"
#include "kernels/smxx_conv.hpp"

namespace diffcert {
namespace {

struct alignas(16) Four {
  float v[4];
};

// sums += pixels x depth times depth x outputs, depth ascending.
DC_DEVICE void multiply(const Shared<float>& pixels, const Shared<float>& weights, int row, int column, float (&sums)[4][4]) {
#pragma unroll 4
  for (int k = 0; k < kConvDepth; ++k) {
    const Four a = load_vector<Four>(pixels, k * kConvPixels + row), b = load_vector<Four>(weights, k * kConvOutputs + column);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) sums[i][j] = fma(a.v[i], b.v[j], sums[i][j]);
    }
  }
}

}  // namespace

DC_KERNEL_RESIDENT(conv, ConvParams, kConvThreads, 3) {
  SharedPool pool;
  const Shared<float> pixels = pool.take<float>("pixels", kConvDepth * kConvPixels);
  const Shared<float> weights = pool.take<float>("weights", kConvDepth * kConvOutputs);
  const int thread = static_cast<int>(threadIdx.x), count = p.out_height * p.out_width;
  const int first_pixel = static_cast<int>(blockIdx.x) * kConvPixels, first_output = static_cast<int>(blockIdx.y) * kConvOutputs;
  const std::int64_t sample = blockIdx.z;
  const int channels = p.src_channels[0] + p.src_channels[1], skips = p.skip_channels[0] + p.skip_channels[1];
  const ConvSources in(p, sample);
  const Global<const float> weight(p.weight), skip_weight(p.skip_weight);

  // Thread t brings depth t mod 16 of pixels t / 16 + 16 i, and output t mod 64 of depths t / 64 + 4 i.
  const int depth = thread % kConvDepth, output = first_output + thread % kConvOutputs;
  const int row = thread / 16 * 4, column = thread % 16 * 4;
  float sums[4][4] = {};
  for (int tap = 0; tap < p.kernel * p.kernel; ++tap) {
    const int dy = tap / p.kernel - p.padding, dx = tap % p.kernel - p.padding;
    for (int c0 = 0; c0 < channels; c0 += kConvDepth) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int local = thread / kConvDepth + 16 * i, pixel = first_pixel + local, c = c0 + depth;
        const bool there = pixel < count && c < channels;
        pixels[depth * kConvPixels + local] = there ? in.mapped(p, pixel / p.out_width + dy, pixel % p.out_width + dx, c) : 0.0f;
        const int k = thread / kConvOutputs + 4 * i;
        weights[k * kConvOutputs + thread % kConvOutputs] =
            c0 + k < channels && output < p.out_channels ? weight[(std::int64_t{1} * tap * channels + c0 + k) * p.out_channels + output] : 0.0f;
      }
      sync_block();
      multiply(pixels, weights, row, column, sums);
      sync_block();
    }
  }
  for (int c0 = 0; c0 < skips; c0 += kConvDepth) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int local = thread / kConvDepth + 16 * i, pixel = first_pixel + local, c = c0 + depth;
      pixels[depth * kConvPixels + local] = pixel < count && c < skips ? in.skip(p, pixel, c) : 0.0f;
      const int k = thread / kConvOutputs + 4 * i;
      weights[k * kConvOutputs + thread % kConvOutputs] =
          c0 + k < skips && output < p.out_channels ? skip_weight[std::int64_t{1} * (c0 + k) * p.out_channels + output] : 0.0f;
    }
    sync_block();
    multiply(pixels, weights, row, column, sums);
    sync_block();
  }

  const ConvFinish finish(p, sample);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int pixel = first_pixel + row + i;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int o = first_output + column + j;
      if (pixel < count && o < p.out_channels) finish.store(p, pixel / p.out_width, pixel % p.out_width, o, sums[i][j]);
    }
  }
}

}  // namespace diffcert
