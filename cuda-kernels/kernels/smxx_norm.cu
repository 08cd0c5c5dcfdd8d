// Statistics in two passes (mean, then squared deviations: nothing cancels), of a map or of its tiles' statistics, and the affine of a GroupNorm,
// there and back. Half an operation a byte, bound by memory; the norm itself is some hundred numbers a sample.
#include "kernels/feature.cuh"
#include "kernels/math.cuh"
#include "kernels/smxx_norm.hpp"
#include "kernels/sums.cuh"

namespace diffcert {
DC_KERNEL(stats, StatsParams, kStatsThreads) {
  SharedPool pool;
  const Shared<float> partial = pool.take<float>("partial", kStatsThreads);
  const int lane = static_cast<int>(threadIdx.x) % kStatsChannels, row = static_cast<int>(threadIdx.x) / kStatsChannels;
  const int c = static_cast<int>(blockIdx.x) * kStatsChannels + lane;
  const bool mine = c < p.channels;
  const std::int64_t size = std::int64_t{1} * p.pixels * p.channels;
  const FeatureIn in = FeatureIn(p.in).part(blockIdx.y * size, size);
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

DC_KERNEL(combine, CombineParams, kCombineThreads) {
  const int c = static_cast<int>(blockIdx.x) * kCombineThreads + static_cast<int>(threadIdx.x);
  if (c >= p.channels) return;
  const int down = (p.height + p.tile_height - 1) / p.tile_height, across = (p.width + p.tile_width - 1) / p.tile_width;
  const std::int64_t row = 2 * p.channels, size = row * down * across * p.phases;
  const Global<const float> in = Global<const float>(p.partials).part(blockIdx.y * size, size);
  // Calls use(pixels, mean, M2) for each tile in order.
  const auto each = [&](const auto& use) {
    std::int64_t at = c;
    for (int phase = 0; phase < p.phases; ++phase) {
      for (int y = 0; y < p.height; y += p.tile_height) {
        const int high = p.height - y < p.tile_height ? p.height - y : p.tile_height;
        for (int x = 0; x < p.width; x += p.tile_width, at += row) {
          const int wide = p.width - x < p.tile_width ? p.width - x : p.tile_width;
          use(static_cast<double>(high * wide), static_cast<double>(in[at]), static_cast<double>(in[at + p.channels]));
        }
      }
    }
  };
  double sum = 0, squares = 0;
  each([&](double pixels, double mean, double) { sum = fma(pixels, mean, sum); });
  const double middle = sum / (static_cast<double>(p.phases) * p.height * p.width);
  each([&](double pixels, double mean, double m2) {
    const double off = mean - middle;
    squares += m2 + pixels * (off * off);
  });
  const Global<float> out = Global<float>(p.out).part(blockIdx.y * row, row);
  out[c] = static_cast<float>(middle);
  out[p.channels + c] = static_cast<float>(squares);
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

DC_KERNEL(norm_backward, NormBackwardParams, kNormThreads) {
  const NormParams& norm = p.norm;
  const int channels = norm.channels[0] + norm.channels[1], width = channels / norm.groups;
  const std::int64_t sample = blockIdx.x, row = 2 * channels;
  const Global<const float> first = Global<const float>(norm.stats[0]).part(sample * 2 * norm.channels[0], 2 * norm.channels[0]);
  const Global<const float> second = Global<const float>(norm.stats[1]).part(sample * 2 * norm.channels[1], 2 * norm.channels[1]);
  const Global<const float> sums = Global<const float>(p.sums).part(sample * row, row), gamma(norm.gamma), beta(norm.beta), adaptive(norm.adaptive);
  const Global<float> slopes = Global<float>(p.slopes).part(sample * row, row), to_adaptive(p.adaptive), to_affine(p.affine);
  const auto mean_of = [&](int c) -> double { return static_cast<double>(c < norm.channels[0] ? first[c] : second[c - norm.channels[0]]); };
  const auto m2_of = [&](int c) -> double {
    return static_cast<double>(c < norm.channels[0] ? first[norm.channels[0] + c] : second[norm.channels[1] + c - norm.channels[0]]);
  };
  const double count = static_cast<double>(width) * norm.pixels;
  for (int group = static_cast<int>(threadIdx.x); group < norm.groups; group += kNormThreads) {
    const int from = group * width;
    double middle = 0, squares = 0, d_rstd = 0, d_mean = 0;
    for (int c = from; c < from + width; ++c) middle += mean_of(c);
    middle /= static_cast<double>(width);
    for (int c = from; c < from + width; ++c) {
      const double off = mean_of(c) - middle;
      squares += m2_of(c) + norm.pixels * (off * off);
    }
    const double rstd = 1.0 / square_root(squares / count + norm.eps);
    for (int c = from; c < from + width; ++c) {
      const double weight = static_cast<double>(gamma[c]), plain = static_cast<double>(sums[channels + c]);
      const double centred = static_cast<double>(sums[c]) + (mean_of(c) - middle) * plain;
      const double slope = adaptive ? 1.0 + static_cast<double>(adaptive[sample * row + c]) : 1.0;
      if (to_adaptive) {
        to_adaptive[sample * row + c] = static_cast<float>(weight * rstd * centred + static_cast<double>(beta[c]) * plain);
        to_adaptive[sample * row + channels + c] = static_cast<float>(plain);
      }
      if (to_affine) {
        to_affine[sample * row + c] = static_cast<float>(slope * rstd * centred);
        to_affine[sample * row + channels + c] = static_cast<float>(slope * plain);
      }
      d_rstd += slope * weight * centred;
      d_mean -= slope * weight * rstd * plain;
    }
    const double slope = -(rstd * rstd * rstd) * d_rstd / count;
    for (int c = from; c < from + width; ++c) {
      slopes[c] = static_cast<float>(slope);
      slopes[channels + c] = static_cast<float>(d_mean / count - slope * middle);
    }
  }
}

}  // namespace diffcert
