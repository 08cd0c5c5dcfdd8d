// The fused convolution as an implicit matrix product in float32: pixels x (tap, channel) times (tap, channel) x outputs.
//
// The activation is applied as elements come into shared memory, once a tap (the halo plan of the tensor-core kernels applies it once):
// this form is for parity and for architectures without the others, so it keeps one loop and one order.
#include "kernels/device.cuh"
#include "kernels/math.cuh"
#include "kernels/smxx_conv.hpp"

namespace diffcert {
namespace {

struct alignas(16) Four {
  float v[4];
};

// One sample's view of the inputs.
struct Sample {
  Global<const float> src0, src1, affine;
};

DC_DEVICE float loaded(const ConvParams& p, const Sample& s, int y, int x, int c) {
  const std::int64_t pixel = std::int64_t{1} * y * p.width + x;
  const float v = c < p.src_channels[0] ? s.src0[pixel * p.src_channels[0] + c] : s.src1[pixel * p.src_channels[1] + c - p.src_channels[0]];
  const bool affine = static_cast<bool>(s.affine);
  const int channels = p.src_channels[0] + p.src_channels[1];
  return activated(v, affine, affine ? s.affine[c] : 1.0f, affine ? s.affine[channels + c] : 0.0f, p.silu);
}

// The map that the convolution sees: resampled, zero outside.
DC_DEVICE float mapped(const ConvParams& p, const Sample& s, int y, int x, int c) {
  const int high = p.up2 ? p.height * 2 : p.down2 ? p.height / 2 : p.height;
  const int wide = p.up2 ? p.width * 2 : p.down2 ? p.width / 2 : p.width;
  if (y < 0 || x < 0 || y >= high || x >= wide) return 0.0f;
  if (p.up2) return loaded(p, s, y / 2, x / 2, c);
  if (!p.down2) return loaded(p, s, y, x, c);
  const float top = loaded(p, s, 2 * y, 2 * x, c) + loaded(p, s, 2 * y, 2 * x + 1, c);
  const float bottom = loaded(p, s, 2 * y + 1, 2 * x, c) + loaded(p, s, 2 * y + 1, 2 * x + 1, c);
  return (top + bottom) / 4.0f;
}

DC_DEVICE float residual_at(const ConvParams& p, const Global<const float>& part, int channels, int y, int x, int c) {
  const auto at = [&](int ry, int rx) { return part[(std::int64_t{1} * ry * p.residual_width + rx) * channels + c]; };
  if (p.residual_up2) return at(y / 2, x / 2);
  if (!p.residual_down2) return at(y, x);
  return ((at(2 * y, 2 * x) + at(2 * y, 2 * x + 1)) + (at(2 * y + 1, 2 * x) + at(2 * y + 1, 2 * x + 1))) / 4.0f;
}

// sums += pixels x depth times depth x outputs, depth ascending.
DC_DEVICE void multiply(const Shared<float>& pixels, const Shared<float>& weights, int row, int column, float (&sums)[4][4]) {
#pragma unroll
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

DC_KERNEL(conv, ConvParams, kConvThreads) {
  SharedPool pool;
  const Shared<float> pixels = pool.take<float>("pixels", kConvDepth * kConvPixels);
  const Shared<float> weights = pool.take<float>("weights", kConvDepth * kConvOutputs);
  const int thread = static_cast<int>(threadIdx.x), count = p.out_height * p.out_width;
  const int first_pixel = static_cast<int>(blockIdx.x) * kConvPixels, first_output = static_cast<int>(blockIdx.y) * kConvOutputs;
  const std::int64_t sample = blockIdx.z, area = std::int64_t{1} * p.height * p.width;
  const int channels = p.src_channels[0] + p.src_channels[1], skips = p.skip_channels[0] + p.skip_channels[1];
  const auto of_sample = [&](const Span<const float>& span, std::int64_t size) {
    return span.data != nullptr ? Global<const float>(span).part(sample * size, size) : Global<const float>(span);
  };
  const Sample in{of_sample(p.src[0], area * p.src_channels[0]), of_sample(p.src[1], area * p.src_channels[1]),
                  of_sample(p.affine, 2 * channels)};
  const Global<const float> skip0 = of_sample(p.skip[0], std::int64_t{1} * count * p.skip_channels[0]);
  const Global<const float> skip1 = of_sample(p.skip[1], std::int64_t{1} * count * p.skip_channels[1]);
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
        pixels[depth * kConvPixels + local] = there ? mapped(p, in, pixel / p.out_width + dy, pixel % p.out_width + dx, c) : 0.0f;
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
      float v = 0.0f;
      if (pixel < count && c < skips) {
        v = c < p.skip_channels[0] ? skip0[std::int64_t{1} * pixel * p.skip_channels[0] + c]
                                   : skip1[std::int64_t{1} * pixel * p.skip_channels[1] + c - p.skip_channels[0]];
      }
      pixels[depth * kConvPixels + local] = v;
      const int k = thread / kConvOutputs + 4 * i;
      weights[k * kConvOutputs + thread % kConvOutputs] =
          c0 + k < skips && output < p.out_channels ? skip_weight[std::int64_t{1} * (c0 + k) * p.out_channels + output] : 0.0f;
    }
    sync_block();
    multiply(pixels, weights, row, column, sums);
    sync_block();
  }

  const std::int64_t out_size = std::int64_t{1} * count * p.out_channels;
  const std::int64_t residual_area = std::int64_t{1} * p.residual_height * p.residual_width;
  const Global<float> out = Global<float>(p.out).part(sample * out_size, out_size);
  const Global<const float> bias(p.bias), shift = of_sample(p.shift, p.out_channels);
  const Global<const float> first = of_sample(p.residual[0], residual_area * p.residual_channels[0]);
  const Global<const float> second = of_sample(p.residual[1], residual_area * p.residual_channels[1]);
  for (int i = 0; i < 4; ++i) {
    const int pixel = first_pixel + row + i, y = pixel / p.out_width, x = pixel % p.out_width;
    if (pixel >= count) continue;
    for (int j = 0; j < 4; ++j) {
      const int o = first_output + column + j;
      if (o >= p.out_channels) continue;
      float v = sums[i][j] + bias[o];
      if (shift) v = v + shift[o];
      if (first) {
        v = v + (o < p.residual_channels[0] ? residual_at(p, first, p.residual_channels[0], y, x, o)
                                            : residual_at(p, second, p.residual_channels[1], y, x, o - p.residual_channels[0]));
      }
      out[std::int64_t{1} * pixel * p.out_channels + o] = p.scale * v;
    }
  }
}

}  // namespace diffcert
