// Filtered resampling and plain sums of feature maps, for the residual and skip encoders and decoders: half an operation a byte, so eight
// channels a thread, in accesses of 16 bytes.
#include "kernels/device.cuh"
#include "kernels/feature.cuh"
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
  const int groups = (p.channels + 7) / 8;
  const std::int64_t i = std::int64_t{1} * blockIdx.x * kElementThreads + threadIdx.x, sample = blockIdx.y;
  if (i >= std::int64_t{1} * p.out_height * p.out_width * groups) return;
  const FeatureIn in = FeatureIn(p.in).part(sample * in_size, in_size);
  const Global<const float> affine(p.affine), factors(p.factors);
  const int c = static_cast<int>(i % groups) * 8, x = static_cast<int>(i / groups % p.out_width);
  const int y = static_cast<int>(i / groups / p.out_width);
  const bool wide = p.channels % 8 == 0, normed = static_cast<bool>(affine);
  const int count = p.channels - c < 8 ? p.channels - c : 8;
  Eight a{}, b{}, sum{};
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    if (normed && k < count) {
      a.v[k] = affine[sample * 2 * p.channels + c + k];
      b.v[k] = affine[sample * 2 * p.channels + p.channels + c + k];
    }
  }
  for (int ty = 0; ty < p.taps; ++ty) {
    const int from_y = source(p, y, ty, p.height);
    if (from_y < 0) continue;
    for (int tx = 0; tx < p.taps; ++tx) {
      const int from_x = source(p, x, tx, p.width);
      if (from_x < 0) continue;
      const Eight v = some(in, (std::int64_t{1} * from_y * p.width + from_x) * p.channels + c, count, wide);
      const float factor = factors[ty * p.taps + tx];
#pragma unroll
      for (int k = 0; k < 8; ++k) sum.v[k] = fma(factor, activated(v.v[k], normed, a.v[k], b.v[k], p.silu), sum.v[k]);
    }
  }
  const FeatureOut out = FeatureOut(p.out).part(sample * out_size, out_size);
  put_some(out, (std::int64_t{1} * y * p.out_width + x) * p.channels + c, count, wide, sum);
}

DC_KERNEL(add, AddParams, kElementThreads) {
  const std::int64_t i = (std::int64_t{1} * blockIdx.x * kElementThreads + threadIdx.x) * 8;
  if (i >= p.out.count) return;
  const FeatureIn a(p.a), b(p.b);
  const FeatureOut out(p.out);
  const int count = p.out.count - i < 8 ? static_cast<int>(p.out.count - i) : 8;
  const Eight left = some(a, i, count, count == 8), right = some(b, i, count, count == 8);
  Eight sum;
#pragma unroll
  for (int k = 0; k < 8; ++k) sum.v[k] = p.scale * (left.v[k] + right.v[k]);
  put_some(out, i, count, count == 8, sum);
}

}  // namespace diffcert
