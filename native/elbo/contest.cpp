#include "elbo/contest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/noise.hpp"

namespace diffcert {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLargestExponent = 600;

// e^x - 1 for x in [0, kLargestExponent] with + * / alone: Taylor's series of x / 1024, squared ten times.
double exp_minus_one(double x) {
  const double y = x / 1024;
  double e = 0;
  for (int k = 8; k > 0; --k) e = (1 + e) * y / k;
  for (int k = 0; k < 10; ++k) e = e * (e + 2);
  return e;
}

}  // namespace

std::vector<std::size_t> interleaved(std::size_t n) {
  std::vector<std::size_t> order;
  std::vector<std::uint8_t> seen(n, 0);
  for (std::size_t k = 1; order.size() < n; ++k) {
    double phi = 0, digit = 0.5;
    for (std::size_t rest = k; rest != 0; rest >>= 1, digit /= 2) phi += static_cast<double>(rest & 1) * digit;
    const auto level = static_cast<std::size_t>(phi * static_cast<double>(n));
    if (seen[level] != 0) continue;
    seen[level] = 1;
    order.push_back(level);
  }
  return order;
}

double normal_bound(double error, std::int32_t classes) {
  if (error <= 0) return kInfinity;
  return -inverse_normal(static_cast<std::uint64_t>(std::ldexp(error / (classes - 1), 64)));
}

// Wallace 1959: z = (8 nu + 1) / (8 nu + 3) sqrt(nu ln(1 + t^2 / nu)), solved for t^2.
double squared_student(double z, double nu) {
  const double stretched = z * ((8 * nu + 3) / (8 * nu + 1));
  const double exponent = stretched * stretched / nu;
  return exponent <= kLargestExponent ? nu * exp_minus_one(exponent) : kInfinity;
}

Contest::Contest(std::int32_t classes, std::size_t levels)
    : levels_(levels), alive_(static_cast<std::size_t>(classes)), in_(static_cast<std::size_t>(classes), 1),
      terms_(static_cast<std::size_t>(classes) * levels), sums_(static_cast<std::size_t>(classes)) {
  std::iota(alive_.begin(), alive_.end(), 0);
}

void Contest::take(std::int32_t label, std::size_t position, double value) {
  if (!has(label)) return;
  if (!std::isfinite(value)) spoiled_ = true;
  terms_[static_cast<std::size_t>(label) * levels_ + position] = value;
}

void Contest::take_sifting(std::int32_t label, double value) {
  if (!has(label)) return;
  sums_[static_cast<std::size_t>(label)] += value;
  if (!std::isfinite(sums_[static_cast<std::size_t>(label)])) spoiled_ = true;
}

template <class Stays>
void Contest::retain(Stays stays) {
  std::erase_if(alive_, [&](std::int32_t label) {
    const bool goes = !stays(label);
    if (goes) in_[static_cast<std::size_t>(label)] = 0;
    return goes;
  });
}

void Contest::drop_above(double threshold) {
  if (spoiled_) return;
  double least = kInfinity;
  for (const std::int32_t label : alive_) least = std::min(least, sums_[static_cast<std::size_t>(label)]);
  retain([&](std::int32_t label) { return sums_[static_cast<std::size_t>(label)] - least <= threshold; });
}

void Contest::keep_best(std::int32_t keep) {
  if (spoiled_ || static_cast<std::int32_t>(alive_.size()) <= keep) return;
  std::vector<std::int32_t> best = alive_;
  std::stable_sort(best.begin(), best.end(),
                   [&](std::int32_t a, std::int32_t b) { return sums_[static_cast<std::size_t>(a)] < sums_[static_cast<std::size_t>(b)]; });
  best.resize(static_cast<std::size_t>(keep));
  retain([&](std::int32_t label) { return std::find(best.begin(), best.end(), label) != best.end(); });
}

// With d_j(y) = the difference of class y and the leader at the j-th of m levels done, m_y its mean over the levels, p_j the profile of the levels
// (the mean of d_j over the other classes, scaled to mean 1) and s^2 the mean square of d_j(y) - m_y p_j over all classes and levels,
// y is dropped when m_y sqrt(m) > t s sqrt(1 - m / levels).
void Contest::drop_behind(double z, std::size_t levels) {
  const std::size_t m = done_.size();
  if (decided() || m < 2 || m >= levels || z == kInfinity) return;
  std::int32_t leader = -1;
  double least = kInfinity;
  for (const std::int32_t label : alive_) {
    double sum = 0;
    for (const std::size_t position : done_) sum += term(label, position);
    if (sum < least) {
      least = sum;
      leader = label;
    }
  }
  if (leader < 0) return;  // every sum overflowed
  const std::size_t others = alive_.size() - 1;
  const auto count = static_cast<double>(others), looked = static_cast<double>(m);
  std::vector<double> profile(m, 0.0), mean(in_.size(), 0.0);
  for (const std::int32_t label : alive_) {
    if (label == leader) continue;
    for (std::size_t j = 0; j < m; ++j) {
      const double d = term(label, done_[j]) - term(leader, done_[j]);
      profile[j] += d;
      mean[static_cast<std::size_t>(label)] += d;
    }
    mean[static_cast<std::size_t>(label)] /= looked;
  }
  double height = 0;
  for (const double p : profile) height += p;
  height /= looked;
  // One other class cannot tell its own profile from chance, and a profile that changes its sign is none.
  const bool shaped = others >= 2 && std::all_of(profile.begin(), profile.end(), [](double p) { return p > 0; });
  double squares = 0;
  for (const std::int32_t label : alive_) {
    if (label == leader) continue;
    for (std::size_t j = 0; j < m; ++j) {
      const double fit = mean[static_cast<std::size_t>(label)] * (shaped ? profile[j] / height : 1);
      const double rest = term(label, done_[j]) - term(leader, done_[j]) - fit;
      squares += rest * rest;
    }
  }
  const double nu = (shaped ? count - 1 : count) * (looked - 1);
  const double bound = squared_student(z, nu) * (squares / nu) * (1 - looked / static_cast<double>(levels));
  retain([&](std::int32_t label) {
    const double gap = mean[static_cast<std::size_t>(label)];
    return label == leader || !(gap > 0 && gap * gap * looked > bound);
  });
}

void Contest::losses(std::span<double> out) const {
  std::fill(out.begin(), out.end(), spoiled_ ? std::numeric_limits<double>::quiet_NaN() : kInfinity);
  if (spoiled_) return;
  std::vector<std::size_t> ascending = done_;
  std::sort(ascending.begin(), ascending.end());
  for (const std::int32_t label : alive_) {
    double sum = 0;
    for (const std::size_t position : ascending) sum += term(label, position);
    out[static_cast<std::size_t>(label)] = std::isfinite(sum) ? sum : std::numeric_limits<double>::quiet_NaN();
  }
}

}  // namespace diffcert
