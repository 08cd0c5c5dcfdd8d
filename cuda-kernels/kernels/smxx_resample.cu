// Filtered resampling and plain sums of feature maps, for the residual and skip encoders and decoders.
#include "kernels/device.cuh"
#include "kernels/math.cuh"
#include "kernels/smxx_resample.hpp"

namespace diffcert {
namespace {

// Where tap t of output position i reads, or -1. Up: the input lies at even places of the zero-inserted map.
DC_DEVICE int source(const ResampleParams& p, int i, int t, int size) {
  const int at = p.up ? i + p.padding - t : 2 * i + t - p.padding;
  if (at < 0) return -1;
  if (!p.up) return at < size ? at : -1;
  return at % 2 == 0 && at / 2 < size ? at / 2 : -1;
}

}  // namespace

DC_KERNEL(resample, ResampleParams, kElementThreads) {
  const std::int64_t in_size = std::int64_t{1} * p.height * p.width * p.channels;
  const std::int64_t out_size = std::int64_t{1} * p.out_height * p.out_width * p.channels;
  const std::int64_t i = std::int64_t{1} * blockIdx.x * kElementThreads + threadIdx.x, sample = blockIdx.y;
  if (i >= out_size) return;
  const Global<const float> in = Global<const float>(p.in).part(sample * in_size, in_size);
  const Global<const float> affine(p.affine), factors(p.factors);
  const int c = static_cast<int>(i % p.channels), x = static_cast<int>(i / p.channels % p.out_width);
  const int y = static_cast<int>(i / p.channels / p.out_width);
  float a = 1.0f, b = 0.0f;
  if (affine) {
    a = affine[sample * 2 * p.channels + c];
    b = affine[sample * 2 * p.channels + p.channels + c];
  }
  float sum = 0;
  for (int ty = 0; ty < p.taps; ++ty) {
    const int from_y = source(p, y, ty, p.height);
    if (from_y < 0) continue;
    for (int tx = 0; tx < p.taps; ++tx) {
      const int from_x = source(p, x, tx, p.width);
      if (from_x < 0) continue;
      const float v = in[(std::int64_t{1} * from_y * p.width + from_x) * p.channels + c];
      sum = fma(factors[ty * p.taps + tx], activated(v, static_cast<bool>(affine), a, b, p.silu), sum);
    }
  }
  const Global<float> out = Global<float>(p.out).part(sample * out_size, out_size);
  out[i] = sum;
}

DC_KERNEL(add, AddParams, kElementThreads) {
  const std::int64_t i = std::int64_t{1} * blockIdx.x * kElementThreads + threadIdx.x;
  if (i >= p.out.count) return;
  const Global<const float> a(p.a), b(p.b);
  const Global<float> out(p.out);
  out[i] = p.scale * (a[i] + b[i]);
}

}  // namespace diffcert
