// Keyed noise. Every floating-point line here and in normal.hpp has its twin in org.diffcert.noise, in the same order: the bits are the
// same.
#include "core/noise.hpp"

#include <algorithm>
#include <cmath>

#include "core/normal.hpp"
#include "core/status.hpp"

namespace diffcert {
namespace {

constexpr int kBinBits = 12;
constexpr int kShift = 64 - kBinBits;

constexpr double kStepError = 0x1p-38;

// Bound on |computed - real| of a standard normal; beyond 7 nothing is proven and every draw becomes ambiguous.
double normal_error(double z) {
  if (z <= 5.0) return 0x1p-43;
  if (z <= 6.0) return 0x1p-36;
  return z <= 7.0 ? 0x1p-27 : 1.0;
}

// Calls take(e, u) for the uniform of each element [0, count).
template <class Take>
void for_each_uniform(const NoiseKey& key, NoiseStream stream, std::uint32_t index, std::size_t count, Take take) {
  for (std::size_t e = 0; e < count; e += 2) {
    const auto pair = key.uniforms(stream, index, static_cast<std::uint32_t>(e >> 1));
    take(e, pair[0]);
    if (e + 1 < count) take(e + 1, pair[1]);
  }
}

}  // namespace

double inverse_normal(std::uint64_t u) { return normal::quantile(u); }

void draw_normals(const NoiseKey& key, NoiseStream stream, std::uint32_t index, std::span<double> out) {
  for_each_uniform(key, stream, index, out.size(), [&](std::size_t e, std::uint64_t u) { out[e] = inverse_normal(u); });
}

IntegerNoise::IntegerNoise(std::span<const std::uint64_t> thresholds, std::int32_t origin)
    : thresholds_(thresholds.begin(), thresholds.end()), start_((1u << kBinBits) + 1), origin_(origin) {
  require(!thresholds_.empty() && std::is_sorted(thresholds_.begin(), thresholds_.end()),
          "The thresholds of integer noise must ascend and be at least one.");
  for (std::uint64_t bin = 0; bin < 1u << kBinBits; ++bin) {
    const auto first = std::lower_bound(thresholds_.begin(), thresholds_.end(), bin << kShift);
    start_[bin] = static_cast<std::int32_t>(first - thresholds_.begin());
  }
  start_.back() = static_cast<std::int32_t>(thresholds_.size());
}

// The top bits say between which two entries the answer lies; most bins hold one or two thresholds, the tails' hold
// many.
std::int32_t IntegerNoise::below(std::uint64_t u) const {
  const auto bin = static_cast<std::size_t>(u >> kShift);
  const auto from = thresholds_.begin() + start_[bin], to = thresholds_.begin() + start_[bin + 1];
  return static_cast<std::int32_t>(std::lower_bound(from, to, u) - thresholds_.begin());
}

bool IntegerNoise::draw(const NoiseKey& key, std::span<std::int32_t> noise) const {
  bool certain = true;
  for_each_uniform(key, NoiseStream::smoothing, 0, noise.size(), [&](std::size_t e, std::uint64_t u) {
    const std::int32_t i = below(u);
    certain &= static_cast<std::size_t>(i) == thresholds_.size() || thresholds_[static_cast<std::size_t>(i)] != u;
    noise[e] = origin_ + i;
  });
  return certain;
}

bool PathNoise::accepts(std::span<const double> sigmas) {
  double before = 0;
  for (const double sigma : sigmas) {
    if (!(sigma > before && sigma <= kMaxSigma)) return false;
    before = sigma;
  }
  return !sigmas.empty() && sigmas.size() <= kMaxSigmas;
}

PathNoise::PathNoise(std::span<const double> sigmas) {
  require(accepts(sigmas), "Path noise takes 1 to 16 ascending sigmas of at most 2.");
  double before = 0;
  for (const double sigma : sigmas) {
    scales_.push_back(255.0 * std::sqrt((sigma - before) * (sigma + before)));
    before = sigma;
  }
}

bool PathNoise::draw(const NoiseKey& key, std::int64_t count, std::span<std::int32_t> noise) const {
  const auto n = static_cast<std::size_t>(count);
  std::vector<double> position(n), error(n);
  bool certain = true;
  for (std::size_t k = 0; k < scales_.size(); ++k) {
    const double scale = scales_[k];
    for_each_uniform(key, NoiseStream::path, static_cast<std::uint32_t>(k), n, [&](std::size_t e, std::uint64_t u) {
      const double z = inverse_normal(u);
      position[e] = position[e] + scale * z;
      error[e] = error[e] + (scale * normal_error(std::fabs(z)) + kStepError);
      const double nearest = std::floor(position[e] + 0.5);
      noise[k * n + e] = static_cast<std::int32_t>(nearest);
      // Distance from the middle of the integer's cell; the cell's ends are half-integers.
      certain &= std::fabs(position[e] - nearest) + error[e] < 0.5;
    });
  }
  return certain;
}

}  // namespace diffcert
