// What comes back through loads. Eight to twelve bytes an element are read and four written, for some forty operations where there is a SiLU and
// three where there is none: 1 to 3 operations a byte, so bound by memory on every GPU.
#include "kernels/feature.cuh"
#include "kernels/math.cuh"
#include "kernels/smxx_pull.hpp"
#include "kernels/sums.cuh"

namespace diffcert {
namespace {

// One sample's maps.
struct Returning {
  FeatureIn gradient, source;
  Global<const float> affine;
  int stride;  // of a row of the gradient, in pixels

  DC_DEVICE Returning(const ComingBack& p, std::int64_t sample)
      : gradient(FeatureIn(p.gradient)), source(feature_of_sample<FeatureIn>(p.source, sample, std::int64_t{1} * p.height * p.width * p.count)),
        affine(p.affine), stride(p.up2 ? 2 * p.width : p.down2 ? p.width / 2 : p.width) {
    const std::int64_t size = std::int64_t{1} * (p.up2 ? 2 * p.height : p.down2 ? p.height / 2 : p.height) * stride * p.channels;
    gradient = gradient.part(sample * size, size);
  }

  // Where pixel (y, x) of the gradient begins.
  DC_DEVICE std::int64_t at(const ComingBack& p, int y, int x) const { return (std::int64_t{1} * y * stride + x) * p.channels + p.first; }
};

DC_DEVICE float slope_at(const ComingBack& p, bool normed, float a, float b, float v) { return p.silu ? swish_slope(normed ? fma(a, v, b) : v) : 1.0f; }

}  // namespace

DC_KERNEL(pull_sums, PullSumsParams, kStatsThreads) {
  SharedPool pool;
  const Shared<float> partial = pool.take<float>("partial", kStatsThreads);
  const ComingBack& in = p.in;
  const int lane = static_cast<int>(threadIdx.x) % kStatsChannels, row = static_cast<int>(threadIdx.x) / kStatsChannels;
  const int c = static_cast<int>(blockIdx.x) * kStatsChannels + lane;
  const std::int64_t sample = blockIdx.y;
  const bool mine = c < in.count;
  const Returning maps(in, sample);
  const Global<const float> stats(p.stats);
  const bool normed = static_cast<bool>(maps.affine), centred = static_cast<bool>(stats), valued = static_cast<bool>(maps.source);
  const float mean = mine && centred ? stats[sample * 2 * in.count + c] : 0.0f;
  const float a = mine && normed ? maps.affine[sample * 2 * in.channels + in.first + c] : 1.0f;
  const float b = mine && normed ? maps.affine[sample * 2 * in.channels + in.channels + in.first + c] : 0.0f;
  const float scale = in.down2 ? in.scale * 0.25f : in.scale;
  float off_mean = 0, plain = 0;
  for (int i = row; mine && i < in.height * in.width; i += kStatsRows) {
    const int y = i / in.width, x = i % in.width;
    float g = 0;
    if (in.up2) {
      g = (maps.gradient[maps.at(in, 2 * y, 2 * x) + c] + maps.gradient[maps.at(in, 2 * y, 2 * x + 1) + c]) +
          (maps.gradient[maps.at(in, 2 * y + 1, 2 * x) + c] + maps.gradient[maps.at(in, 2 * y + 1, 2 * x + 1) + c]);
    } else {
      g = in.down2 ? maps.gradient[maps.at(in, y / 2, x / 2) + c] : maps.gradient[maps.at(in, y, x) + c];
    }
    const float v = valued ? maps.source[std::int64_t{1} * i * in.count + c] : 0.0f;
    const float dz = scale * g * slope_at(in, normed, a, b, v);
    off_mean = fma(dz, v - mean, off_mean);
    plain = plain + dz;
  }
  off_mean = over_rows(partial, row, lane, off_mean);
  plain = over_rows(partial, row, lane, plain);
  if (!mine || row != 0) return;
  const Global<float> out = Global<float>(p.out).part(sample * p.row, p.row);
  if (centred) out[p.centred_at + c] = off_mean;
  out[p.plain_at + c] = p.factor * plain;
}

DC_KERNEL(pull, PullParams, kPullThreads) {
  const ComingBack& in = p.in;
  const int groups = (in.count + 7) / 8;
  const std::int64_t i = std::int64_t{1} * blockIdx.x * kPullThreads + threadIdx.x, sample = blockIdx.y;
  if (i >= std::int64_t{1} * in.height * in.width * groups) return;
  const int c = static_cast<int>(i % groups) * 8, x = static_cast<int>(i / groups % in.width), y = static_cast<int>(i / groups / in.width);
  const int count = in.count - c < 8 ? in.count - c : 8;
  const bool wide = in.count % 8 == 0 && in.channels % 8 == 0 && in.first % 8 == 0;
  const Returning maps(in, sample);
  const std::int64_t place = (std::int64_t{1} * y * in.width + x) * in.count + c;

  Eight g{};
  if (in.up2) {
    const Eight v00 = some(maps.gradient, maps.at(in, 2 * y, 2 * x) + c, count, wide), v01 = some(maps.gradient, maps.at(in, 2 * y, 2 * x + 1) + c, count, wide);
    const Eight v10 = some(maps.gradient, maps.at(in, 2 * y + 1, 2 * x) + c, count, wide), v11 = some(maps.gradient, maps.at(in, 2 * y + 1, 2 * x + 1) + c, count, wide);
#pragma unroll
    for (int k = 0; k < 8; ++k) g.v[k] = (v00.v[k] + v01.v[k]) + (v10.v[k] + v11.v[k]);
  } else {
    g = some(maps.gradient, (in.down2 ? maps.at(in, y / 2, x / 2) : maps.at(in, y, x)) + c, count, wide);
  }
  Eight v{};
  if (maps.source) v = some(maps.source, place, count, wide);
  const Global<const float> slopes(p.slopes);
  const bool normed = static_cast<bool>(maps.affine), sloped = static_cast<bool>(slopes);
  const std::int64_t channel = sample * 2 * in.channels + in.first + c;
  const float scale = in.down2 ? in.scale * 0.25f : in.scale;
  Eight out{};
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    if (k >= count) continue;
    const float a = normed ? maps.affine[channel + k] : 1.0f, b = normed ? maps.affine[channel + in.channels + k] : 0.0f;
    float w = scale * g.v[k] * slope_at(in, normed, a, b, v.v[k]);
    if (normed) w = a * w;
    if (sloped) w = w + fma(slopes[channel + k], v.v[k], slopes[channel + in.channels + k]);
    out.v[k] = w;
  }
  const std::int64_t size = std::int64_t{1} * in.height * in.width * in.count;
  if (p.accumulate) {
    const Eight there = some(FeatureIn(p.out).part(sample * size, size), place, count, wide);
#pragma unroll
    for (int k = 0; k < 8; ++k) out.v[k] = there.v[k] + out.v[k];
  }
  put_some(FeatureOut(p.out).part(sample * size, size), place, count, wide, out);
}

}  // namespace diffcert
