// Statistics in two passes (mean, then squared deviations: nothing cancels) and the affine of a GroupNorm.
#include "kernels/device.cuh"
#include "kernels/math.cuh"
#include "kernels/smxx_norm.hpp"

namespace diffcert {
namespace {

// The sum of one value a thread over the rows of a channel, rows ascending; every row gets it.
DC_DEVICE float over_rows(const Shared<float>& partial, int row, int lane, float value) {
  partial[row * kStatsChannels + lane] = value;
  sync_block();
  float sum = partial[lane];
#pragma unroll
  for (int r = 1; r < kStatsRows; ++r) sum = sum + partial[r * kStatsChannels + lane];
  sync_block();
  return sum;
}

}  // namespace

DC_KERNEL(stats, StatsParams, kStatsThreads) {
  SharedPool pool;
  const Shared<float> partial = pool.take<float>("partial", kStatsThreads);
  const int lane = static_cast<int>(threadIdx.x) % kStatsChannels, row = static_cast<int>(threadIdx.x) / kStatsChannels;
  const int c = static_cast<int>(blockIdx.x) * kStatsChannels + lane;
  const bool mine = c < p.channels;
  const std::int64_t size = std::int64_t{1} * p.pixels * p.channels;
  const Global<const float> in = Global<const float>(p.in).part(blockIdx.y * size, size);
  const Global<float> out = Global<float>(p.out).part(std::int64_t{2} * blockIdx.y * p.channels, 2 * p.channels);
  float sum = 0;
  for (int i = row; mine && i < p.pixels; i += kStatsRows) sum = sum + in[std::int64_t{1} * i * p.channels + c];
  const float mean = over_rows(partial, row, lane, sum) / static_cast<float>(p.pixels);
  float squares = 0;
  for (int i = row; mine && i < p.pixels; i += kStatsRows) {
    const float d = in[std::int64_t{1} * i * p.channels + c] - mean;
    squares = fma(d, d, squares);
  }
  squares = over_rows(partial, row, lane, squares);
  if (mine && row == 0) {
    out[c] = mean;
    out[p.channels + c] = squares;
  }
}

DC_KERNEL(norm, NormParams, kNormThreads) {
  const int channels = p.channels[0] + p.channels[1], width = channels / p.groups;
  const std::int64_t sample = blockIdx.x;
  const Global<const float> first = Global<const float>(p.stats[0]).part(sample * 2 * p.channels[0], 2 * p.channels[0]);
  const Global<const float> second = Global<const float>(p.stats[1]).part(sample * 2 * p.channels[1], 2 * p.channels[1]);
  const Global<const float> gamma(p.gamma), beta(p.beta), adaptive(p.adaptive);
  const Global<float> out = Global<float>(p.out).part(sample * 2 * channels, 2 * channels);
  for (int group = static_cast<int>(threadIdx.x); group < p.groups; group += kNormThreads) {
    const int from = group * width;
    double middle = 0, squares = 0;
    for (int c = from; c < from + width; ++c) {
      middle += static_cast<double>(c < p.channels[0] ? first[c] : second[c - p.channels[0]]);
    }
    middle /= static_cast<double>(width);
    for (int c = from; c < from + width; ++c) {
      const bool own = c < p.channels[0];
      const int at = own ? c : c - p.channels[0];
      const double off = static_cast<double>(own ? first[at] : second[at]) - middle;
      const double m2 = static_cast<double>(own ? first[p.channels[0] + at] : second[p.channels[1] + at]);
      squares += m2 + p.pixels * (off * off);
    }
    const double variance = squares / (static_cast<double>(width) * p.pixels);
    const double rstd = 1.0 / square_root(variance + p.eps);
    for (int c = from; c < from + width; ++c) {
      double a = static_cast<double>(gamma[c]) * rstd;
      double b = static_cast<double>(beta[c]) - middle * a;
      if (adaptive) {
        const double slope = 1.0 + static_cast<double>(adaptive[sample * 2 * channels + c]);
        a = a * slope;
        b = b * slope + static_cast<double>(adaptive[sample * 2 * channels + channels + c]);
      }
      out[c] = static_cast<float>(a);
      out[channels + c] = static_cast<float>(b);
    }
  }
}

}  // namespace diffcert
