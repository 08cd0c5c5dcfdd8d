// Keyed noise. Every floating-point line here has its twin in org.diffcert.noise, in the same order: the bits are the
// same.
#include "core/noise.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/status.hpp"

namespace diffcert {
namespace {

constexpr double kTwoToMinus64 = 0x1p-64;
constexpr double kSqrtHalf = 0.70710678118654752440;
// ln 2 = high + low; the high part has 21 trailing zero bits, so that its product with an exponent is exact.
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

// Wichura's algorithm AS 241 (PPND16): numerators and denominators of the three ranges, highest power first.
constexpr double kCentralN[] = {
    2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
    1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0};
constexpr double kCentralD[] = {
    5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
    5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0};
constexpr double kOuterN[] = {
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e+0,
    3.64784832476320460504e+0, 5.76949722146069140550e+0, 4.63033784615654529590e+0, 1.42343711074968357734e+0};
constexpr double kOuterD[] = {
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0};
constexpr double kFarN[] = {
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
    2.96560571828504891230e-1, 1.78482653991729133580e+0, 5.46378491116411436990e+0, 6.65790464350110377720e+0};
constexpr double kFarD[] = {
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
    1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0};
constexpr double kInverseOdd[] = {1.0 / 19.0, 1.0 / 17.0, 1.0 / 15.0, 1.0 / 13.0, 1.0 / 11.0,
                                  1.0 / 9.0,  1.0 / 7.0,  1.0 / 5.0,  1.0 / 3.0};

// -ln p for a normal p in (0, 1): p = m * 2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh(s) with
// s = (m - 1) / (m + 1) by Taylor's series.
double minus_log(double p) {
  const auto bits = std::bit_cast<std::uint64_t>(p);
  int exponent = static_cast<int>(bits >> 52) - 1022;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffull) | 0x3fe0000000000000ull);
  if (m < kSqrtHalf) {
    m = m + m;
    exponent = exponent - 1;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double t = s * s;
  double series = t / 21.0;
  for (const double inverse : kInverseOdd) series = (series + inverse) * t;
  const double log_of_m = 2.0 * s + 2.0 * s * series;
  return -(exponent * kLn2High + (exponent * kLn2Low + log_of_m));
}

template <std::size_t N>
double polynomial(const double (&coefficients)[N], double r) {
  double value = coefficients[0];
  for (std::size_t i = 1; i < N; ++i) value = value * r + coefficients[i];
  return value;
}

// The half above the median; q is the distance from it.
double central(double q) {
  const double r = 0.180625 - q * q;
  return q * polynomial(kCentralN, r) / polynomial(kCentralD, r);
}

// The same away from the median: p is the probability of the tail beyond.
double outer(double p) {
  const double r = std::sqrt(minus_log(p));
  return r <= 5.0 ? polynomial(kOuterN, r - 1.6) / polynomial(kOuterD, r - 1.6)
                  : polynomial(kFarN, r - 5.0) / polynomial(kFarD, r - 5.0);
}

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

double inverse_normal(std::uint64_t u) {
  const bool upper = u >> 63 != 0;
  // Position in the lower half of [0, 1): 0 is the far tail, 2^63 - 1 is next to the median.
  const auto tail = static_cast<std::int64_t>(upper ? ~u : u);
  const double q = (static_cast<double>(INT64_MAX - tail) + 0.5) * kTwoToMinus64;
  const double z = q <= 0.425 ? central(q) : outer((static_cast<double>(tail) + 0.5) * kTwoToMinus64);
  return upper ? z : -z;
}

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
